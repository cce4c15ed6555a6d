"""The report on learning in plain words, for 80 columns."""

from __future__ import annotations

import shlex
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from mnv2cli.system.messages import count

if TYPE_CHECKING:
    from mnv2cli.learning.diagnosis import Advice
    from mnv2cli.learning.metrics import Metrics
    from mnv2cli.learning.report import Moved, Relearned, Report

WIDTH = 79
ALL = 1 << 30
_ROWS, _NAMED = 20, 10
_LONGEST_NAME = 32
ENOUGH = 10
"""Photos a class; with fewer, recognition depends on chance."""

HOW_TO_RENAME = (
    "To learn the new name, rename the folder of its training photos, and learn from there. If it "
    "is another class, create the old folder again."
)
"""What to do where the folder of a class in a sorted folder was renamed."""


def summary(learned: Report, *, verbose: bool = False) -> list[str]:
    """Return the lines of the whole report.

    Args:
        learned: What was learned.
        verbose: Name all classes, photos and files, not only the first.
    """
    sections = [
        used_lines(learned, verbose=verbose),
        relearned_lines(learned.relearned, verbose=verbose) if learned.relearned else [],
        accuracy_lines(learned),
        class_table(learned.metrics, verbose=verbose),
        confusion_lines(learned.metrics),
        suspect_lines(learned, verbose=verbose),
        advice_lines(learned.advice, learned.photos),
        next_lines(learned),
    ]
    return [line for lines in sections if lines for line in ("", *lines)][1:]


def percent(share: float) -> str:
    """Return a share for people, such as ``97.5 %``."""
    return f"{100 * share:.1f} %"


def used_lines(learned: Report, *, verbose: bool = False) -> list[str]:
    """Return the number of photos that were used, and which were not, and why."""
    metrics, unused = learned.metrics, learned.unused
    lines = [
        f"Learned {count(len(metrics.classes), 'class', 'classes')} from "
        f"{count(metrics.photos, 'photo')} with {learned.network}."
    ]
    if learned.base:
        lines.append(f"Relative paths in {learned.source} start at {learned.base}.")
    reasons = Counter(why.partition(":")[0] for _, why in unused.skipped)
    if unused.copies:
        reasons["copy of another photo"] = len(unused.copies)
    if reasons:
        found = ", ".join(f"{why} {number:,}" for why, number in reasons.most_common())
        lines.append(f"Skipped: {found}{'' if verbose else '; -v names them'}.")
    if verbose:
        lines += [f"  {path}: {why}" for path, why in unused.skipped]
        lines += [f"  {path}: copy of another photo" for path in unused.copies]
    if unused.unreadable:
        lines.append(f"Unreadable: {count(len(unused.unreadable), 'photo')}.")
        lines += _some((f"  {path}: {why}" for path, why in unused.unreadable), verbose)
    if unused.conflicts:
        lines.append(
            f"In several classes, so not used: {count(len(unused.conflicts), 'photo')}. "
            "Keep each in one."
        )
        lines += _some((_conflict(*each) for each in unused.conflicts), verbose)
    return lines


def accuracy_lines(learned: Report) -> list[str]:
    """Return the accuracy with its interval."""
    low, high = learned.interval
    first = (
        f"Accuracy on photos that were held out: {percent(learned.accuracy)} "
        f"(95 % sure: {100 * low:.1f} to {percent(high)})."
    )
    return [first, *(line for note in accuracy_notes(learned) for line in _wrapped(note))]


def accuracy_notes(learned: Report) -> Iterator[str]:
    """Yield what to know about the accuracy, a text each."""
    if baseline := majority(learned.metrics):
        yield baseline
    if learned.relearned and (answers := learned.relearned.answers):
        yield (
            f"{answers:,} of {count(learned.photos, 'label')} are the earlier model's own answers, "
            "so the accuracy flatters."
        )
    if learned.groups < learned.photos:
        yield (
            f"They form {count(learned.groups, 'group')} that belong together, each held out as "
            "a whole."
        )
    if learned.different:
        few = [f"{name} ({groups})" for name, groups in learned.different.items()]
        more = f" and {len(few) - _NAMED:,} more" if len(few) > _NAMED else ""
        yield f"Classes with few different photos: {', '.join(few[:_NAMED])}{more}."
    if learned.alike:
        more = f" and {len(learned.alike) - _NAMED:,} more" if len(learned.alike) > _NAMED else ""
        yield (
            f"Nearly all photos of {', '.join(learned.alike[:_NAMED])}{more} are alike, as in a "
            "burst, so each is measured by a model that saw photos like it: the figures flatter. "
            "Add other photos, or use --group-by."
        )


def majority(metrics: Metrics) -> str:
    """Return what the accuracy is worth if one class has over half of the photos; else nothing."""
    present = [each for each in metrics.classes if each.photos]
    largest = max(present, key=lambda each: each.photos)
    if len(present) < 2 or 2 * largest.photos <= metrics.photos:
        return ""
    recall = sum(each.recall for each in present) / len(present)
    return (
        f"Always answering {largest.name!r} would be right for "
        f"{percent(largest.photos / metrics.photos)}; the mean recall of the classes is "
        f"{percent(recall)}."
    )


def class_table(metrics: Metrics, *, verbose: bool = False) -> list[str]:
    """Return a table of the classes; of many, those that are recognised worst."""
    classes = list(metrics.classes)
    shown = classes
    if len(classes) > _ROWS and not verbose:
        shown = sorted(classes, key=lambda each: each.recall)[:_ROWS]
    width = max(min(max(len(each.name) for each in shown), _LONGEST_NAME), len("Class"))
    lines = [f"{'Class':{width}}  {'Photos':>6}  {'Recall':>8}  {'Precision':>9}"]
    for each in shown:
        precision = percent(each.precision) if each.predicted else "-"
        lines.append(
            f"{_cut(each.name, width):{width}}  {each.photos:>6,}  {percent(each.recall):>8}  "
            f"{precision:>9}"
        )
    if len(shown) < len(classes):
        lines.append(f"and {len(classes) - len(shown):,} classes with better recall; -v shows all")
    lines.append("Recall: of the photos of a class, the share that was recognised.")
    lines.append("Precision: of the photos labelled with a class, the share that was right.")
    return lines


def confusion_lines(metrics: Metrics) -> list[str]:
    """Return the pairs of classes that are most often confused."""
    photos = {each.name: each.photos for each in metrics.classes}
    lines = [
        f"  {each.photos:,} of {photos[each.true]:,} {each.true} labelled {each.predicted}"
        for each in metrics.confusions(5)
    ]
    return ["Most confused:", *lines] if lines else []


def suspect_lines(learned: Report, *, verbose: bool = False) -> list[str]:
    """Return the photos that are probably mislabelled."""
    suspects = learned.suspects
    if not suspects:
        return []
    lines = (
        line
        for each in suspects
        for line in (
            f"  {each.path}",
            f"    is in {each.given}, looks like {each.probable} ({each.score:.2f})",
        )
    )
    limit = ALL if verbose else 2 * _NAMED
    shown = [line for line, _ in zip(lines, range(limit), strict=False)]
    if len(shown) < 2 * len(suspects):
        shown.append(f"  and {len(suspects) - len(shown) // 2:,} more; -v names all")
    return ["Probably in the wrong class; look at these:", *shown]


def advice_lines(advice: Advice, photos: int) -> list[str]:
    """Return which classes have too few photos, and what more would bring.

    Args:
        advice: What more photos would bring.
        photos: The number of photos that were learned from.
    """
    lines = []
    if advice.few:
        few = [f"{name} ({number})" for name, number in advice.few]
        more = f" and {len(few) - _NAMED:,} more" if len(few) > _NAMED else ""
        lines += _wrapped(
            f"Classes with few photos: {', '.join(few[:_NAMED])}{more}. "
            f"{ENOUGH} or more are better."
        )
    if advice.more:
        lines += _wrapped(
            f"About {advice.more:,} more photos of each class would raise the accuracy by about "
            f"{100 * advice.gain:.1f} points."
        )
    elif advice.level:
        lines.append("More photos of the same kind would hardly raise the accuracy.")
    elif advice.points:
        lines.append(
            f"{count(photos, 'photo')} are too few to show if more would raise the accuracy."
        )
    return lines


def relearned_lines(relearned: Relearned, *, verbose: bool = False) -> list[str]:
    """Return what corrections changed."""
    number = len(relearned.corrections)
    lines = [f"Learned {count(number, 'correction')}:"] if number else []
    lines += _some(map(_moved, relearned.corrections), verbose)
    if relearned.added:
        lines.append(f"Learned {count(relearned.added, 'photo')} that you added.")
    if relearned.trusted:
        lines.append(f"Learned {count(relearned.trusted, 'photo')} that you did not move.")
    if relearned.ignored:
        lines.append("Not learned:")
        lines += _some((f"  {path}: {why}" for path, why in relearned.ignored), verbose)
    for name, folder in relearned.renamed:
        lines += _wrapped(
            f"The folder of the class {name} is named {folder} now; the class keeps its name. "
            f"{HOW_TO_RENAME}"
        )
    if relearned.dropped:
        lines += _wrapped(
            f"No longer learned: {count(relearned.dropped, 'photo')} now in no class folder, or in "
            "several."
        )
    if relearned.lost:
        lines.append(f"Not found, so no longer learned: {count(relearned.lost, 'earlier photo')}.")
    lines += [
        "",
        "On the same held-out photos:     before     after",
        f"  all photos right             {percent(relearned.accuracy_before):>8}  "
        f"{percent(relearned.accuracy_after):>8}",
    ]
    if number or relearned.added:
        lines.append(
            f"  corrections right            {relearned.corrected_before:>8,}  "
            f"{relearned.corrected_after:>8,}  of {number + relearned.added:,}"
        )
    if relearned.would_move:
        lines += ["", f"{count(len(relearned.would_move), 'other photo')} would now go elsewhere:"]
        lines += _some(map(_moved, relearned.would_move), verbose)
    return lines


def next_lines(learned: Report) -> list[str]:
    """Return where the model is, and the commands to type next."""
    path = learned.path
    lines = [f"Wrote {path} ({learned.size / 1e6:.1f} MB)."]
    if learned.relearned and learned.relearned.backup:
        lines.append(f"The earlier model is {learned.relearned.backup}.")
    lines.append("Next:")
    if learned.relearned:
        into = learned.sorted_folder
        lines.append(
            "  " + shlex.join(["mnv2", "sort", "--refresh", "--into", into, "--model", path])
        )
    else:
        lines.append("  " + shlex.join(["mnv2", "classify", "PHOTOS", "--model", path]))
        lines.append(
            "  " + shlex.join(["mnv2", "sort", "PHOTOS", "--into", "sorted", "--model", path])
        )
    return lines


def _conflict(paths: tuple[str, ...], classes: tuple[str, ...]) -> str:
    if len(set(paths)) > 1:
        return f"  {' = '.join(paths)}"
    return f"  {paths[0]} is labelled {' and '.join(classes)}"


def _moved(photo: Moved) -> str:
    return f"  {photo.path}: {photo.before or 'new'} → {photo.after}"


def _some(lines: Iterable[str], verbose: bool) -> Iterator[str]:
    """Yield the first of some lines, and the number of the others; all if verbose."""
    rest = 0
    for position, line in enumerate(lines):
        if verbose or position < _NAMED:
            yield line
        else:
            rest += 1
    if rest:
        yield f"  and {rest:,} more; -v names all"


def _cut(text: str, width: int) -> str:
    return text if len(text) <= width else f"{text[: width - 1]}…"


def _wrapped(text: str) -> list[str]:
    import textwrap

    return textwrap.wrap(text, WIDTH, break_long_words=False, break_on_hyphens=False)
