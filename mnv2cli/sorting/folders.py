"""The names of class folders: from a template, and safe on Linux, macOS and Windows."""

from __future__ import annotations

import re
import string
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, lru_cache

from mnv2cli.errors import ImageError, InputError
from mnv2cli.labels.imagenet import imagenet_labels
from mnv2cli.records import Record

UNSURE, OTHER, UNDATED = "unsure", "other", "undated"

FIELDS = ("category", "label", "wnid", "node", "score", "model", "year", "month")
"""What a template may name in braces."""

_LONGEST = 100  # characters of a folder's name; Windows allows paths of 260
_FORBIDDEN = re.compile(r'[<>:"/\\|?*\x00-\x1f\x7f]')
_RESERVED = re.compile(r"(con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³])(\..*)?", re.IGNORECASE)


@lru_cache(maxsize=4096)
def safe_name(text: str) -> str:
    """Return a text as the name of one folder that every system takes; never empty.

    What is forbidden somewhere becomes ``_``: separators, control characters, names of devices,
    dots and blanks at the end, a dot at the start (hidden, or ``..``). Long names are cut.
    """
    text = unicodedata.normalize("NFC", text.encode("utf-8", "replace").decode())
    text = "".join("_" if unicodedata.category(c) in ("Cc", "Cf", "Cs") else c for c in text)
    text = _FORBIDDEN.sub("_", text).strip()[:_LONGEST].rstrip(". ")
    while len(text.encode()) > 2 * _LONGEST:
        text = text[:-1].rstrip(". ")
    if text.startswith("."):
        text = f"_{text[1:]}"
    if _RESERVED.fullmatch(text):
        text = f"_{text}"
    return text or "_"


@cache
def _shared_labels() -> frozenset[str]:
    names = [label.name for label in imagenet_labels()]
    return frozenset(name for name in names if names.count(name) > 1)


@dataclass(frozen=True)
class Place:
    """Where a photo belongs.

    Attributes:
        folder: Relative to the destination, with ``/``; empty to stay where it is.
        reason: Why there.
    """

    folder: str
    reason: str


class Folders:
    """Decides on a folder for each record.

    Args:
        template: Such as ``{category}/{label}``; ``/`` goes into a folder, and :data:`FIELDS` may
            stand in braces, ``score`` with a format such as ``{score:.1f}``.
        threshold: Photos whose score is below this go to ``unsure``.
        margin: And those whose score is less than this ahead of the next.
        taken: Returns when a photo was taken, as ``YYYY:MM:DD``, or nothing.

    Raises:
        InputError: The template cannot be used.
    """

    def __init__(
        self,
        template: str,
        *,
        threshold: float = 0.0,
        margin: float = 0.0,
        taken: Callable[[str], str] = lambda path: "",
    ) -> None:
        self._parts = _parse(template)
        self.fields = {name for part in self._parts for _, name, _ in part if name}
        self._threshold = threshold
        self._margin = margin
        self._taken = taken
        if margin and self._decisive == "node":
            raise InputError(
                "--margin has no meaning for --rollup", "A node and the one below share scores."
            )

    @property
    def _decisive(self) -> str:
        return next((name for name in ("category", "node") if name in self.fields), "label")

    def place(self, record: Record) -> Place:
        """Return where a photo belongs.

        Raises:
            InputError: The record lacks what the template or the margin needs.
        """
        if record.error:
            return Place("", record.error)
        score, margin = self._scores(record)
        if score is None:
            return Place(UNSURE, "no class reaches its threshold")
        if score < self._threshold:
            return Place(UNSURE, f"score {score:.3g} is below {self._threshold:g}")
        if self._margin and (margin or 0) < self._margin:
            return Place(UNSURE, f"only {margin or 0:.3g} ahead of the next")
        values = self._values(record, score)
        names = [
            safe_name("".join(text + (_filled(name, form, values)) for text, name, form in part))
            for part in self._parts
        ]
        return Place("/".join(names), "")

    def _scores(self, record: Record) -> tuple[float | None, float | None]:
        """Return the decisive score, and by how much it is ahead."""
        if self._decisive == "category":
            if record.category is None:
                raise InputError(
                    "these results have no categories",
                    "Write them with: mnv2 classify --category",
                )
            category = record.category
            return (category.score, category.margin) if category.name else (None, None)
        if self._decisive == "node":
            if record.node is None:
                raise InputError(
                    "these results have no nodes", "Write them with: mnv2 classify --rollup P"
                )
            return record.node.score, None
        if not record.predictions:
            return None, None
        best = record.predictions[0].score
        if len(record.predictions) > 1:
            return best, best - record.predictions[1].score
        # The second one is not known: it has at the most what the first one leaves.
        return best, max(best - (1 - best), 0.0)

    def _values(self, record: Record, score: float) -> dict[str, str | float]:
        best = record.predictions[0] if record.predictions else None
        label = best.label if best else UNSURE
        if best and label in _shared_labels():
            label = f"{label} ({best.wnid})"
        year = month = UNDATED
        if {"year", "month"} & self.fields:
            try:
                date = self._taken(record.path)
            except (ImageError, OSError):
                date = ""
            if date:
                year, month = date[:4], date[5:7]
        return {
            "category": record.category.name if record.category else "",
            "label": label,
            "wnid": best.wnid if best else UNSURE,
            "node": record.node.label if record.node else "",
            "score": score,
            "model": record.model or "unknown",
            "year": year,
            "month": month,
        }


def _filled(name: str, form: str, values: dict[str, str | float]) -> str:
    return format(values[name], form) if name else ""


def _parse(template: str) -> list[list[tuple[str, str, str]]]:
    """Return the parts between slashes, each a list of text, field and format."""
    parts: list[list[tuple[str, str, str]]] = [[]]
    hint = "Fields are " + ", ".join(f"{{{name}}}" for name in FIELDS) + "."
    try:
        pieces = list(string.Formatter().parse(template))
    except ValueError as error:
        raise InputError(f"the template {template!r} has a brace too many or few", hint) from error
    for text, name, form, conversion in pieces:
        first, *rest = text.split("/")
        parts[-1].append((first, "", ""))
        for more in rest:
            parts.append([(more, "", "")])
        if name is None:
            continue
        if name not in FIELDS or conversion:
            raise InputError(f"the template {template!r} has the unknown field {name!r}", hint)
        if form and not (name == "score" and re.fullmatch(r"\.[0-9][fe%]?", form)):
            raise InputError(f"the template {template!r} has the unknown format {form!r}", hint)
        parts[-1].append(("", name, form or ""))
    if any(not any(text.strip() or name for text, name, _ in part) for part in parts):
        raise InputError(f"the template {template!r} has an empty folder name", hint)
    for part in parts:
        literal = "".join(text for text, _, _ in part)
        if literal.strip() in (".", "..") and not any(name for _, name, _ in part):
            raise InputError(f"the template {template!r} leaves the destination", hint)
    return parts
