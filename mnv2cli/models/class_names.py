"""What the name of a class may be: it becomes the name of a folder and a cell of a table."""

from __future__ import annotations

import unicodedata

LONGEST = 200
"""The largest number of characters."""

_JOINERS = "\u200c\u200d"  # invisible, but part of words and emoji
_REFUSED = ("Cc", "Cf", "Cs", "Zl", "Zp")  # control, invisible, surrogate, separators


def why_refused(name: str) -> str:
    """Return why a name cannot be used; empty if it can."""
    if not name:
        return "is empty"
    if name != name.strip():
        return "begins or ends with a space"
    if len(name) > LONGEST:
        return f"is longer than {LONGEST} characters"
    if "/" in name or "\\" in name:
        return "contains a slash: labels become names of folders"
    if ".." in name or name == ".":
        return "contains '..': labels become names of folders"
    if any(unicodedata.category(c) in _REFUSED and c not in _JOINERS for c in name):
        return "contains a control character or an invisible one"
    return ""


def same_key(name: str) -> str:
    """Return a text that is equal for names that some file systems do not tell apart."""
    return unicodedata.normalize("NFC", name).casefold()
