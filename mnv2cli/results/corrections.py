"""Corrections of labels by people: a CSV with the columns path, label and review."""

from __future__ import annotations

import os
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

from mnv2cli.errors import InputError
from mnv2cli.results.check import check_regular
from mnv2cli.results.label_table import LabelRow, label_rows
from mnv2cli.results.spreadsheet import restored
from mnv2cli.system.messages import count, one_of

Review = Literal["corrected", "confirmed", "wrong", "rejected"]
REVIEWS: tuple[Review, ...] = get_args(Review)

MARKED_AS_WRONG, REJECTED = "marked as wrong", "rejected"
"""Why a photo with the review ``wrong`` or ``rejected`` has no label, for messages."""

_LONGEST_SHOWN = 40  # characters of a cell in a message


@dataclass(frozen=True, slots=True)
class Correction:
    """The judgement of a person on the labels of a photo.

    Attributes:
        path: The photo, as in the results.
        label: Its right label, category or own class; empty for ``wrong`` and ``rejected``.
        review: ``corrected``: it has the label; ``confirmed``: the predicted label is right;
            ``wrong``: the predicted label is not right, and the right one is not known;
            ``rejected``: the photo is of no use.
    """

    path: str
    label: str
    review: Review

    @property
    def has_label(self) -> bool:
        """Whether the right label is known."""
        return self.review in ("corrected", "confirmed")


def read_corrections(path: str) -> dict[str, Correction]:
    """Return the corrections in a file, by path.

    The file may have gone through a spreadsheet: see
    :func:`~mnv2cli.results.label_table.label_rows`. A row without a review, and every row
    without that column, is ``corrected``. A path may occur again with the same label and review;
    if they differ, that is an error: neither row is known to be the later one, because rows may
    have been sorted, and a page exports each photo once.

    Raises:
        InputError: The file cannot be read, is not a regular file, or lacks the columns path and
            label; or a row has an unknown review, lacks its label or has one too many, has a label
            that is not a line of text, or contradicts another row; with the line.
    """
    check_regular(path)
    found: dict[str, Correction] = {}
    seen: dict[str, tuple[Correction, int]] = {}
    for row in label_rows(path, "corrections"):
        given = _correction(row, path)
        key = os.path.normpath(given.path)
        earlier, line = seen.setdefault(key, (given, row.line))
        if (earlier.label, earlier.review) != (given.label, given.review):
            raise InputError(
                f"lines {line} and {row.line} of {path!r} contradict each other: "
                f"{_shown(given.path)} is {_meaning(earlier)} and {_meaning(given)}",
                "Remove one of the two lines.",
            )
        if earlier is given:
            found[given.path] = given
    return found


def matched(
    corrections: Mapping[str, Correction], paths: Iterable[str]
) -> tuple[dict[str, Correction], list[str]]:
    """Return the corrections of the photos with some paths, and the paths of the others.

    Paths are equal if they are after ``os.path.normpath``, so ``./a.jpg`` is ``a.jpg``; a path that
    was escaped for a spreadsheet is also found without its apostrophe.

    Returns:
        The corrections by path, as in ``paths``; and the paths of corrections that match none, as
        in ``corrections``.

    Raises:
        InputError: There are corrections, and not one of them matches.
    """
    by_path = {os.path.normpath(path): path for path in corrections}
    unescaped = {
        os.path.normpath(restored(path)): path for path in corrections if restored(path) != path
    }
    found: dict[str, Correction] = {}
    used: set[str] = set()
    for path in paths:
        key = os.path.normpath(path)
        own = path if path in corrections else by_path.get(key, unescaped.get(key))
        if own is not None:
            found[path] = corrections[own]
            used.add(own)
    unmatched = [path for path in corrections if path not in used]
    if unmatched and not used:
        number = count(len(unmatched), "correction")
        raise InputError(
            f"not one photo in the results belongs to the {number}, such as that of "
            f"{_shown(unmatched[0])}",
            "Name the results that the corrected report was made from.",
        )
    return found, unmatched


def unmatched_text(unmatched: Sequence[str]) -> str:
    """Return a warning about corrections that match no photo; empty for none."""
    if not unmatched:
        return ""
    verb = "does not belong to a photo" if len(unmatched) == 1 else "do not belong to photos"
    return (
        f"{count(len(unmatched), 'correction')} {verb} in the results, "
        f"such as {_shown(unmatched[0])}"
    )


def _correction(row: LabelRow, path: str) -> Correction:
    """Return the correction of a row; raises InputError with its line."""
    review = (row.review or "corrected").casefold()
    known = next((each for each in REVIEWS if each == review), None)
    if known is None:
        raise InputError(
            f"line {row.line} of {path!r} has the unknown review {_shown(row.review or '')}",
            f"Write {one_of(REVIEWS)}.",
        )
    why, hint = _why_refused(row.label, known)
    if why:
        raise InputError(f"line {row.line} of {path!r} {why}", hint)
    return Correction(row.path, row.label, known)


def _why_refused(label: str, review: Review) -> tuple[str, str]:
    """Return why a label does not fit a review, and what to do; empty texts if it does."""
    if review in ("wrong", "rejected"):
        if label:
            return (
                f"has the review {review!r} and the label {_shown(label)}",
                "Remove the label, or change the review to corrected.",
            )
    elif not label:
        return (
            f"is {review}, but has no label",
            "Add it; or change the review to wrong or rejected, or remove the line.",
        )
    kinds = {unicodedata.category(char) for char in label}
    if "Cs" in kinds:
        return f"has a label that is not UTF-8: {_shown(label)}", "Save it as CSV in UTF-8."
    if kinds & {"Cc", "Zl", "Zp"}:
        return (
            f"has a label with a control character: {_shown(label)}",
            "Remove the character; labels are a line of text.",
        )
    return "", ""


def _meaning(correction: Correction) -> str:
    return (
        f"{correction.review} {_shown(correction.label)}"
        if correction.label
        else (correction.review)
    )


def _shown(text: str) -> str:
    """Return a text in quotes for a message; long texts are cut."""
    return repr(text if len(text) <= _LONGEST_SHOWN else f"{text[: _LONGEST_SHOWN - 3]}...")
