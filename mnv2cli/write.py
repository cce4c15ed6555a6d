"""Earlier name of :mod:`mnv2cli.results.dataframe`, kept for existing scripts."""

from mnv2cli.results.dataframe import to_dataframe

__all__ = ["to_dataframe"]
