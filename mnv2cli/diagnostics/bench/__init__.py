"""Measure this machine: every engine compared with common scripts, each case in a new process.

:mod:`mnv2cli.diagnostics.bench.cases` registers the cases. ``python -m mnv2cli.diagnostics.bench
CASE WORKLOAD`` runs one, so that no case warms up another and each has its own peak memory.
"""
