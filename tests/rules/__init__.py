"""Tests of the rules, a module for each hundred of codes."""
