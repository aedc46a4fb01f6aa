"""Benchmarks: run with ``make bench``; each prints a table and fails when a target is missed."""
