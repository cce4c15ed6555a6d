"""``mnv2 tag``: write keywords where photo programs look for them, with undo."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import click

from mnv2cli.cli.grouping import grouped, section
from mnv2cli.cli.inputs import check_inputs
from mnv2cli.cli.options.classifier import as_classifier_options
from mnv2cli.cli.options.engine import speed_options
from mnv2cli.cli.options.images import image_options
from mnv2cli.cli.options.inputs import input_options
from mnv2cli.cli.options.model import model_options
from mnv2cli.cli.options.plan import plan_file_options
from mnv2cli.cli.options.tags import KEYWORDS, TagChoice, tag_options
from mnv2cli.cli.options.terminal import TerminalOptions, terminal_options
from mnv2cli.cli.refusals import refuse_others
from mnv2cli.cli.terminal.help import ExampleCommand, SectionOption
from mnv2cli.cli.types import RESULTS_FILE
from mnv2cli.errors import ExitCode
from mnv2cli.results.check import existing_folder
from mnv2cli.sources.urls import check_local
from mnv2cli.tagging.actions import WriteOptions
from mnv2cli.tagging.options import PlaceOptions, Style

if TYPE_CHECKING:
    from mnv2cli.inference.options import ClassifierOptions
    from mnv2cli.sources.options import Inputs

EXAMPLES = (
    ("preview: the keywords, and how many photos each would get", "mnv2 tag photos --dry-run"),
    ("write category and label into a sidecar of each photo", "mnv2 tag photos"),
    ("undo it", "mnv2 undo photos"),
    ("write into the photos themselves (needs exiftool)", "mnv2 tag photos --embed"),
    ("write the results of an earlier run, without classifying again",
     "mnv2 tag --from labels.csv"),
    ("your own classes, and only if the score is high",
     "mnv2 tag photos --model mine.keras --threshold 0.8"),
    ("tag again with a better model: only keywords that mnv2 wrote are replaced",
     "mnv2 tag photos --refresh --accurate"),
    ("remove what mnv2 wrote, and nothing else", "mnv2 tag photos --remove"),
    ("write a plan, edit it, then apply it",
     "mnv2 tag photos --plan plan.csv && mnv2 tag --apply plan.csv"),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class TagMode:
    """Where keywords come from and go to, as typed.

    Attributes:
        results: A file of results to take labels from; None to classify the photos now.
        embed: Write into the photos.
        sidecar_style: How new sidecars are named; None for the default.
        refresh: Also tag photos again that have keywords of an earlier run.
        remove: Remove the keywords of earlier runs.
        touch: Let the modification time of photos change.
        dry_run: Show the plan and change nothing.
        write_to: Write the plan to this file and change nothing else.
        apply: Apply the plan in this file.
    """

    results: str | None = None
    embed: bool = False
    sidecar_style: str | None = None
    refresh: bool = False
    remove: bool = False
    touch: bool = False
    dry_run: bool = False
    write_to: str | None = None
    apply: str | None = None

    @property
    def is_preview(self) -> bool:
        """Whether the run changes no file."""
        return self.dry_run or self.write_to is not None

    def place(self) -> PlaceOptions:
        """Return which files are written."""
        return PlaceOptions(self.embed, _STYLES[self.sidecar_style or ""], self.refresh)

    def write(self, tags: TagChoice) -> WriteOptions:
        """Return how they are written."""
        return WriteOptions(tags.hierarchy, self.touch)


_STYLES: dict[str, Style] = {"": "full", "photo.jpg.xmp": "full", "photo.xmp": "stem"}


_TAGGING = "Tagging"
_tagging = section(_TAGGING)
_mode_options = grouped(
    "mode",
    TagMode,
    _tagging(
        "--embed",
        is_flag=True,
        help="Write into the photos, not into sidecars; needs exiftool.",
    ),
    _tagging(
        "--from",
        "results",
        type=RESULTS_FILE,
        metavar="FILE",
        help="Take labels from the results of mnv2 classify in FILE.  [default: classify now]",
    ),
    _tagging(
        "--refresh",
        is_flag=True,
        help="Replace the keywords that earlier runs wrote.",
    ),
    _tagging(
        "--remove",
        is_flag=True,
        help="Remove the keywords that earlier runs wrote.",
    ),
    _tagging("--dry-run", is_flag=True, help="Show the keywords as a tree; change nothing."),
    plan_file_options(_tagging),
    _tagging(
        "--sidecar-style",
        type=click.Choice(list(filter(None, _STYLES))),
        metavar="STYLE",
        help="Name new sidecars photo.jpg.xmp or photo.xmp; if there is one of either name, it is "
        "used.  [default: photo.jpg.xmp]",
    ),
    _tagging(
        "--touch",
        is_flag=True,
        help="With --embed: let the modification time of the photos change.",
    ),
)
_ADVANCED = {"hierarchy", "max_tags", "categories", "sidecar_style", "touch"}
_OWN_SECTIONS = (_TAGGING, KEYWORDS)
_WITH_APPLY = {"apply", "dry_run", "quiet", "verbose"}
_WITH_REMOVE = {"remove", "embed", "touch", "dry_run", "write_to", "quiet", "verbose"}


@click.command(
    cls=ExampleCommand,
    examples=EXAMPLES,
    hints={
        "--into": "Sidecars go beside their photos; --embed writes into the photos.",
        "--by": "To choose what is written: --what category, label or both.",
    },
)
@input_options
@_mode_options
@tag_options
@image_options
@model_options
@speed_options
@terminal_options
@as_classifier_options
def tag(
    inputs: Inputs,
    options: ClassifierOptions,
    mode: TagMode,
    tags: TagChoice,
    terminal: TerminalOptions,
) -> None:
    """Write what photos show as keywords, where photo programs look for them.

    Keywords go into an XMP sidecar beside each photo, and the photo is not changed; --embed writes
    them into the photo, by exiftool. Whatever else is there stays, such as your own keywords: mnv2
    records in the same place which words it added, and --refresh and --remove change only these.
    Photos that have some already are skipped.

    A journal in FOLDER/.mnv2 records every step, and mnv2 undo FOLDER restores each file byte for
    byte. FOLDER is the PATH, or the deepest folder that has all the photos. To finish an
    interrupted run, run the same command again.

    Exit codes: 0 all done, 1 some photos could not be tagged, 2 usage error, 3 no images found, 4
    done but some images could not be read, 130 interrupted, 143 terminated.
    """
    ctx = click.get_current_context()
    _check(ctx, inputs, mode)
    if mode.results is not None and tags.has_categories():
        raise click.UsageError(
            f"The categories in {tags.categories!r} cannot be combined with --from: use them with "
            "mnv2 classify, which writes the categories into its results. The section [tags] can "
            "be used."
        )
    if mode.results is None and mode.apply is None and not mode.remove:
        tags = tags.for_model(options.model)
    options, wanted = replace(options, labels=tags.labels()), tags.options()
    from mnv2cli.cli.tag_job import apply, save, show
    from mnv2cli.cli.tag_plans import TagPlans
    from mnv2cli.tagging.exiftool import find_exiftool
    from mnv2cli.tagging.plan_file import read_plan

    screen = terminal.screen()
    plans = TagPlans(screen, mode.place(), mode.write(tags), is_preview=mode.is_preview)
    if mode.embed:
        find_exiftool()
    if mode.apply is not None:
        job = plans.ready(read_plan(mode.apply))
    elif mode.remove:
        job = plans.removal(inputs)
    elif mode.results is not None:
        job = plans.from_results(mode.results, wanted)
    else:
        job = plans.classified(inputs, options, wanted)
    code = ExitCode.DONE
    if job.plan.failures and mode.apply is None:
        code = ExitCode.SOME_UNREADABLE
    if mode.write_to is not None:
        save(job, mode.write_to, screen)
    elif mode.dry_run:
        show(job, screen)
    elif apply(job, screen).failed:
        code = ExitCode.FAILED
    ctx.exit(code)


for _param in tag.params:
    if isinstance(_param, SectionOption):
        _is_own = _param.section in _OWN_SECTIONS or _param.section == "Terminal"
        _param.advanced = not _is_own or _param.name in _ADVANCED


def _check(ctx: click.Context, inputs: Inputs, mode: TagMode) -> None:
    """Check that options can be combined, and that none would be ignored."""
    for path in inputs.paths:
        check_local(path, "tag")
    given = bool(inputs.paths) or inputs.list_file is not None
    if given + (mode.results is not None) + (mode.apply is not None) > 1:
        raise click.UsageError("PATH, --from and --apply cannot be combined: choose one.")
    if mode.write_to is not None and mode.dry_run:
        raise click.UsageError(
            "--dry-run cannot be combined with --plan, which changes no photo either."
        )
    if mode.write_to is not None and os.path.lexists(mode.write_to):
        raise click.UsageError(f"{mode.write_to!r} already exists: name another file for --plan.")
    if mode.write_to is not None:
        existing_folder(mode.write_to, "the plan ")
    if mode.apply is not None:
        refuse_others(ctx, _WITH_APPLY, "--apply: the plan decides what each photo gets")
        return
    if mode.remove and mode.refresh:
        raise click.UsageError("--refresh cannot be combined with --remove: choose one.")
    if mode.remove:
        images = _names(ctx, "Images")
        refuse_others(ctx, images | _WITH_REMOVE, "--remove: no keyword is written")
    if mode.embed and mode.sidecar_style is not None:
        raise click.UsageError("--sidecar-style cannot be combined with --embed: choose one.")
    if mode.touch and not mode.embed:
        raise click.UsageError(
            "--touch requires --embed: a sidecar does not change the time of its photo."
        )
    if mode.results is None:
        check_inputs(inputs)
    else:
        used = _names(ctx, *_OWN_SECTIONS, "Terminal")
        refuse_others(ctx, used, "--from: no image is classified again")


def _names(ctx: click.Context, *sections: str) -> set[str | None]:
    """Return the parameters of some sections of the help."""
    params = ctx.command.params
    return {param.name for param in params if getattr(param, "section", "") in sections}
