"""The plan of ``mnv2 sort`` as a tree of folders, or in one line."""

from __future__ import annotations

import os

from rich.text import Text
from rich.tree import Tree

from mnv2cli.cli.terminal.console import PlainConsole
from mnv2cli.cli.terminal.text import printable, size_text
from mnv2cli.cli.terminal.unsure import unsure_text
from mnv2cli.sorting.actions import Action, Plan, count_photos
from mnv2cli.sorting.placement import UNSURE
from mnv2cli.system.messages import count, count_shots

_MAX_SHOWN = 5


def plan_summary(plan: Plan) -> str:
    """Return the summary of a plan in one line."""
    photos, folders = count_photos(plan.work), count(len(plan.folders()), "folder")
    text = f"{count_shots(*photos)}, {size_text(plan.size)}, into {folders}"
    if skipped := plan.skipped:
        text += f"; {count_shots(*count_photos(skipped))} already there"
    if plan.left:
        text += f"; {len(plan.left):,} left in place"
    return text


def unsure_line(plan: Plan) -> str:
    """Return the sentence on the photos that a plan puts into ``unsure``; empty without any."""
    way_out = "add --threshold 0" if plan.by_default else ""
    text = unsure_text(plan.work, way_out)
    return f"{UNSURE}/ gets {text}." if text else ""


def print_tree(plan: Plan, *, verbose: bool) -> None:
    """Print the folders of a plan, and the photos left in place, on standard output.

    Args:
        plan: The plan.
        verbose: Print every file, and every photo left in place.
    """
    console = PlainConsole(highlight=False)
    tree = _tree(plan, verbose=verbose)
    if tree.children:
        console.print(tree)
    lines = [Text(f"Dry run, nothing was changed: {plan_summary(plan)}.")]
    if unsure := unsure_line(plan):
        lines.append(Text(unsure, style="yellow"))
    shown = plan.left if verbose else plan.left[:_MAX_SHOWN]
    for action in shown:
        lines.append(Text(printable(f"left  {action.source}: {action.reason}"), style="dim"))
    if len(plan.left) > len(shown):
        more = len(plan.left) - len(shown)
        lines.append(Text(f"and {more:,} more; -v shows all", style="dim"))
    for line in lines:  # wrapped between words for people, whole lines for programs
        console.print(line, soft_wrap=not console.is_terminal)


def _tree(plan: Plan, *, verbose: bool) -> Tree:
    root = Tree(Text(printable(plan.dest), style="bold"), guide_style="dim")
    nodes: dict[str, Tree] = {}
    actions: dict[str, list[Action]] = {}
    for action in plan.work:
        actions.setdefault(action.folder, []).append(action)
    for folder, (photos, size) in plan.folders().items():
        node, path = root, ""
        for part in folder.split("/"):
            path = f"{path}/{part}" if path else part
            if path not in nodes:
                nodes[path] = node.add(Text(printable(part), style="cyan"))
            node = nodes[path]
        node.label = Text.assemble(
            (printable(folder.rpartition("/")[2]), "cyan"), f"  {photos:,}  {size_text(size)}"
        )
        for action in actions[folder] if verbose else []:
            name = printable(os.path.basename(action.target))
            node.add(Text.assemble(name, (f"  {printable(action.source)}", "dim")))
    return root
