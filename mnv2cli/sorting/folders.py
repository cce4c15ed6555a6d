"""Names of class folders: filled from a template, and valid on Linux, macOS and Windows."""

from __future__ import annotations

import re
import string
import unicodedata
from collections.abc import Mapping
from functools import lru_cache

from mnv2cli.errors import InputError

FIELDS = ("category", "label", "wnid", "node", "score", "model", "year", "month")
"""The fields that a template may have in braces."""

_MOST_LEVELS = 32
_LONGEST = 100  # characters in a name; Windows limits whole paths to 260
_FORBIDDEN = re.compile(r'[<>:"/\\|?*\x00-\x1f\x7f]')
_RESERVED = re.compile(
    r"(con|conin\$|conout\$|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³])(\..*)?", re.IGNORECASE
)


@lru_cache(maxsize=4096)
def safe_name(text: str) -> str:
    """Return text as a folder name that is valid on every system; never empty.

    Separators, control characters and a leading dot become ``_``, device names of Windows get a
    leading ``_``, trailing dots and spaces are removed, and long names are cut.
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


class FolderTemplate:
    """A template of folder names, such as ``{category}/{label}``.

    Args:
        text: ``/`` separates folders. Braces enclose :data:`FIELDS`, and ``score`` may have a
            format such as ``{score:.1f}``.

    Attributes:
        fields: The fields of the template.

    Raises:
        InputError: The template is not valid.
    """

    def __init__(self, text: str) -> None:
        self._parts = _parse(text)
        self.fields = {name for part in self._parts for _, name, _ in part if name}

    def fill(self, values: Mapping[str, str | float]) -> str:
        """Return a folder's path, with ``/``; no value can make it leave the destination."""
        return "/".join(
            safe_name(
                "".join(
                    text + (format(values[name], spec) if name else "") for text, name, spec in part
                )
            )
            for part in self._parts
        )


def _parse(template: str) -> list[list[tuple[str, str, str]]]:
    """Return the parts between slashes, each a list of text, field and format."""
    parts: list[list[tuple[str, str, str]]] = [[]]
    if (levels := template.count("/") + 1) > _MOST_LEVELS:
        raise InputError(
            f"the template has {levels:,} levels of folders, more than the limit of {_MOST_LEVELS}",
            "Use fewer slashes.",
        )
    hint = "The fields are " + ", ".join(f"{{{name}}}" for name in FIELDS) + "."
    try:
        parsed = list(string.Formatter().parse(template))
    except ValueError as error:
        raise InputError(f"the template {template!r} has an unmatched brace", hint) from error
    for text, name, spec, conversion in parsed:
        first, *rest = text.split("/")
        parts[-1].append((first, "", ""))
        for more in rest:
            parts.append([(more, "", "")])
        if name is None:
            continue
        if name not in FIELDS or conversion:
            raise InputError(f"the template {template!r} has the unknown field {name!r}", hint)
        if spec and not (name == "score" and re.fullmatch(r"\.[0-9][fe%]?", spec)):
            raise InputError(
                f"the template {template!r} has the unknown format {spec!r}",
                "Only score has a format, such as {score:.1f}.",
            )
        parts[-1].append(("", name, spec or ""))
    if any(not any(text.strip() or name for text, name, _ in part) for part in parts):
        raise InputError(f"the template {template!r} has an empty folder name", hint)
    for part in parts:
        literal = "".join(text for text, _, _ in part)
        if literal.strip() in (".", "..") and not any(name for _, name, _ in part):
            raise InputError(f"the template {template!r} leads outside the destination", hint)
    return parts
