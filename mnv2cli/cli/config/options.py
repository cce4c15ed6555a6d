"""Which options config files may set, where, and why others may not be set."""

from __future__ import annotations

from collections.abc import Iterator

import click

SHARED = frozenset({
    "accurate", "all-files", "allow-truncated", "alpha", "batch-size", "categories", "csv-safe",
    "engine", "exclude", "fit", "follow-links", "hidden", "include", "interpolation", "isolate",
    "max-pixels", "model", "no-cache", "pairs", "precision", "quiet", "recursive", "scale", "size",
    "threads", "timeout", "verbose", "weights",
})  # fmt: skip
"""Options that have one meaning in all commands, and may be above all tables."""

PER_COMMAND = frozenset({
    "by", "calibrate", "category", "copy", "embed", "embed-limit", "fail-under", "format",
    "group-by", "hardlink", "hierarchy", "images", "keep-unlabelled", "label-by", "labels",
    "long", "max-tags", "min-count", "min-margin", "min-score", "model-labels", "move",
    "no-near", "no-thumbnails", "normalize", "patience", "poll", "prefix", "ray",
    "replace-underscores", "rescan", "rollup", "rounds", "settle", "shard-size",
    "sidecar-style", "symlink", "template", "test", "threshold", "top", "unknown", "val",
    "what",
})  # fmt: skip
"""Options that may be in the table of a command only."""

ONLY_USER = {
    **dict.fromkeys(("weights", "scale", "labels", "model-labels"), "it opens a model file"),
    "calibrate": "it reads photos elsewhere",
    "ray": "it sends photos to a cluster",
    "embed": "it writes into photos",
    **dict.fromkeys(("move", "copy", "symlink", "hardlink"), "it decides what happens to photos"),
    **dict.fromkeys(("max-pixels", "timeout"), "it protects from harmful images"),
    "follow-links": "it reaches photos outside of the folder",
    "group-by": "a harmful expression never ends",
}
"""Options that a project's file must not set, which may come with photos of others."""

CONDITIONS = {"select": frozenset({"category", "min-score", "min-margin"})}
"""Options that other commands have as settings, but which choose the rows of one run here."""

_RUN = "it belongs to one run"
_FILE = "a run would write to a file that you did not name"
_REASONS = {
    **dict.fromkeys(("output", "report", "plan", "write-plan", "embeddings"), _FILE),
    "force": "files would be overwritten without a question",
    "yes": "files would be removed without a question",
    "trust": "journals of others would be trusted",
    "into": "photos would go to a folder that you did not name",
    "json": "scripts that read the output would not see it in the command",
}


def key_of(param: click.Parameter) -> str:
    """Return the key of an option: its longest name without dashes; empty for arguments."""
    if not isinstance(param, click.Option) or param.hidden:
        return ""
    return max(param.opts, key=len).lstrip("-")


def settable(command: click.Command, *, only_shared: bool = False) -> dict[str, click.Option]:
    """Return the options of a command that config files may set, by key.

    Args:
        command: The command.
        only_shared: Return those that may be above all tables.
    """
    found = {}
    for param in command.params:
        key = key_of(param)
        if not isinstance(param, click.Option) or param.required:
            continue
        if key in CONDITIONS.get(str(command.name), ()):
            continue
        is_photo_labels = key == "labels" and param.name == "labels"
        if key in SHARED or (key in PER_COMMAND and not only_shared and not is_photo_labels):
            # calibrate --precision and models clean --weights are other options of that name.
            other = only_shared and param.name not in (key.replace("-", "_"), "cache")
            if not other:
                found[key] = param
    return found


def all_commands(
    command: click.Command, ctx: click.Context, words: tuple[str, ...] = ()
) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    """Yield the commands of a group, and of the groups in it, by their words; they are imported.

    Args:
        command: The group, or a command.
        ctx: Its context.
        words: Its own words.
    """
    if not isinstance(command, click.Group):
        yield words, command
        return
    for name in command.list_commands(ctx):
        if (found := command.get_command(ctx, name)) is not None:
            yield from all_commands(found, ctx, (*words, name))


def why_not(key: str) -> str:
    """Return why an option cannot be set in config files."""
    return _REASONS.get(key, _RUN)


def is_refused(key: str) -> bool:
    """Return whether a key is an option that no config file may set, for a named reason."""
    return key in _REASONS
