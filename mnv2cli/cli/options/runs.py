"""Options for long runs; ``@long_options`` passes them as ``run``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from mnv2cli.cli.grouping import grouped, section
from mnv2cli.runs.options import RunOptions
from mnv2cli.runs.shards import Shard


def _run_options(resume: bool, retry_errors: bool, shard: str | None) -> RunOptions:
    return RunOptions(resume, retry_errors, Shard.parse(shard) if shard else None)


_long = section("Long runs")


def long_options(file: str) -> Callable[..., Callable[..., Any]]:
    """Return the decorator; the help names the file that can be resumed."""
    return grouped(
        "run",
        _run_options,
        _long("--resume", is_flag=True, help=f"Continue {file} and add new images."),
        _long(
            "--retry-errors",
            advanced=True,
            is_flag=True,
            help="With --resume, try unreadable images again.",
        ),
        _long(
            "--shard",
            metavar="I/N",
            help="Use only shard I of N; join them with mnv2 merge.",
        ),
    )
