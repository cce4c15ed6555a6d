"""The summary of ``mnv2 tag``, as lines of text."""

from __future__ import annotations

import os
from collections import Counter

from mnv2cli.cli.terminal.summary import Line
from mnv2cli.cli.terminal.tag_text import WaysOut, photos_of, shown_root, unsure_text
from mnv2cli.cli.terminal.text import printable, shorten, size_text
from mnv2cli.journals.folder import OWN_FOLDER, undo_command
from mnv2cli.system.messages import count
from mnv2cli.tagging.actions import TagAction, TagPlan
from mnv2cli.tagging.run import TagOutcome, size_of

_MAX_KEYWORDS = 8
_WIDEST = 40  # cells of a keyword
_TRIFLE = 1_000_000  # bytes; more is worth freeing


def tag_summary(
    plan: TagPlan,
    outcome: TagOutcome,
    skipped: int = 0,
    ways_out: WaysOut | None = None,
    *,
    space: int = 0,
) -> list[Line]:
    """Return the lines that summarise an applied plan.

    Args:
        plan: The plan.
        outcome: The outcome of applying it.
        skipped: The number of photos that were skipped and are not in the plan.
        ways_out: How to tag the photos that were not tagged.
        space: The bytes on disk that all tag runs in the folder keep for undo.
    """
    root, photos, ways_out = shown_root(plan.root), photos_of(plan), ways_out or WaysOut()
    failed = {path for path, _ in outcome.failed}
    work = [action for action in plan.work if action.file not in failed]
    lines: list[Line] = []
    if outcome.done:
        lines += _work_lines(work, outcome)
        lines += _keyword_lines(work)
    elif not failed:
        lines.append(("Tagged", f"nothing new in {root}", ""))
    if unsure := unsure_text(plan, ways_out.unsure):
        lines.append(("Unsure", unsure, "yellow"))
    skipped += len(photos.skipped)
    if skipped:
        text = f"{count(skipped, 'photo')} tagged already"
        lines.append(("Skipped", "; ".join(filter(None, [text, ways_out.tagged])), ""))
    if photos.untagged:
        text = f"{count(len(photos.untagged), 'photo')} without keywords of mnv2"
        lines.append(("Skipped", text, ""))
    if photos.failed:
        what = "photo" if plan.is_removal else "image"
        done = "with keywords that cannot be removed" if plan.is_removal else "not tagged"
        lines.append(("Errors", f"{count(len(photos.failed), what)} {done}", "red"))
    if left := len(photos.left):
        lines.append(("Left", f"{count(left, 'photo')} as they are" if left > 1 else
                      "1 photo as it is", ""))  # fmt: skip
    if failed:
        lines.append(("Failed", f"{count(len(failed), 'file')}, left as before", "red"))
    if outcome.journal and outcome.done:
        name = os.path.normpath(os.path.join(root, OWN_FOLDER, os.path.basename(outcome.journal)))
        kept = outcome.kept_bytes + size_of(outcome.journal)
        lines.append(("Journal", f"{name}, {size_text(kept)} for undo", ""))
        lines.append(("To undo", undo_command(root), ""))
        if space > _TRIFLE:
            text = f"{undo_command(root)} --forget, {size_text(space)}"
            text += " (runs here can then no longer be undone)"
            lines.append(("To free", text, ""))
    return lines


def _work_lines(work: list[TagAction], outcome: TagOutcome) -> list[Line]:
    """Return how many photos were tagged with how many keywords, and of how many some went away."""
    files = _files(work, outcome)
    tagged = {action.source for action in work if action.tags is not None}
    removed = {action.source for action in work} - tagged
    if not tagged:
        photos = count(max(len(removed) - outcome.unchanged, 1), "photo")
        return [("Removed", f"keywords of {photos}, {files}", "green")]
    photos = count(max(len(tagged) - outcome.unchanged, 1), "photo")
    words = {word for action in work if action.tags for word in action.tags.keywords}
    lines = [("Tagged", f"{photos} with {count(len(words), 'keyword')}, {files}", "green")]
    if removed:
        lines.append(("Removed", f"keywords of {count(len(removed), 'photo')}", ""))
    return lines


def _files(work: list[TagAction], outcome: TagOutcome) -> str:
    """Return how many files were created, changed and removed."""
    methods = {action.method for action in work}
    changed = {"embed": "photo", "sidecar": "sidecar"}[methods.pop()] if len(methods) == 1 else (
        "file"
    )  # fmt: skip
    parts = [
        f"{count(number, noun)} {verb}".strip()
        for number, noun, verb in (
            (outcome.created, "new sidecar", ""),
            (outcome.changed, changed, "changed"),
            (outcome.removed, "sidecar", "removed"),
        )
        if number
    ]
    return ", ".join(parts)


def _keyword_lines(work: list[TagAction]) -> list[Line]:
    """Return a line for each of the most frequent keywords, with the number of photos."""
    photos: Counter[str] = Counter()
    for action in work:
        photos.update(action.tags.keywords if action.tags else ())
    shown = photos.most_common(_MAX_KEYWORDS)
    top = [(shorten(printable(word), _WIDEST), number) for word, number in shown]
    width = max((len(word) for word, _ in top), default=0)
    digits = max((len(f"{number:,}") for _, number in top), default=0)
    lines = [("", f"{word:<{width}}  {number:>{digits},}", "") for word, number in top]
    if more := len(photos) - len(top):
        lines.append(("", f"... and {count(more, 'more keyword')}", "dim"))
    return lines
