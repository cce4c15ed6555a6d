"""The report of a learned model: its photos with held-out labels, and a panel with the figures."""

from __future__ import annotations

import os
from collections.abc import Iterator

from mnv2cli.labels.imagenet import Label
from mnv2cli.labels.rank import rank
from mnv2cli.learning.metrics import TOP
from mnv2cli.learning.pages.evaluation import matrix
from mnv2cli.learning.pages.html import class_table, figure, not_included, share
from mnv2cli.learning.report import Moved, Report
from mnv2cli.learning.summary import accuracy_notes, advice_lines
from mnv2cli.learning.truth import WITHOUT_FILE
from mnv2cli.records import Record
from mnv2cli.reporting.content import Content, Entry, Panel
from mnv2cli.reporting.html import Figure, number, table, text
from mnv2cli.results.check import OWN_FILE
from mnv2cli.sources.names import IMAGE_SUFFIXES
from mnv2cli.system.messages import count

TITLE = "Held-out accuracy"

_MOST_SUSPECTS = 100
_COPY = "copy of another photo"


def learned_content(learned: Report) -> Content:
    """Return what the page of a learned model shows: photos with held-out labels, and figures.

    Photos that were not learned from are shown with the reason.
    """
    name = os.path.basename(learned.path)
    return Content(
        f"Photos of {name}",
        [*_learned(learned), *_unused(learned)],
        classes=learned.class_names,
        panels=(Panel(TITLE, "".join(learned_panel(learned))),),
    )


def _learned(learned: Report) -> Iterator[Entry]:
    held_out = learned.held_out
    if held_out is None:
        return
    names = learned.class_names
    labels = [Label("", name) for name in names]
    notes = {each.path: _doubt(each.probable) for each in learned.suspects}
    photos = zip(held_out.paths, held_out.classes.tolist(), held_out.scores, strict=True)
    for path, given, scores in photos:
        if path.startswith(WITHOUT_FILE):
            continue
        yield Entry(
            Record(path, rank(scores, labels, TOP), model=learned.network),
            truth=names[given],
            note=notes.get(path, ""),
            right=bool(scores.argmax() == given),
        )


def _doubt(probable: str) -> str:
    return f"probably in the wrong class: looks like {probable}"


def _unused(learned: Report) -> Iterator[Entry]:
    """Yield the photos that were not learned from, each with the reason in place of labels."""
    unused = learned.unused
    reasons: dict[str, str] = {}
    for path, why in unused.skipped:
        # Folders, other files and thumbnails are not photos.
        if path.lower().endswith(IMAGE_SUFFIXES) and why != OWN_FILE:
            reasons[path] = f"skipped: {why}"
    reasons |= dict(unused.unreadable)
    reasons |= dict.fromkeys(unused.copies, _COPY)
    for paths, classes in unused.conflicts:
        reasons |= dict.fromkeys(paths, f"in several classes: {', '.join(classes)}")
    for path, why in reasons.items():
        yield Entry(Record(path, error=why, model=learned.network))


def learned_panel(learned: Report) -> Iterator[str]:
    """Yield the HTML of the figures; everything that comes from names and files is escaped."""
    metrics = learned.metrics
    low, high = learned.interval
    yield (
        f'<p class="lead">{count(len(metrics.classes), "class", "classes")} learned from '
        f"{count(metrics.photos, 'photo')} with {text(learned.network)}. Each photo is labelled by "
        "a model that did not learn from it.</p>\n"
    )
    yield '<dl class="figures">'
    yield figure("right", learned.accuracy, f"95 % confidence: {share(low)} to {share(high)}")
    yield figure("macro F1", metrics.macro_f1, "the mean over the classes")
    yield figure("calibration error", metrics.calibration_error)
    yield "</dl>\n"
    for each in accuracy_notes(learned):
        yield f"<p>{text(each)}</p>\n"
    yield from _changed(learned)
    yield from _suspects(learned)
    yield from _omitted(learned)
    yield from matrix(metrics)
    yield from class_table(metrics.classes)
    if advice := advice_lines(learned.advice, learned.photos):
        yield f"<h2>More photos</h2>\n<p>{text(' '.join(advice))}</p>\n"


def _suspects(learned: Report) -> Iterator[str]:
    if not learned.suspects:
        return
    shown = learned.suspects[:_MOST_SUSPECTS]
    more = len(learned.suspects) - len(shown)
    yield "<h2>Probably in the wrong class</h2>\n<p>Look at these photos first.</p>\n<ul>"
    for each in shown:
        yield (
            f"<li>{text(each.path)} is in <b>{text(each.given)}</b>, looks like "
            f"<b>{text(each.probable)}</b> ({each.score:.2f})</li>"
        )
    yield "</ul>\n" + (f"<p>And {more:,} more.</p>\n" if more else "")


def _changed(learned: Report) -> Iterator[str]:
    """Yield what corrections changed."""
    changed = learned.relearned
    if changed is None:
        return
    yield "<h2>What the corrections changed</h2>\n"
    shares = (share(changed.accuracy_before), share(changed.accuracy_after))
    rows = [["All held-out photos right", *map(Figure, shares)]]
    if corrections := len(changed.corrections) + changed.added:
        right = (changed.corrected_before, changed.corrected_after)
        rows.append([f"Of {count(corrections, 'correction')} right", *map(number, right)])
    yield table("What the corrections changed", ["", "Before", "After"], rows, names_rows=True)
    if changed.would_move:
        others = count(len(changed.would_move), "other photo")
        yield f"<p>{others} would now be sorted elsewhere:</p>\n"
        yield f"<ul>{''.join(map(_moved, changed.would_move[:_MOST_SUSPECTS]))}</ul>\n"


def _moved(photo: Moved) -> str:
    before, after = text(photo.before or "new"), text(photo.after)
    return f"<li>{text(photo.path)}: <b>{before}</b> → <b>{after}</b></li>"


def _omitted(learned: Report) -> Iterator[str]:
    unused = learned.unused
    unreadable = [f"{path}: {error}" for path, error in unused.unreadable]
    skipped = [f"{path}: {why}" for path, why in unused.skipped]
    conflicts = [path for paths, _ in unused.conflicts for path in dict.fromkeys(paths)]
    hidden = [path for path in _paths(learned) if path.startswith(WITHOUT_FILE)]
    yield from not_included(
        (
            ("could not be read", unreadable, len(unreadable)),
            ("with the content of another", unused.copies, len(unused.copies)),
            ("in several classes", conflicts, len(conflicts)),
        )
    )
    if skipped:
        yield f"<p>Skipped {count(len(skipped), 'file')}.</p>\n"
    if hidden:
        yield (
            f"<p>{count(len(hidden), 'photo')} learned earlier are in the figures, but not on this "
            "page: their files were not found.</p>\n"
        )


def _paths(learned: Report) -> tuple[str, ...]:
    return learned.held_out.paths if learned.held_out else ()
