"""Fuzzing: what is true of every input, tried on damaged files of every kind."""
