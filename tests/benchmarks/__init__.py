"""Tests of the benchmarks: what they measure with, not how fast anything is."""
