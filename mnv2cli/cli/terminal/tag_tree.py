"""The plan of ``mnv2 tag`` as a tree of keywords, or in one line."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from rich.text import Text
from rich.tree import Tree

from mnv2cli.cli.terminal.console import PlainConsole
from mnv2cli.cli.terminal.tag_text import WaysOut, files_text, left_lines, photos_of, unsure_text
from mnv2cli.cli.terminal.text import printable
from mnv2cli.system.messages import count
from mnv2cli.tagging.actions import TagAction, TagPlan

Path = tuple[str, ...]


def plan_summary(plan: TagPlan, skipped: int = 0) -> str:
    """Return the summary of a plan in one line.

    Args:
        plan: The plan.
        skipped: The number of photos that were skipped and are not in the plan.
    """
    photos = photos_of(plan)
    more = [action for action in plan.work if action.tags is not None]
    less = [action for action in plan.work if action.tags is None]
    parts = []
    if more or not less:
        text = count(len(photos.tagged), "photo")
        if more:
            words = {word for action in more if action.tags for word in action.tags.keywords}
            text += f", {count(len(words), 'keyword')}, into {files_text(more)}"
        parts.append(text)
    if less:
        text = count(len(photos.removed | {action.source for action in less}), "photo")
        parts.append(f"{text}, keywords removed from {files_text(less)}")
    text = "; ".join(parts)
    skipped += len(photos.skipped)
    if skipped:
        text += f"; {skipped:,} tagged already"
    if photos.untagged:
        text += f"; {len(photos.untagged):,} without keywords of mnv2"
    if left := len(photos.failed | photos.unsure | photos.left):
        text += f"; {left:,} left as " + ("it is" if left == 1 else "they are")
    return text


def print_plan(
    plan: TagPlan, skipped: int = 0, ways_out: WaysOut | None = None, *, verbose: bool
) -> None:
    """Print the keywords of a plan, and the photos without any, on standard output.

    Args:
        plan: The plan.
        skipped: The number of photos that were skipped and are not in the plan.
        ways_out: How to tag the photos that get no keywords.
        verbose: Print every file with its keywords, and every photo left as it is.
    """
    console = PlainConsole(highlight=False)
    work = plan.work
    tree = _tree(plan.root, work)
    if tree.children:
        console.print(tree)
    lines = []
    for action in work if verbose else []:
        words = ", ".join(action.tags.keywords) if action.tags else "keywords removed"
        lines.append(Text.assemble(printable(action.file), (f"  {printable(words)}", "dim")))
    lines.append(Text(f"Dry run, nothing was changed: {plan_summary(plan, skipped)}."))
    if unsure := unsure_text(plan, (ways_out or WaysOut()).unsure, " without keywords"):
        lines.append(Text(f"{unsure}.", style="yellow"))
    lines += [Text(printable(line), style="dim") for line in left_lines(plan, verbose=verbose)]
    for line in lines:  # wrapped between words for people, whole lines for programs
        console.print(line, soft_wrap=not console.is_terminal)


def _tree(root: str, actions: Iterable[TagAction]) -> Tree:
    """Return the keywords as a tree, each with the number of photos that get it."""
    photos: Counter[Path] = Counter()
    for action in actions:
        if action.tags is None:
            continue
        ends = action.tags.paths or tuple((word,) for word in action.tags.keywords)
        photos.update({path[: i + 1] for path in ends for i in range(len(path))})
    made = Tree(Text(printable(root), style="bold"), guide_style="dim")
    nodes: dict[Path, Tree] = {(): made}
    # By level, then the most frequent first, as the parents have to exist.
    for path, number in sorted(
        photos.items(), key=lambda item: (len(item[0]), -item[1], item[0][-1].casefold())
    ):
        label = Text.assemble((printable(path[-1]), "cyan"), f"  {number:,}")
        nodes[path] = nodes[path[:-1]].add(label)
    return made
