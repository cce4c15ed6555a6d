"""``mnv2 sort``: photos into class folders, planned first, and every step can be taken back."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from typing import TYPE_CHECKING, Any

import click

from mnv2cli.cli.classify import check_inputs, classify_inputs, make_classifier, no_images
from mnv2cli.cli.options import (
    image_options,
    input_options,
    model_options,
    section,
    speed_options,
    terminal_options,
)
from mnv2cli.cli.terminal.help import ExampleCommand
from mnv2cli.cli.terminal.interrupts import Interrupts
from mnv2cli.errors import ExitCode, InputError, OutputError
from mnv2cli.inference.report import Report
from mnv2cli.sources.urls import is_url, redact

if TYPE_CHECKING:
    from mnv2cli.cli.terminal.screen import Screen
    from mnv2cli.records import Record, Source
    from mnv2cli.sorting.apply import Outcome
    from mnv2cli.sorting.folders import Folders
    from mnv2cli.sorting.plan import Action, How, Plan

EXAMPLES = (
    ("what would happen", "mnv2 sort photos --into sorted --dry-run"),
    ("copies in folders such as dog, car and mountain", "mnv2 sort photos --into sorted"),
    ("moved, by year and label; the unsure ones apart",
     "mnv2 sort photos --into sorted --move --template '{year}/{label}' --threshold 0.5"),
    ("by results of an earlier run, without looking at the photos again",
     "mnv2 sort --from labels.csv --into sorted --by label --symlink"),
    ("look at the plan, edit it, carry it out",
     "mnv2 sort photos --into sorted --plan plan.csv && mnv2 sort --apply plan.csv --into sorted"),
    ("take it all back", "mnv2 undo sorted"),
)  # fmt: skip

_sorting, _folders = section("Sorting"), section("Folders")


@click.command(
    cls=ExampleCommand, examples=EXAMPLES, short_help="Put photos into class folders, safely."
)
@input_options
@_sorting(
    "--into",
    "dest",
    required=True,
    type=click.Path(),
    metavar="DEST",
    help="The folder that gets the class folders; made if it is not there.",
)
@_sorting("--move", "how", flag_value="move", help="Move photos instead of copying them.")
@_sorting(
    "--symlink", "how", flag_value="symlink", help="Make symbolic links, relative if possible."
)
@_sorting("--hardlink", "how", flag_value="hardlink", help="Make hard links: no room is needed.")
@_sorting("--copy", "how", flag_value="copy", default="copy", help="Copy photos.")
@_sorting(
    "--from",
    "results",
    type=click.Path(exists=True, dir_okay=False),
    metavar="FILE",
    help="Sort by results that mnv2 classify wrote (.csv, .json, .jsonl).  [default: classify now]",
)
@_sorting("--dry-run", is_flag=True, help="Show the plan as a tree, and change nothing.")
@_sorting(
    "--plan",
    "plan_file",
    type=click.Path(dir_okay=False),
    metavar="FILE",
    help="Write the plan as CSV, to be edited by hand, and change nothing else.  [default: carry "
    "it out]",
)
@_sorting(
    "--apply",
    "apply_file",
    type=click.Path(exists=True, dir_okay=False),
    metavar="FILE",
    help="Carry out a plan that --plan wrote, once it is checked again.  [default: make one]",
)
@_folders(
    "--by",
    type=click.Choice(["category", "label", "wnid"]),
    help="What folders are named after.  [default: category]",
)
@_folders(
    "--template",
    metavar="TEXT",
    help="Names of folders, with {category}, {label}, {wnid}, {node}, {year}, {month}, "
    "{score:.1f} and {model} filled in; / goes into a folder.  [default: by --by]",
)
@_folders(
    "--rollup",
    type=click.FloatRange(0, 1, min_open=True),
    metavar="P",
    help="The most exact name whose score reaches this: spaniel, else dog, else animal.  "
    "[default: no]",
)
@_folders(
    "--categories",
    type=click.Path(exists=True, dir_okay=False),
    metavar="FILE",
    help="Your own categories, a TOML file as mnv2 labels --toml prints it.  [default: the "
    "built-in ones]",
)
@_folders(
    "--threshold",
    type=click.FloatRange(0, 1),
    default=0.0,
    metavar="P",
    help="Photos with a score below this go to the folder unsure.",
)
@_folders(
    "--margin",
    type=click.FloatRange(0, 1),
    default=0.0,
    metavar="M",
    help="Those whose score is less than this ahead of the next one, too.",
)
@_folders(
    "--min-count",
    type=click.IntRange(min=1),
    default=1,
    metavar="N",
    help="Classes with fewer photos go to the folder other.",
)
@image_options
@model_options
@speed_options
@terminal_options
def sort(
    paths: tuple[str, ...],
    files_from: str | None,
    null: bool,
    dest: str,
    how: How,
    results: str | None,
    dry_run: bool,
    plan_file: str | None,
    apply_file: str | None,
    by: str | None,
    template: str | None,
    threshold: float,
    margin: float,
    min_count: int,
    quiet: bool,
    verbose: bool,
    **options: Any,
) -> None:
    """Put the photos of files, folders and globs into folders named after what they show.

    Photos are copied unless you say otherwise. Nothing is ever overwritten: what is there already
    is left alone, another photo of the same name gets a number. Files of the same name that belong
    to a photo (.xmp, .aae, raw files, .mov of Live Photos) go with it. Photos that cannot be read
    stay where they are. Every step is in a journal in DEST/.mnv2, and mnv2 undo DEST takes it back;
    a run that was interrupted is finished by running it again.

    Exit codes: 0 all done, 1 some could not be sorted, 2 usage, 3 no images found, 4 done but some
    images could not be read, 130 interrupted.
    """
    _check(paths, files_from, null, results, apply_file, plan_file, dry_run, options)
    from mnv2cli.cli.terminal.screen import Screen
    from mnv2cli.sorting.apply import check_room, earlier_moves
    from mnv2cli.sorting.plan import read_plan, write_plan

    _check_local(dest)
    if os.path.lexists(dest) and not os.path.isdir(dest):
        raise click.UsageError(f"{dest!r} is a file: --into needs a folder.")
    screen = Screen(quiet=quiet, verbose=verbose)
    before = [] if dry_run or plan_file else _finish(dest, screen)
    if apply_file is not None:
        plan = read_plan(apply_file, dest, earlier_moves(os.path.abspath(dest)))
    else:
        folders = _make_folders(by, template, threshold, margin, options)
        if results is None:
            records = _classified(paths, files_from, null, dest, folders, options, screen)
        else:
            from mnv2cli.results.read import read_results

            records = read_results(results)
        plan = _plan(records, dest, how, folders, min_count)
        if not plan.actions:
            raise no_images(Report())
    if plan_file is not None:
        try:
            write_plan(plan, plan_file)
        except OSError as error:
            raise OutputError(f"{plan_file!r} cannot be written: {error.strerror}") from error
        screen.notice(
            f"The plan is in {plan_file}: {_summary(plan)}. Carry it out with --apply.", ""
        )
    elif dry_run:
        _print_tree(plan, verbose=verbose)
    else:
        check_room(plan)
        _carry_out(plan, before, screen)
    left = [action for action in plan.left if "in the destination" not in action.reason]
    code = ExitCode.SOME_UNREADABLE if left and apply_file is None else ExitCode.DONE
    click.get_current_context().exit(code)


def _check(
    paths: tuple[str, ...],
    files_from: str | None,
    null: bool,
    results: str | None,
    apply_file: str | None,
    plan_file: str | None,
    dry_run: bool,
    options: dict[str, Any],
) -> None:
    for path in paths:
        _check_local(path)
    inputs = bool(paths) or files_from is not None
    if inputs + (results is not None) + (apply_file is not None) > 1:
        raise click.UsageError("Photos come from paths, from --from or from --apply: choose one.")
    if results is None and apply_file is None:
        check_inputs(paths, files_from, null)
    if results is not None and options["categories"]:
        raise click.UsageError(
            "Categories are found when photos are looked at: give --categories to mnv2 classify "
            "--category, which writes the results."
        )
    if results is not None and options["rollup"]:
        raise click.UsageError(
            "Nodes are found when photos are looked at: give --rollup to mnv2 classify, and "
            "--template '{node}' here."
        )
    if plan_file is not None and (dry_run or apply_file is not None):
        raise click.UsageError("--plan changes nothing anyway: leave out --dry-run and --apply.")
    if plan_file is not None and os.path.lexists(plan_file):
        raise click.UsageError(f"{plan_file!r} exists: name another file for --plan.")


def _check_local(path: str) -> None:
    if is_url(path):
        raise InputError(
            f"sort moves files on this machine: {redact(path)!r} is elsewhere",
            "Copy the photos here first; mnv2 classify reads them where they are.",
        )


def _make_folders(
    by: str | None,
    template: str | None,
    threshold: float,
    margin: float,
    options: dict[str, Any],
) -> Folders:
    from mnv2cli.sorting.folders import Folders

    if template is not None and by is not None:
        raise click.UsageError("--by is a short --template: choose one.")
    if template is None:
        name = "node" if options["rollup"] and by is None else by or "category"
        template = f"{{{name}}}"
    folders = Folders(template, threshold=threshold, margin=margin, taken=_taken(options))
    if options["rollup"] and "node" not in folders.fields:
        raise click.UsageError("--rollup needs {node} in the --template, and no --by.")
    return folders


def _taken(options: dict[str, Any]) -> Callable[[str], str]:
    """Return what reads when a photo was taken, in a process of its own if that is wanted."""
    from mnv2cli.images.exif import taken_at

    if not options["isolate"]:
        return taken_at
    from mnv2cli.images.isolated import IsolatedDecoders
    from mnv2cli.images.options import ImageOptions

    limits = ImageOptions(max_pixels=options["max_pixels"], timeout=options["timeout"])
    decoders = IsolatedDecoders(0, limits)  # dates have no size
    click.get_current_context().call_on_close(decoders.close)
    return decoders.taken_at


def _classified(
    paths: tuple[str, ...],
    files_from: str | None,
    null: bool,
    dest: str,
    folders: Folders,
    options: dict[str, Any],
    screen: Screen,
) -> Iterator[Record]:
    """Yield the records of the inputs, looked at now."""
    if "node" in folders.fields and not options["rollup"]:
        raise click.UsageError("{node} needs --rollup P.")
    options["category"] = "category" in folders.fields
    report = Report()
    classifier = make_classifier(options, 2, 0.0, screen)
    inside = os.path.abspath(dest).rstrip(os.sep) + os.sep
    within = any((os.path.abspath(path) + os.sep).startswith(inside) for path in paths)

    def choose(sources: Iterator[Source]) -> Iterator[Source]:
        for source in sources:
            _check_local(source.path)
            if within or not os.path.abspath(source.path).startswith(inside):
                yield source

    records = classify_inputs(classifier, paths, files_from, null, report, screen, choose)
    with closing(records), screen.progress(None) as advance:
        for record in records:
            report.add(record)
            advance(record)
            yield record
    if not report.images:
        raise no_images(report)


def _plan(records: Iterable[Record], dest: str, how: How, folders: Folders, min_count: int) -> Plan:
    from mnv2cli.sorting.apply import earlier_moves
    from mnv2cli.sorting.plan import make_plan

    def local() -> Iterator[Record]:
        for record in records:
            _check_local(record.path)
            yield record

    moved = earlier_moves(os.path.abspath(dest))
    return make_plan(local(), dest, how, folders, min_count=min_count, moved=moved)


def _finish(dest: str, screen: Screen) -> list[tuple[str, str]]:
    """Finish what an interrupted run left, before photos are looked for: they may be elsewhere.

    Returns what could not be finished, and why.
    """
    from mnv2cli.sorting.apply import finish

    interrupts = Interrupts()
    with interrupts.watched():
        outcome = finish(dest, interrupts.held)
    if outcome.finished:
        screen.notice(f"Finished an interrupted run: {outcome.finished:,} files.", "")
    return outcome.failed


def _carry_out(plan: Plan, before: list[tuple[str, str]], screen: Screen) -> None:
    from mnv2cli.sorting.apply import Outcome, apply

    outcome = Outcome()
    try:
        interrupts = Interrupts()
        with interrupts.watched(), screen.counting("sorting", len(plan.work)) as tell:
            outcome = apply(plan, tell, interrupts.held)
    except KeyboardInterrupt:
        screen.notice(
            f"Stopped between two photos. Run the same command again to finish, or take it back: "
            f"mnv2 undo {plan.dest}",
            "",
        )
        raise
    told = {path for path, _ in outcome.failed}
    outcome.failed[:0] = [item for item in before if item[0] not in told]
    _print_outcome(plan, outcome, screen)
    if outcome.failed:
        click.get_current_context().exit(ExitCode.FAILED)


def _print_outcome(plan: Plan, outcome: Outcome, screen: Screen) -> None:
    from mnv2cli.cli.terminal.text import size_text

    verb = {"copy": "copied", "move": "moved", "symlink": "linked", "hardlink": "linked"}
    hows = sorted({verb[action.how] for action in plan.work})
    text = (
        f"{outcome.done:,} files {' and '.join(hows)} into {len(plan.folders()):,} folders of "
        f"{plan.dest}"
    )
    if "copied" in hows:
        text += f", {size_text(sum(action.size for action in plan.work))}"
    if not plan.work:
        text = f"nothing: there is nothing new for {plan.dest}"
    lines = [("Sorted", text, "")]
    skipped = sum(action.how == "skip" for action in plan.actions)
    if skipped:
        lines.append(("Unchanged", f"{skipped:,} were there already", ""))
    if plan.left:
        lines.append(("Left", f"{len(plan.left):,} stay where they are", "yellow"))
    if outcome.failed:
        lines.append(("Failed", f"{len(outcome.failed):,} stay where they are", "red"))
    if outcome.done:
        lines.append(("To undo", f"mnv2 undo {plan.dest}", ""))
    screen.lines(lines)
    for path, reason in outcome.failed[:20]:
        screen.warning(f"{path}: {reason}")
    if len(outcome.failed) > 20:
        screen.warning(f"and {len(outcome.failed) - 20:,} more")
    for action in plan.left if screen.verbose else plan.left[:5]:
        screen.notice(f"left  {action.source}: {action.reason}")


def _summary(plan: Plan) -> str:
    from mnv2cli.cli.terminal.text import size_text

    work = plan.work
    size = sum(action.size for action in work)
    text = f"{len(work):,} files, {size_text(size)}, into {len(plan.folders()):,} folders"
    skipped = sum(action.how == "skip" for action in plan.actions)
    if skipped:
        text += f"; {skipped:,} are there already"
    if plan.left:
        text += f"; {len(plan.left):,} stay where they are"
    return text


def _print_tree(plan: Plan, *, verbose: bool) -> None:
    from rich.text import Text
    from rich.tree import Tree

    from mnv2cli.cli.terminal.console import PlainConsole
    from mnv2cli.cli.terminal.text import printable, size_text

    console = PlainConsole(highlight=False)
    root = Tree(Text(printable(plan.dest), style="bold"), guide_style="dim")
    nodes: dict[str, Tree] = {}
    actions: dict[str, list[Action]] = {}
    for action in plan.work:
        actions.setdefault(action.folder, []).append(action)
    for folder, (count, size) in plan.folders().items():
        node, path = root, ""
        for part in folder.split("/"):
            path = f"{path}/{part}" if path else part
            if path not in nodes:
                nodes[path] = node.add(Text(printable(part), style="cyan"))
            node = nodes[path]
        node.label = Text.assemble(
            (printable(folder.rpartition("/")[2]), "cyan"), f"  {count:,}  {size_text(size)}"
        )
        for action in actions[folder] if verbose else []:
            name = printable(os.path.basename(action.target))
            node.add(Text.assemble(name, (f"  {printable(action.source)}", "dim")))
    if nodes:
        console.print(root)
    console.print(Text(f"Nothing was changed. To do: {_summary(plan)}."), soft_wrap=True)
    for action in plan.left if verbose else plan.left[:20]:
        console.print(
            Text(printable(f"left  {action.source}: {action.reason}"), style="dim"), soft_wrap=True
        )
    if not verbose and len(plan.left) > 20:
        console.print(Text(f"and {len(plan.left) - 20:,} more; -v shows all", style="dim"))
