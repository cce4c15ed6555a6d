"""The earlier name of :mod:`mnv2cli.results`, kept for scripts that import from it."""

from mnv2cli.results.dataframe import to_dataframe

__all__ = ["to_dataframe"]
