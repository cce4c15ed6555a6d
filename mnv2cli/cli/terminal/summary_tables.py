"""The figures of a results file on the terminal."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from rich.table import Table
from rich.text import Text

from mnv2cli.cli.terminal.bars import bar, columns
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
from mnv2cli.cli.terminal.text import printable
from mnv2cli.system.messages import count, share_text

if TYPE_CHECKING:
    from rich.console import RenderableType

    from mnv2cli.reporting.summary import Count, Folder, Group, Scores, Summary

_NAME = 30
_LEAST_MEAN = 48  # the narrowest terminal with the mean scores of folders
_BAR = 20
_HEIGHT = 4
_CELL = 2  # of a bin; with the gaps a histogram has 29 cells
_AXIS = "0 %         50 %        100 %"
_WIDE = 64  # the narrowest terminal with two histograms side by side


def summary_renderables(summary: Summary, page: Page) -> Iterator[RenderableType]:
    """Yield what to print of a summary."""
    yield headline(_lines(summary))
    yield from _errors(summary, page)
    yield from _groups("Category", summary.categories or (), page)
    yield from _groups("Label", summary.labels, page)
    yield from _groups("Node", summary.nodes or (), page)
    if summary.scores and summary.margins:
        yield Text()
        yield _histograms(summary.scores, summary.margins, page)
    yield from _least_sure(summary, page)
    yield from _folders(summary, page)


def _lines(summary: Summary) -> list[tuple[str, str | Text]]:
    lines: list[tuple[str, str | Text]] = [("Results", summary.file)]
    lines += model_lines("Model", summary.models)
    images = Text(f"{summary.images:,}")
    if summary.unreadable:
        images.append(", of which ").append(f"{summary.unreadable:,} could not be read", "red")
    lines.append(("Images", images))
    if not summary.labels:
        return lines
    lines.append(("Labels", f"{len(summary.labels):,} different ones{_lacking(summary)}"))
    if summary.categories is not None:
        lacking = summary.uncategorised
        text = f"; {count(lacking, 'image')} without one" if lacking else ""
        lines.append(("Categories", f"{len(summary.categories):,} different ones{text}"))
    return lines


def _lacking(summary: Summary) -> str:
    if not summary.unlabelled:
        return ""
    return f"; {count(summary.unlabelled, 'image')} without one, below --min-score"


def model_lines(name: str, models: Sequence[Count]) -> list[tuple[str, str | Text]]:
    """Return the line of the models of a file, with the images of each if there are several."""
    if not models:
        return []
    if len(models) == 1:
        return [(name, models[0].name)]
    return [(f"{name}s", ", ".join(f"{each.name} ({each.count:,})" for each in models))]


def _errors(summary: Summary, page: Page) -> Iterator[RenderableType]:
    if not summary.errors:
        return
    shown = summary.errors[: page.shown(len(summary.errors))]
    width = name_width([each.name for each in shown], "Unreadable", space(page.width, 7))
    table = heading_table(["Unreadable"], ["Images"])
    for each in shown:
        table.add_row(name_text(each.name, width, style="red"), f"{each.count:,}")
    yield from section(table, len(summary.errors), len(shown))


def _groups(heading: str, groups: Sequence[Group], page: Page) -> Iterator[RenderableType]:
    if not groups:
        return
    shown = groups[: page.shown(len(groups))]
    total = sum(each.count for each in groups)
    width = name_width(
        [each.name for each in shown], heading, min(_NAME, space(page.width, 7, 7, 10))
    )
    bar_width = min(_BAR, page.width - width - 36)
    table = heading_table([heading], ["Images", "Share", "Mean score"])
    if bar_width > 3:
        table.add_column("", no_wrap=True, width=bar_width)
    largest = max(each.count for each in groups)
    for each in shown:
        share = share_text(each.count / total)
        cells = [name_text(each.name, width), Text(f"{each.count:,}"), Text(share)]
        cells.append(score_text(each.mean_score))
        if bar_width > 3:
            shown_bar = bar(each.count / largest, bar_width, ascii_only=page.ascii_only)
            cells.append(Text(shown_bar, style="cyan"))
        table.add_row(*cells)
    yield from section(table, len(groups), len(shown))


def _histograms(scores: Scores, margins: Scores, page: Page) -> Table:
    """Return the histograms of scores and margins: side by side if there is space."""
    parts = [
        _histogram("Score of the best label", scores, page),
        _histogram("Lead over the second label", margins, page),
    ]
    table = Table.grid(padding=(0, 6, 0, 0))
    if page.width >= _WIDE:
        table.add_row(*parts)
        return table
    for part in parts:
        if part is not parts[0]:
            table.add_row("")
        table.add_row(part)
    return table


def _histogram(title: str, scores: Scores, page: Page) -> Text:
    lines = columns(scores.histogram, _HEIGHT, _CELL, ascii_only=page.ascii_only)
    return Text.assemble(
        (f"{title}\n", "bold"),
        ("\n".join(lines), "cyan"),
        (f"\n{_AXIS}\n", "dim"),
        f"mean {100 * scores.mean:.1f} %, median {100 * scores.median:.1f} %",
        no_wrap=True,
    )


def _least_sure(summary: Summary, page: Page) -> Iterator[RenderableType]:
    unsure = summary.least_sure
    if not unsure:
        return
    is_wide = page.width >= NARROW
    most = max(min(page.width // 5, 22), 8)
    firsts = name_width([each.label for each in unsure], "Label", most)
    seconds = name_width([each.second for each in unsure], "Second", most)
    lasts = ["" if each.second_score is None else plain_score(each.second_score) for each in unsure]
    used = [firsts, widest(plain_score(each.score) for each in unsure)]
    used += [seconds, widest(lasts)] if is_wide else []
    paths = name_width([each.path for each in unsure], "Least sure", space(page.width, *used))
    table = heading_table(["Least sure", "Label", "", *(["Second", ""] if is_wide else [])])
    for column in table.columns[2::2]:
        column.justify = "right"
    for each, last in zip(unsure, lasts, strict=True):
        cells = [
            name_text(each.path, paths, path=True, style="cyan"),
            name_text(each.label, firsts),
            Text(plain_score(each.score)),
            name_text(each.second, seconds, style="dim"),
            Text(last, style="dim"),
        ]
        table.add_row(*cells[: len(table.columns)])
    yield from section(table, len(unsure), len(unsure))


def _folders(summary: Summary, page: Page) -> Iterator[RenderableType]:
    folders = summary.folders
    shown = folders[: page.shown(len(folders))]
    names = [each.folder or "." for each in shown]
    has_errors = summary.unreadable > 0
    has_labels = bool(summary.labels)
    has_most = has_labels and page.width >= NARROW
    has_mean = has_labels and page.width >= _LEAST_MEAN
    most = name_width([each.most for each in shown], "Mostly", max(min(page.width // 4, 24), 8))
    shares = [_most_share(each) for each in shown]
    used = [max(6, len(f"{shown[0].images:,}"))] + [10] * has_errors
    used += [most, widest(shares)] * has_most + [10] * has_mean
    width = name_width(names, "Folder", space(page.width, *used))
    table = heading_table(["Folder"], ["Images", *(["Unreadable"] if has_errors else [])])
    if has_most:
        table.add_column("Mostly", no_wrap=True)
        table.add_column("", no_wrap=True, justify="right")
    if has_mean:
        table.add_column("Mean score", no_wrap=True, justify="right")
    for name, each, share in zip(names, shown, shares, strict=True):
        cells = [name_text(name, width, path=True, style="cyan"), Text(f"{each.images:,}")]
        if has_errors:
            bad = f"{each.unreadable:,}" if each.unreadable else "-"
            cells.append(Text(bad, style="red" if each.unreadable else "dim"))
        if has_most:
            cells.append(name_text(each.most, most))
            cells.append(Text(share, style="dim"))
        if has_mean:
            cells.append(score_text(each.mean_score))
        table.add_row(*cells)
    yield from section(table, len(folders), len(shown))


def _most_share(folder: Folder) -> str:
    """Return the share of the most frequent name among the images that could be read."""
    read = folder.images - folder.unreadable
    return share_text(folder.most_count / read) if folder.most and read else ""


def summary_warnings(summary: Summary) -> Iterator[str]:
    """Yield what to know about the figures."""
    if summary.repeated:
        rows = count(summary.repeated, "row")
        verb = "repeats a path" if summary.repeated == 1 else "repeat paths"
        yield printable(f"{rows} of {summary.file!r} {verb} of earlier rows, and counts again")
