"""The summary of ``mnv2 split``: a table of classes and sets, and lines of text."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from mnv2cli.cli.terminal.summary import Line
from mnv2cli.cli.terminal.text import printable, shorten, size_text
from mnv2cli.datasets.split_options import Split
from mnv2cli.datasets.split_sets import SETS
from mnv2cli.sorting.actions import count_photos
from mnv2cli.sources.names import natural_sorted
from mnv2cli.system.messages import count, count_shots, share_text

_VERBS = {"copy": "copied", "move": "moved", "symlink": "linked", "hardlink": "linked"}
_WIDEST = 40  # cells of a class
_MAX_NAMED = 5
_MAX_CLASSES = 20


def split_table(split: Split, limit: int | None = None) -> list[str]:
    """Return the lines of a table: for each class and set, the number of photos.

    Args:
        split: The split.
        limit: The number of classes to show, of those with most photos; None for all.
    """
    counts = split.counts()
    names = natural_sorted(list(counts))
    shown = names
    if limit is not None and len(names) > limit:
        most = sorted(names, key=lambda name: -sum(counts[name].values()))[:limit]
        shown = [name for name in names if name in most]
    rows = [["class", *SETS]]
    for name in shown:
        rows.append([shorten(printable(name), _WIDEST), *(f"{counts[name][s]:,}" for s in SETS)])
    sums = [sum(each[name] for each in counts.values()) for name in SETS]
    if len(names) > 1:
        rows.append(["all", *(f"{number:,}" for number in sums)])
    total = max(sum(sums), 1)
    rows.append(["share", *(share_text(number / total) for number in sums)])
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = [_aligned(row, widths) for row in rows]
    if len(shown) < len(names):
        more = f"... and {count(len(names) - len(shown), 'more class', 'more classes')}"
        lines.insert(1 + len(shown), more)
    return lines


def _aligned(row: Sequence[str], widths: Sequence[int]) -> str:
    first, *others = (
        cell.rjust(width) if column else cell.ljust(width)
        for column, (cell, width) in enumerate(zip(row, widths, strict=True))
    )
    return "  ".join([first, *others])


def split_lines(split: Split, *, applied: bool = False) -> list[Line]:
    """Return the lines about a split.

    Args:
        split: The split.
        applied: Its plan has been applied: begin with what was done and the table.
    """
    lines: list[Line] = []
    if applied:
        lines += _applied_lines(split)
    photos, groups = split.together()
    if photos:
        text = f"{count(photos, 'photo')} in {count(groups, 'group')}, each in one set"
        lines.append(("Together", text, ""))
    if kept := split.kept():
        lines.append(("Kept", f"{count(kept, 'photo')} in the set of an earlier split", ""))
    if skipped := split.plan.skipped:
        text = f"{count_shots(*count_photos(skipped))} already in {split.dest}"
        lines.append(("Skipped", text, ""))
    omitted = len(split.torn) + sum(len(paths) for paths, _ in split.conflicts)
    if omitted:
        lines.append(("Omitted", f"{count(omitted, 'photo')}, see the warnings", "yellow"))
    if split.skipped:
        lines.append(("Not used", f"{count(len(split.skipped), 'file')}; -v shows why", ""))
    if split.unreadable:
        text = f"{count(len(split.unreadable), 'photo')}, skipped; -v shows why"
        lines.append(("Unreadable", text, "red"))
    if split.failed:
        lines.append(("Failed", f"{count(len(split.failed), 'file')}, left in place", "red"))
    return lines


def _applied_lines(split: Split) -> list[Line]:
    failed = {path for path, _ in split.failed}
    work = [action for action in split.plan.work if action.source not in failed]
    table: list[Line] = [("", line, "") for line in split_table(split, _MAX_CLASSES)]
    if not split.plan.work:
        return [("Split", f"nothing new for {split.dest}", ""), *table]
    verbs = " and ".join(sorted({_VERBS[action.method] for action in split.plan.work}))
    size = sum(action.size for action in work if action.method == "copy")
    text = f"{count_shots(*count_photos(work))} {verbs} into {split.dest}"
    first = ("Split", text + (f", {size_text(size)}" if size else ""), "green")
    return [first, *table]


def warnings_of(split: Split) -> Iterator[str]:
    """Yield the warnings about a split."""
    missing: dict[tuple[str, ...], list[str]] = {}
    for name in SETS:
        if labels := split.missing(name):
            missing.setdefault(tuple(natural_sorted(labels)), []).append(name)
    for without, names in missing.items():
        is_one = len(without) == 1
        yield (
            f"{_named(without)} {'has' if is_one else 'have'} no photo in {' and '.join(names)}: "
            f"{'it has' if is_one else 'they have'} too few photos or groups"
        )
    for paths, classes in split.conflicts[:_MAX_NAMED]:
        yield (
            f"skipped, the same photo in several classes ({', '.join(classes)}): {', '.join(paths)}"
        )
    if len(split.conflicts) > _MAX_NAMED:
        yield f"and {len(split.conflicts) - _MAX_NAMED:,} more photos in several classes, skipped"
    for path in split.torn[:_MAX_NAMED]:
        yield f"skipped, belongs to photos that are in several sets already: {path}"
    if len(split.torn) > _MAX_NAMED:
        yield f"and {len(split.torn) - _MAX_NAMED:,} more that belong to several sets, skipped"
    if split.alike:
        yield (
            f"near copies of {_named(split.alike)} may be in several sets, because nearly all of "
            "their photos are near copies"
        )


def _named(labels: Sequence[str]) -> str:
    shown = ", ".join(labels[:_MAX_NAMED])
    if len(labels) > _MAX_NAMED:
        shown += f" and {count(len(labels) - _MAX_NAMED, 'more class', 'more classes')}"
    return shown
