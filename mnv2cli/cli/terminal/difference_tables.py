"""The difference of two runs on the terminal."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from rich.text import Text

from mnv2cli.cli.terminal.figures import (
    NARROW,
    Page,
    heading_table,
    headline,
    name_text,
    name_width,
    plain_score,
    score_text,
    section,
    space,
    widest,
)
from mnv2cli.reporting.difference import NO_CATEGORY, NO_LABEL
from mnv2cli.system.messages import count, share_text

if TYPE_CHECKING:
    from rich.console import RenderableType

    from mnv2cli.reporting.difference import Difference, Pair

_LEAST_CHANGE = 0.0005  # of a score; a smaller one would be shown as 0.0


def difference_renderables(difference: Difference, page: Page) -> Iterator[RenderableType]:
    """Yield what to print of a difference."""
    yield Text(difference_headline(difference), style="bold")
    yield Text()
    yield headline(_lines(difference))
    yield from _pairs("Label before", difference.pairs, NO_LABEL, page)
    yield from _pairs("Category before", difference.category_pairs, NO_CATEGORY, page)
    yield from _classes(difference, page)
    yield from _most_changed_labels(difference, page)
    yield from _most_changed_scores(difference, page)


def difference_headline(difference: Difference) -> str:
    """Return the share of images with the same label, as a sentence."""
    if difference.agreement is None:
        return "No image could be read in both runs."
    images = count(difference.compared, "image")
    if difference.same_label == difference.compared:
        return f"The labels of all {images} are the same." if difference.compared > 1 else (
            "The label of the image is the same."
        )  # fmt: skip
    return f"{share_text(difference.agreement)} of {images} have the same label."


def _lines(difference: Difference) -> list[tuple[str, str | Text]]:
    lines: list[tuple[str, str | Text]] = [
        ("Before", f"{difference.before} ({count(difference.images_before, 'image')})"),
        ("After", f"{difference.after} ({count(difference.images_after, 'image')})"),
    ]
    changed = [f"{count(difference.label_changed, 'label')}"]
    if difference.category_changed is not None:
        changed.append(count(difference.category_changed, "category", "categories"))
    lines.append(("Changed", " and ".join(changed)))
    before, after = difference.mean_before, difference.mean_after
    if before is not None and after is not None:
        lines.append(("Mean score", f"{100 * before:.1f} % before, {100 * after:.1f} % after"))
    for name, number, style in (
        ("Now unreadable", difference.now_unreadable, "red"),
        ("Now readable", difference.now_readable, "green"),
        ("Only before", difference.only_before, "yellow"),
        ("Only after", difference.only_after, "yellow"),
    ):
        if number:
            lines.append((name, Text(count(number, "image"), style=style)))
    return lines


def _pairs(
    heading: str, pairs: Sequence[Pair], nothing: str, page: Page
) -> Iterator[RenderableType]:
    if not pairs:
        return
    shown = pairs[: page.shown(len(pairs))]
    most = max((page.width - 13) // 2, 8)
    table = heading_table([heading, "After"], ["Images"])
    befores, afters = ([getattr(each, name) or nothing for each in shown]
                       for name in ("before", "after"))  # fmt: skip
    widths = name_width(befores, heading, most), name_width(afters, "After", most)
    for each, before, after in zip(shown, befores, afters, strict=True):
        table.add_row(name_text(before, widths[0]), name_text(after, widths[1]), f"{each.count:,}")
    yield from section(table, len(pairs), len(shown))


def _classes(difference: Difference, page: Page) -> Iterator[RenderableType]:
    classes = difference.classes
    if not classes:
        return
    shown = classes[: page.shown(len(classes))]
    names = [each.name or NO_LABEL for each in shown]
    width = name_width(names, "Class", space(page.width, 7, 7, 7, 7))
    table = heading_table(["Class"], ["Before", "After", "Gained", "Lost"])
    for name, each in zip(names, shown, strict=True):
        table.add_row(
            name_text(name, width),
            f"{each.before:,}",
            f"{each.after:,}",
            _signed("+", each.gained, "green"),
            _signed("-", each.lost, "red"),
        )
    yield from section(table, len(classes), len(shown))


def _signed(sign: str, number: int, style: str) -> Text:
    return Text(f"{sign}{number:,}", style=style) if number else Text("-", style="dim")


def _most_changed_labels(difference: Difference, page: Page) -> Iterator[RenderableType]:
    changes = difference.most_changed_labels
    if not changes:
        return
    has_scores = page.width >= NARROW
    scores = [
        widest(plain_score(getattr(each, name)) for each in changes)
        for name in ("before_score", "after_score")
    ] * has_scores
    most = max(min(page.width // 5, 22), 8)
    befores = name_width([each.before or NO_LABEL for each in changes], "Before", most)
    afters = name_width([each.after or NO_LABEL for each in changes], "After", most)
    rest = space(page.width, befores, afters, *scores)
    paths = name_width([each.path for each in changes], "Surest changes", rest)
    score = [""] * has_scores
    table = heading_table(["Surest changes", "Before", *score, "After", *score])
    for each in changes:
        cells = [name_text(each.path, paths, path=True, style="cyan")]
        for label, width, score_of in (
            (each.before, befores, each.before_score),
            (each.after, afters, each.after_score),
        ):
            cells.append(name_text(label or NO_LABEL, width))
            if has_scores:
                cells.append(score_text(score_of))
        table.add_row(*cells)
    for column in table.columns[2::2] if has_scores else ():
        column.justify = "right"
    yield from section(table, len(changes), len(changes))


def _most_changed_scores(difference: Difference, page: Page) -> Iterator[RenderableType]:
    changes = [
        each
        for each in difference.most_changed_scores
        if abs(each.after_score - each.before_score) >= _LEAST_CHANGE
    ]
    if not changes:
        return
    has_label = page.width >= NARROW
    heading = "Most changed scores" if has_label else "Changed scores"
    label = name_width([each.label for each in changes], "Label", max(page.width // 4, 8))
    scores = [
        max(6, *(len(plain_score(score)) for score in (each.before_score, each.after_score)))
        for each in changes
    ]
    rest = space(page.width, *[label] * has_label, max(scores), max(scores), 6)
    paths = name_width([each.path for each in changes], heading, rest)
    table = heading_table([heading, *["Label"] * has_label], ["Before", "After", "Change"])
    for each in changes:
        by = each.after_score - each.before_score
        table.add_row(
            name_text(each.path, paths, path=True, style="cyan"),
            *[name_text(each.label, label)] * has_label,
            score_text(each.before_score),
            score_text(each.after_score),
            Text(f"{100 * by:+.1f}", style="green" if by > 0 else "red"),
        )
    yield from section(table, len(changes), len(changes))


def difference_warnings(difference: Difference) -> Iterator[str]:
    """Yield what to know about the figures."""
    for file, repeated in (
        (difference.before, difference.repeated_before),
        (difference.after, difference.repeated_after),
    ):
        if repeated:
            paths = "a path" if repeated == 1 else f"{repeated:,} paths"
            yield f"{file!r} has {paths} in several rows: the last one counts"
