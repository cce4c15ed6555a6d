"""The summary of ``mnv2 sort``, as lines of text."""

from __future__ import annotations

import os
from collections import Counter

from mnv2cli.cli.terminal.summary import Line
from mnv2cli.cli.terminal.text import printable, shorten, size_text
from mnv2cli.cli.terminal.unsure import unsure_text
from mnv2cli.journals.folder import OWN_FOLDER, undo_command
from mnv2cli.sorting.actions import Plan, count_photos
from mnv2cli.sorting.placement import OTHER, ROOT, UNSURE
from mnv2cli.sorting.run import Outcome
from mnv2cli.system.messages import count, count_shots

_VERBS = {"copy": "copied", "move": "moved", "symlink": "linked", "hardlink": "linked"}
_MAX_FOLDERS = 8
_WIDEST = 40  # cells of a folder's name


def sort_summary(plan: Plan, outcome: Outcome, dest: str) -> list[Line]:
    """Return the lines that summarise an applied plan.

    Args:
        plan: The plan.
        outcome: The outcome of applying it.
        dest: The destination, as typed.
    """
    failed = {os.path.abspath(path) for path, _ in outcome.failed}
    work = [action for action in plan.work if os.path.abspath(action.source) not in failed]
    folders = Counter({action.folder: 0 for action in work})
    folders.update(action.folder for action in work if not action.photo)
    lines: list[Line] = []
    if work:
        verbs = " and ".join(sorted({_VERBS[action.method] for action in work}))
        size = sum(action.size for action in work if action.method == "copy")
        files = count_shots(*count_photos(work))
        title, text = "Sorted", f"{files} {verbs} into {count(len(folders), 'folder')} in {dest}"
        if list(folders) == [ROOT]:
            title, text = verbs.capitalize(), f"{files} into {dest}"
        lines.append((title, text + (f", {size_text(size)}" if size else ""), "green"))
        lines += _folder_lines(folders)
    elif not failed:
        is_flat = any(action.folder == ROOT for action in plan.skipped)
        lines.append(("Done" if is_flat else "Sorted", f"nothing new for {dest}", ""))
    way_out = "undo, then add --threshold 0" if plan.by_default else ""
    if unsure := unsure_text(work, way_out):
        lines.append((UNSURE.capitalize(), unsure, "yellow"))
    others = sum(number for folder, number in folders.items() if folder.casefold() == OTHER)
    if others:
        text = f"{count(others, 'photo')}: small or ignored categories"
        lines.append((OTHER.capitalize(), text, "yellow"))
    if skipped := plan.skipped:
        text = f"{count_shots(*count_photos(skipped))} already in {dest}"
        lines.append(("Skipped", text, ""))
    unsorted = plan.unsorted
    if unsorted:
        text = f"{count(len(unsorted), 'image')} not sorted, left in place"
        lines.append(("Errors", text, "red"))
    if staying := plan.staying:
        lines.append(("Left", f"{count_shots(*count_photos(staying))} in place", ""))
    if failed:
        lines.append(("Failed", f"{count(len(failed), 'file')}, left in place", "red"))
    if outcome.journal and work:
        journal = os.path.join(dest, OWN_FOLDER, os.path.basename(outcome.journal))
        lines.append(("Journal", journal, ""))
        lines.append(("To undo", undo_command(dest), ""))
    return lines


def _folder_lines(folders: Counter[str]) -> list[Line]:
    """Return a line for each of the largest folders, except unsure and other."""
    shown = Counter(
        {
            name: photos
            for name, photos in folders.items()
            if photos and name.casefold() not in (UNSURE, OTHER, ROOT)
        }
    ).most_common()
    top = [(shorten(printable(name), _WIDEST), photos) for name, photos in shown[:_MAX_FOLDERS]]
    width = max((len(name) for name, _ in top), default=0)
    digits = max((len(f"{photos:,}") for _, photos in top), default=0)
    lines = [("", f"{name:<{width}}  {photos:>{digits},}", "") for name, photos in top]
    if len(shown) > len(top):
        more = len(shown) - len(top)
        lines.append(("", f"... and {count(more, 'more folder')}", "dim"))
    return lines
