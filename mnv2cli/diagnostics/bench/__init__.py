"""Measure this machine: every engine beside what people do today, each case in a separate process.

The cases are a registry in :mod:`mnv2cli.diagnostics.bench.cases`. A fresh Python runs each one
(``python -m mnv2cli.diagnostics.bench CASE WORKLOAD``), so that no case warms up another, and each
one's peak memory is its own.
"""
