"""The option of all commands that use the cache of features."""

from __future__ import annotations

from mnv2cli.cli.grouping import section

cache_option = section("Speed")(
    "--no-cache",
    "cache",
    flag_value=False,
    default=True,
    show_default=False,
    advanced=True,
    help="Compute all features; neither use nor fill the cache.",
)
