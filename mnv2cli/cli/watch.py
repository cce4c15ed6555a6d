"""``mnv2 watch``: sort, tag or classify photos as they arrive in a folder."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

import click

from mnv2cli.cli.grouping import grouped, section
from mnv2cli.cli.options.classifier import as_classifier_options
from mnv2cli.cli.options.engine import speed_options
from mnv2cli.cli.options.folders import FOLDERS, FolderChoice, folder_options
from mnv2cli.cli.options.images import image_options
from mnv2cli.cli.options.method import method_options
from mnv2cli.cli.options.model import model_options
from mnv2cli.cli.options.tags import TagChoice
from mnv2cli.cli.options.terminal import TerminalOptions, terminal_options
from mnv2cli.cli.refusals import refuse_others
from mnv2cli.cli.terminal.help import ExampleCommand, SectionOption, show_only
from mnv2cli.inference.options import ClassifierOptions
from mnv2cli.labels.imagenet import CLASS_COUNT
from mnv2cli.labels.options import LabelOptions
from mnv2cli.sources.urls import check_local
from mnv2cli.watching.options import WatchOptions

if TYPE_CHECKING:
    from mnv2cli.sorting.actions import Method

_SORTING = "Sorting"  # the section of the options for --into
EXAMPLES = (
    ("copy photos into folders such as dog, car and mountain as they arrive",
     "mnv2 watch drop --into sorted"),
    ("move them, by year and label", "mnv2 watch drop --into sorted --move --template "
     "'{year}/{label}'"),
    ("undo it, once the watch has ended", "mnv2 undo sorted"),
    ("write keywords that photo programs read", "mnv2 watch drop --tag"),
    ("append a row for each photo", "mnv2 watch drop -o labels.csv"),
    ("process the existing photos, then end; for cron", "mnv2 watch drop --into sorted --once"),
    ("watch a network drive", "mnv2 watch /mnt/camera --into sorted --poll"),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class WatchMode:
    """What is done with photos, as typed.

    Attributes:
        dest: Sort them into this folder.
        tag: Write keywords.
        embed: Write them into the photos.
        output: Append rows to this file.
        top: The number of labels in a row.
        category: Add the category to a row.
    """

    dest: str | None
    tag: bool
    embed: bool
    output: str | None
    top: int
    category: bool


_watching = section("Watching")
_results = section("Results")
_mode_options = grouped(
    "mode",
    WatchMode,
    _watching(
        "--into", "dest", type=click.Path(), metavar="DEST", help="Sort photos into this folder."
    ),
    _watching("--tag", is_flag=True, help="Write keywords into a sidecar of each photo."),
    _watching(
        "-o",
        "--output",
        type=click.Path(),
        metavar="FILE",
        help="Append rows to FILE (.csv, .jsonl).",
    ),
    _watching("--embed", is_flag=True, help="With --tag: write into the photos; needs exiftool."),
    _results(
        "-k",
        "--top",
        type=click.IntRange(1, CLASS_COUNT),
        default=5,
        metavar="N",
        help="With -o: write the N best labels of each photo.",
    ),
    _results("--category", is_flag=True, help="With -o: add the category, such as dog or car."),
)
_watch_options = grouped(
    "watching",
    WatchOptions,
    _watching("--once", is_flag=True, help="Exit once all existing photos are processed."),
    _watching(
        "--settle",
        type=click.FloatRange(min=0, min_open=True),
        default=1.0,
        metavar="SECONDS",
        help="Wait until a photo has not changed for this long.",
    ),
    _watching(
        "--patience",
        type=click.FloatRange(min=0, min_open=True),
        default=30.0,
        metavar="SECONDS",
        help="Report a photo that is still unreadable, or with --once unfinished, after this long.",
    ),
    _watching(
        "--poll",
        is_flag=True,
        help="Check for changes every second; needed on network drives.",
    ),
    _watching(
        "--rescan",
        type=click.FloatRange(min=0, min_open=True),
        default=60.0,
        metavar="SECONDS",
        help="Rescan the whole folder this often, in case a change was missed.",
    ),
    _watching("--recursive/--no-recursive", default=True, help="Watch subfolders, or not."),
    _watching(
        "--include",
        multiple=True,
        metavar="PATTERN",
        help="Use only matching files, such as '*.jpg'; repeatable.",
    ),
    _watching(
        "--exclude",
        multiple=True,
        metavar="PATTERN",
        help="Ignore matching files and folders; repeatable.",
    ),
)
_COMMON = {
    "dest", "move", "tag", "output", "once", "settle", "poll", "by", "template",
    "model", "quiet", "verbose",
}  # fmt: skip
"""The options in ``--help``; ``--help-all`` has the others."""
_ALWAYS = {"Watching", "Decoding", "Model", "Speed", "Terminal"}
_CHOICE = {"dest", "tag", "output", "embed"}


@click.command(cls=ExampleCommand, examples=EXAMPLES)
@click.argument("drop", metavar="DROP", type=click.Path(exists=True, file_okay=False))
@_mode_options
@_watch_options
@method_options(section(_SORTING))
@folder_options
@image_options
@model_options
@speed_options
@terminal_options
@as_classifier_options
def watch(
    drop: str,
    options: ClassifierOptions,
    mode: WatchMode,
    watching: WatchOptions,
    method: Method,
    folders: FolderChoice,
    terminal: TerminalOptions,
) -> None:
    """Sort, tag or classify photos as they arrive in the folder DROP.

    Existing photos are processed too. A photo is processed once it is complete: its size and
    time no longer change, no program has it open for writing, and it can be read to its end.
    Hidden files and names of transfers, such as photo.jpg.part, are ignored. Companions such as
    .xmp go with their photo.

    Ctrl-C and SIGTERM end the watch after the current photos. Nothing is done twice after a
    restart, and an interrupted run is finished first. With --into, a watch is one run with one
    journal, which mnv2 undo DEST undoes; with --tag, mnv2 undo DROP.

    Exit codes: 0 ended as asked, also if no photo arrived, 1 failed, 2 usage error, 4 with --once
    if some photos could not be read or did not become complete, 130 interrupted (with --once by the
    first Ctrl-C, otherwise by the second), 143 terminated likewise.
    """
    ctx = click.get_current_context()
    check_local(drop, "watch")
    _check(ctx, mode, folders)
    from mnv2cli.cli.watch_job import WatchJob

    screen = terminal.screen()
    job = WatchJob(drop, options, watching, screen)
    if mode.dest is not None:
        chosen = folders.for_model(options.model)
        code = job.sort(mode.dest, method, chosen.options(), chosen.labels())
    elif mode.tag:
        tags = TagChoice(
            what=None,
            threshold=folders.threshold,
            max_tags=5,
            prefix="",
            hierarchy=False,
            categories=folders.categories,
        )
        code = job.tag(tags.for_model(options.model), embed=mode.embed)
    else:
        assert mode.output is not None
        labels = LabelOptions(
            top=mode.top,
            category=mode.category or folders.categories is not None,
            categories=folders.categories,
            unknown=folders.unknown or False,
            rollup=folders.rollup,
        )
        code = job.write(mode.output, labels)
    ctx.exit(code)


show_only(watch, _COMMON)
for _param in watch.params:
    if isinstance(_param, SectionOption):
        _param.hidden = _param.name == "min_count"


def _check(ctx: click.Context, mode: WatchMode, folders: FolderChoice) -> None:
    """Check that what to do is clear, and that no option would be ignored."""
    chosen = {"--into": mode.dest is not None, "--tag": mode.tag, "-o": mode.output is not None}
    given = [option for option, is_given in chosen.items() if is_given]
    if not given:
        raise click.UsageError(
            "Choose what to do with the photos: --into DEST sorts them, --tag writes keywords, "
            "-o FILE writes rows."
        )
    if len(given) > 1:
        raise click.UsageError(
            f"{given[0]} cannot be combined with {given[1]}: choose one. Two watches can share a "
            "folder if neither moves its photos."
        )
    if mode.embed and not mode.tag:
        raise click.UsageError("--embed requires --tag.")
    if folders.min_count > 1:
        raise click.UsageError(
            "--min-count cannot be used here, as photos arrive one at a time: use mnv2 sort."
        )
    used = {
        param.name
        for param in ctx.command.params
        if getattr(param, "section", "Terminal") in _ALWAYS
    } - _CHOICE
    if mode.dest is not None:
        sections = (_SORTING, FOLDERS)
        own = {p.name for p in ctx.command.params if getattr(p, "section", "") in sections}
        refuse_others(ctx, used | own | {"dest"}, "--into")
    elif mode.tag:
        refuse_others(ctx, used | {"tag", "embed", "threshold", "categories"}, "--tag")
    else:
        own = {"output", "top", "category", "categories", "unknown", "rollup"}
        refuse_others(ctx, used | own, "-o")
    if mode.dest is not None and os.path.lexists(mode.dest) and not os.path.isdir(mode.dest):
        raise click.UsageError(f"{mode.dest!r} is a file: --into requires a folder.")
