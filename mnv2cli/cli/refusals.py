"""Refuse options that would be ignored."""

from __future__ import annotations

from collections.abc import Collection, Container
from dataclasses import fields

import click
from click.core import ParameterSource

from mnv2cli.sources.options import Filters

_OF_REFRESH = {"dest", "refresh", "dry_run", "write_to", "report"}
_SECTIONS = ("Model", "Speed", "Decoding", "Terminal")


def check_refresh(ctx: click.Context, sections: Collection[str]) -> None:
    """Check that no option was typed that --refresh would ignore; raises UsageError.

    Args:
        ctx: The context of the command.
        sections: The sections of options of sorting, of which the last is that of folders.
    """
    if ctx.params.get("paths"):
        raise click.UsageError(
            "PATH cannot be combined with --refresh: the photos are those in the destination."
        )
    allowed = (*_SECTIONS, *list(sections)[1:])
    used = {param.name for param in ctx.command.params if getattr(param, "section", "") in allowed}
    refuse_others(ctx, used | _OF_REFRESH, "--refresh: photos are moved within the destination")


def is_typed(ctx: click.Context, name: str) -> bool:
    """Return whether an option is on the command line, not from a config file."""
    return ctx.get_parameter_source(name) is ParameterSource.COMMANDLINE


def has_typed_filters(ctx: click.Context) -> bool:
    """Return whether an option that selects images is on the command line."""
    return any(is_typed(ctx, each.name) for each in fields(Filters))


def refuse_others(ctx: click.Context, used: Container[str | None], reason: str) -> None:
    """Check that no option outside of ``used`` was typed; raises UsageError with the reason."""
    for param in ctx.command.params:
        if not isinstance(param, click.Option) or param.name is None or param.name in used:
            continue
        if is_typed(ctx, param.name):
            is_off = param.secondary_opts and ctx.params.get(param.name) is False
            name = max(param.secondary_opts if is_off else param.opts, key=len)
            raise click.UsageError(f"{name} cannot be combined with {reason}.")
