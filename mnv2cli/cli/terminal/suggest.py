"""Suggest the correct name for a mistyped one."""

from __future__ import annotations

from collections.abc import Iterable

_LETTERS_PER_TYPO = 4


def did_you_mean(word: str, names: Iterable[str]) -> str:
    """Return `` Did you mean 'NAME'?`` for the most similar name; empty if none is similar.

    A name is similar if ``word`` is its beginning, or differs from it by at most one typo for every
    four letters, but at least one.
    """
    typed = word.strip("-")
    if len(typed) < 2:
        return ""
    found = []
    for name in sorted(names):
        bare = name.strip("-")
        typos = 0 if bare.startswith(typed) and len(typed) > 2 else _distance(typed, bare)
        if len(bare) > 1 and typos <= max(1, len(typed) // _LETTERS_PER_TYPO):
            found.append((typos, name))
    return f" Did you mean {min(found)[1]!r}?" if found else ""


def _distance(a: str, b: str) -> int:
    """Return the optimal string alignment distance: swapped neighbours count as one typo."""
    before: list[int] = []
    row = list(range(len(b) + 1))
    for i, x in enumerate(a, 1):
        older, before, row = before, row, [i]
        for j, y in enumerate(b, 1):
            least = min(before[j] + 1, row[j - 1] + 1, before[j - 1] + (x != y))
            if i > 1 and j > 1 and x == b[j - 2] and a[i - 2] == y:
                least = min(least, older[j - 2] + 1)
            row.append(least)
    return row[-1]
