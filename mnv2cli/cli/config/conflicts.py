"""Values of config files that give way to the options of a command line.

A value that does not apply to a run is skipped. It is never the reason for an error about an
option that the user did not type.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Any

from mnv2cli.cli.config.convert import is_own_model

Values = Mapping[str, Any]
"""Values by key: of the layers above, and of the command line as typed."""

_EXCLUSIVE = (
    {"quiet", "verbose"},
    {"move", "copy", "symlink", "hardlink"},
    {"by", "template"},
    {"by", "rollup"},
    {"embed", "sidecar-style"},
)
_PLACES = {"copy-to", "symlink-to", "hardlink-to"}
_GIVES_WAY: Mapping[str, Collection[str]] = {
    # What belongs to the model that the config file names.
    "model": ("weights", "labels", "model-labels", "scale", "alpha", "size"),
    "alpha": ("model", "weights", "labels", "model-labels", "scale"),
    "size": ("model", "weights", "labels", "model-labels", "scale"),
    "exact": ("threshold",),
    "from": ("categories", "rollup", "precision", "calibrate"),
    "against": ("format",),
    "embeddings": ("ray",),
    "remove": ("embed",),
    **dict.fromkeys(("paths", "null", "print0"), ("format", "top", "csv-safe")),
    "sql": ("top",),
    **dict.fromkeys(
        ("embed-limit", "max-pixels", "allow-truncated", "isolate", "timeout"), ("no-thumbnails",)
    ),
}
"""For options of a layer above: those that give way."""


def gives_way(key: str, value: object, above: Values, command: str) -> bool:
    """Return whether a value of a config file or variable does not apply to a run.

    Args:
        key: The option.
        value: Its value.
        above: The values of the layers above, with those typed.
        command: The command.
    """
    on = {name for name, other in above.items() if other not in (None, False)}
    for group in _EXCLUSIVE:
        if key in group and value is not False and (group - {key}) & on:
            template = above.get("template")
            if key == "rollup" and isinstance(template, str) and "{node}" in template:
                continue
            return True
    if any(key in _GIVES_WAY.get(name, ()) for name in on):
        return True
    return any(rule(key, value, above, command) for rule in _RULES)


def _of_output(key: str, value: object, above: Values, command: str) -> bool:
    """The name of an output file sets its format, and a table is for terminals."""
    output = above.get("output")
    if not isinstance(output, str) or output == "-":
        return False
    return key == "format" and (value == "table" or bool(os.path.splitext(output)[1]))


def _of_rows(key: str, value: object, above: Values, command: str) -> bool:
    """Some formats have no rows, or no cells that could look like formulas."""
    if key == "format":
        return bool(above.get("long")) and value not in ("csv", "parquet")
    if key not in ("csv-safe", "long") or not value:
        return False
    output = above.get("output")
    named = os.path.splitext(output)[1][1:].lower() if isinstance(output, str) else ""
    format = above.get("format") or named
    if command == "find" and (_PLACES & above.keys() or not format):
        return True  # photos, or a list of paths
    allowed = ("csv",) if key == "csv-safe" else ("csv", "parquet")
    return format not in (*allowed, "") or (not format and key == "csv-safe" and _is_table())


def _is_table() -> bool:
    import sys

    return sys.stdout is not None and sys.stdout.isatty()


def _of_folders(key: str, value: object, above: Values, command: str) -> bool:
    """Folders that are named otherwise need neither categories nor nodes."""
    template, by = above.get("template"), above.get("by")
    is_sort = command == "sort" or (command == "watch" and bool(above.get("into")))
    if is_sort and above.get("rollup"):  # typed, or of a layer above
        if key == "template":
            return "{node}" not in str(value)
        if key == "min-margin":
            return True
    if command in ("sort", "tag") and is_own_model(above.get("model")):
        if key in ("categories", "rollup"):
            return command == "sort"
        if key in ("by", "what"):
            return value in ("category", "wnid", "both")
    if not is_sort or key not in ("categories", "rollup"):
        return False
    field = "{category}" if key == "categories" else "{node}"
    if isinstance(template, str):
        return field not in template
    return by not in (None, "category") or (key == "categories" and bool(above.get("rollup")))


def _of_command(key: str, value: object, above: Values, command: str) -> bool:
    """Commands for which a value that others share makes no sense."""
    if key == "unknown":  # only models that mnv2 learn wrote have it
        return not is_own_model(above.get("model"))
    if command == "find" and key == "by":
        return not above.get("unsure")
    if command == "watch" and key == "embed":
        return not above.get("tag")
    if command == "duplicates" and key == "pairs":
        return value == "both"
    if command == "models compile" and key == "precision":
        return value == "int8" and "calibrate" not in above
    return False


_RULES: tuple[Callable[[str, object, Values, str], bool], ...] = (
    _of_output,
    _of_rows,
    _of_folders,
    _of_command,
)


def ordered(keys: Collection[str]) -> Iterator[str]:
    """Yield keys so that those which others depend on come first."""
    first = ("model", "template", "by", "rollup", "calibrate", "format")
    yield from (key for key in first if key in keys)
    yield from (key for key in keys if key not in first)
