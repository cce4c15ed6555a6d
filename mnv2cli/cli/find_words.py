"""Which words of ``mnv2 find`` are names, and which are paths."""

from __future__ import annotations

import os
import shlex
from typing import TYPE_CHECKING

import click

from mnv2cli.sources.patterns import is_glob
from mnv2cli.sources.urls import is_url

if TYPE_CHECKING:
    from mnv2cli.cli.options.find import FindInputs

_IN = "in"
_EXAMPLE = "mnv2 find dog photos"


def split_words(
    found_in: FindInputs, *, is_unsure: bool
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the names to find, and the paths to search.

    The word ``in`` separates them; without it, the first word is the name, and with --unsure
    all are paths. With results, paths are not necessary, and without ``in`` there are none but
    existing ones.

    Raises:
        UsageError: Names or paths are missing; the error shows what to type.
    """
    words = found_in.words
    needs_paths = found_in.results is None and found_in.inputs.list_file is None
    if _IN in words:
        place = words.index(_IN)
        whats, paths = words[:place], words[place + 1 :]
        if not paths:
            raise click.UsageError(
                f"Name images or folders after 'in', as in: {_line(whats or ('dog',), ('photos',))}"
            )
    elif is_unsure:
        whats, paths = (), words
    else:
        whats, paths = words[:1], words[1:]
    if is_unsure and whats:
        raise click.UsageError(
            f"--unsure finds photos whose category is not certain, so it has no WHAT: omit "
            f"{shlex.join(whats)}, or --unsure."
        )
    if not is_unsure and not any(what.strip() for what in whats):
        example = _line(("dog",), paths, is_in=_IN in words) if paths else _EXAMPLE
        raise click.UsageError(f"Say what to find, and where, as in: {example}")
    if needs_paths and not paths:
        raise _no_paths(whats, is_unsure=is_unsure)
    if _IN not in words and not is_unsure:
        _check_second_name(whats, paths)
    return whats, paths


def _no_paths(whats: tuple[str, ...], *, is_unsure: bool) -> click.UsageError:
    if is_unsure:
        return click.UsageError("Name images or folders, as in: mnv2 find --unsure photos")
    what = whats[0]
    if os.path.lexists(what) or is_url(what):
        return click.UsageError(f"Say what to find in {what!r}, as in: {_line(('dog',), (what,))}")
    return click.UsageError(f"Say where to find {what!r}, as in: {_line((what,), ('photos',))}")


def _check_second_name(whats: tuple[str, ...], paths: tuple[str, ...]) -> None:
    """Check that the words after the first are not further names."""
    missing = [
        path for path in paths if not (os.path.lexists(path) or is_glob(path) or is_url(path))
    ]
    if not missing or any("/" in path or os.sep in path for path in missing):
        return
    there = tuple(path for path in paths if path not in missing)
    names = tuple(path for path in paths if path in missing)
    if there:
        raise click.UsageError(
            f"No such file or folder: {missing[0]!r}. If it is another name to find, write 'in' "
            f"before the paths: {_line((*whats, *names), there, is_in=True)}"
        )
    if os.path.exists(whats[0]):
        raise click.UsageError(
            f"No such file or folder: {missing[0]!r}. What to find comes first: "
            f"{_line(names, whats)}"
        )


def _line(whats: tuple[str, ...], paths: tuple[str, ...], *, is_in: bool = False) -> str:
    """Return a command line that finds names in paths."""
    between = ("in",) if is_in or len(whats) > 1 else ()
    return shlex.join(["mnv2", "find", *whats, *between, *paths])
