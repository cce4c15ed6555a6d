"""Suggest the correct name for a mistyped one."""

from __future__ import annotations

from collections.abc import Iterable

_LETTERS_PER_TYPO = 4


def did_you_mean(word: str, names: Iterable[str]) -> str:
    """Return `` Did you mean 'NAME'?`` for the name nearest to a word; empty if none is near."""
    name = nearest(word, names)
    return f" Did you mean {name!r}?" if name else ""


def nearest(word: str, names: Iterable[str]) -> str:
    """Return the most similar name; empty if none is similar.

    A name is similar if ``word`` is its beginning, or differs from it by at most one typo for every
    four letters, but at least one. Of several names that begin with ``word``, the shortest is the
    most similar.
    """
    typed = word.strip("-")
    if len(typed) < 2:
        return ""
    found = []
    for name in sorted(names):
        bare = name.strip("-")
        is_prefix = bare.startswith(typed) and len(typed) > 2
        typos = 0 if is_prefix else _distance(typed, bare)
        if len(bare) > 1 and typos <= max(1, len(typed) // _LETTERS_PER_TYPO):
            found.append((typos, len(name) if is_prefix else 0, name))
    return min(found)[-1] if found else ""


def long_option(letter: str, args: Iterable[str], names: Iterable[str]) -> str:
    """Return the first of ``args`` that is a long option with one dash, such as ``-top``.

    Args:
        letter: The short option that does not exist, such as ``-t``.
        args: The command line.
        names: The names of all options.

    Returns:
        The word without its value; empty if there is none with this letter.
    """
    long = {name[1:] for name in names if name.startswith("--")}
    for arg in args:
        word = arg.partition("=")[0]
        if word in long and letter[1:] in word[1:]:
            return word
    return ""


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
