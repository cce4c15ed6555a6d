"""The differences between two runs, in terms of the options that cause them."""

from __future__ import annotations

from typing import Any, NamedTuple

Settings = dict[str, Any]
"""The settings that determine the rows of a run, as its log records them."""

_OPTIONS = {
    "accurate": "--accurate",
    "top": "--top",
    "threshold": "--min-score",
    "min_margin": "--min-margin",
    "unknown": "--unknown",
    "rollup": "--rollup",
    "fit": "--fit",
    "interpolation": "--interpolation",
    "max_pixels": "--max-pixels",
    "allow_truncated": "--allow-truncated",
    "pairs": "--pairs",
    "format": "--format",
    "long": "--long",
    "csv_safe": "--csv-safe",
    "shard": "--shard",
    "engine": "--engine",
    "precision": "--precision",
    "normalized": "--normalize",
}
"""Options by the settings that they change."""

_DIGESTS = {
    "categories": ("--category", "categories"),
    "weights": ("weights", "weights"),
    "labels": ("--labels", "labels"),
    "calibration": ("--calibrate", "calibration photos"),
}
"""Settings recorded as a digest: their option, and the noun for the content of the digest."""

_DERIVED = {"position"}  # follows from --shard

_LATER: Settings = {"min_margin": 0.0, "unknown": False}
"""Settings that the logs of earlier versions lack, with the value that they mean."""


class Difference(NamedTuple):
    """A setting that differs between two runs, as ``with --top 2`` or ``without --long``.

    Attributes:
        old: The setting of the first run.
        new: The setting of the second run.
    """

    old: str
    new: str


def differences(old: Settings, new: Settings) -> list[Difference]:
    """Return the settings that both runs record and that differ, in the order of the second."""
    old, new = _LATER | old, new | {k: v for k, v in _LATER.items() if k not in new}
    return [
        _difference(name, old[name], new[name])
        for name in new
        if name in old and old[name] != new[name] and name not in _DERIVED
    ]


def version_changes(old: dict[str, Any], new: dict[str, str]) -> list[str]:
    """Return the libraries that changed between two runs, such as ``pillow 11.0, now 12.0``."""
    return [
        f"{name} {old[name]}, now {new[name]}"
        for name in new
        if name in old and old[name] != new[name]
    ]


def _difference(name: str, old: Any, new: Any) -> Difference:
    if name in _DIGESTS:
        option, noun = _DIGESTS[name]
        if old and new:
            choice = " (choose them with --calibrate DIR)" if name == "calibration" else ""
            return Difference(f"with different {noun}{choice}", "with these")
        return Difference(_given(option, bool(old)), _given(option, bool(new)))
    return Difference(_setting(name, old), _setting(name, new))


def _setting(name: str, value: Any) -> str:
    option = _OPTIONS.get(name)
    if option is None:
        option = name.replace("_", " ")  # such as the model
        return f"with {option} {value}" if value else f"without {option}"
    if value is None or value == "" or isinstance(value, bool):
        return _given(option, bool(value))
    return f"with {option} {value}"


def _given(option: str, is_given: bool) -> str:
    return f"with {option}" if is_given else f"without {option}"
