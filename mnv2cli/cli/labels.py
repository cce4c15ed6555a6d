"""``mnv2 labels``: the 1,000 classes, the tree above them and the categories."""

from __future__ import annotations

import csv
import json
import sys
from typing import TYPE_CHECKING

import click

from mnv2cli.cli.grouping import section
from mnv2cli.cli.terminal.help import ExampleCommand
from mnv2cli.errors import InputError

if TYPE_CHECKING:
    from mnv2cli.labels.categories import Categories

EXAMPLES = (
    ("list the categories and their classes", "mnv2 labels"),
    ("write all classes as a table", "mnv2 labels --csv > labels.csv"),
    ("show the tree below a node", "mnv2 labels --tree canine"),
    ("check a file of categories", "mnv2 labels --categories mine.toml"),
    ("write a file of categories, to edit", "mnv2 labels --toml > mine.toml"),
)


_format_option = section("Format")


@click.command(
    cls=ExampleCommand,
    examples=EXAMPLES,
)
@click.argument("node", required=False, metavar="[NODE]")
@_format_option(
    "--tree",
    "as_tree",
    is_flag=True,
    help="Show the whole tree, or the part below NODE (a name or WordNet id).",
)
@_format_option(
    "--csv",
    "as_csv",
    is_flag=True,
    help="Show all classes as a table: wnid, label, category.",
)
@_format_option("--json", "as_json", is_flag=True, help="Show the same table as JSON.")
@_format_option(
    "--toml",
    "as_toml",
    is_flag=True,
    help="Show the built-in categories as a file for --categories.",
)
@section("Categories")(
    "--categories",
    type=click.Path(exists=True, dir_okay=False),
    metavar="FILE",
    help="Check and use the categories in FILE.  [default: built-in]",
)
def labels(
    node: str | None,
    as_tree: bool,
    as_csv: bool,
    as_json: bool,
    as_toml: bool,
    categories: str | None,
) -> None:
    """Show the 1,000 classes of the network, their tree and their categories.

    A category names nodes of the WordNet tree and claims the classes below them; if two categories
    claim a class, the deeper node wins. The score of a category is the sum of the scores of its
    classes.
    """
    if as_tree + as_csv + as_json + as_toml > 1:
        raise click.UsageError("--tree, --csv, --json and --toml are formats: choose one.")
    if node is not None and not as_tree:
        raise click.UsageError(f"NODE requires --tree, as in: mnv2 labels --tree {node}")
    if categories is not None and (as_tree or as_toml):
        option = "--tree" if as_tree else "--toml"
        raise click.UsageError(f"--categories cannot be combined with {option}, which ignores it.")
    from mnv2cli.labels.categories_file import builtin, builtin_text, load

    if as_toml:
        click.echo(builtin_text(), nl=False)
        return
    chosen = load(categories) if categories else builtin()
    if as_tree:
        _print_tree(node)
    elif as_csv or as_json:
        _print_table(chosen, as_json=as_json)
    else:
        _print_categories(chosen)


def _print_table(categories: Categories, *, as_json: bool) -> None:
    from mnv2cli.labels.imagenet import imagenet_labels

    rows = [
        {"wnid": label.wnid, "label": label.name, "category": categories.all[index].name}
        for label, index in zip(imagenet_labels(), categories.of_class, strict=True)
    ]
    if as_json:
        click.echo(json.dumps(rows, indent=1))
        return
    writer = csv.DictWriter(sys.stdout, list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)


def _print_categories(categories: Categories) -> None:
    from rich.table import Table
    from rich.text import Text

    from mnv2cli.cli.terminal.console import PlainConsole
    from mnv2cli.cli.terminal.text import printable
    from mnv2cli.labels.imagenet import imagenet_labels

    widest = max(len(printable(category.name)) for category in categories.all)
    table = Table.grid(padding=(0, 2, 0, 0), expand=True)
    table.add_column(style="bold cyan", no_wrap=True, width=min(widest, 40))
    table.add_column(justify="right", width=4)
    table.add_column(no_wrap=True, overflow="ellipsis", style="dim", ratio=1)
    for category in categories.all:
        names = [imagenet_labels()[i].name for i in categories.classes(category)]
        note = "ignored: " if category.ignore else ""
        if category.threshold:
            note += f"score {category.threshold:g} or more: "
        text = Text(printable(note + ", ".join(names)))
        table.add_row(Text(printable(category.name)), str(len(names)), text)
    PlainConsole(highlight=False).print(table)


def _print_tree(name: str | None) -> None:
    from rich.text import Text
    from rich.tree import Tree

    from mnv2cli.cli.terminal.console import PlainConsole
    from mnv2cli.labels.tree import ROOT, tree

    nodes = tree()
    ids = nodes.named(name) if name else [ROOT]
    if not ids:
        raise InputError(
            f"{name!r} is not in the tree", "To see the whole tree, run: mnv2 labels --tree"
        )
    if len(ids) > 1:
        choices = ", ".join(f"'{name} ({wnid})'" for wnid in ids)
        raise InputError(f"{name!r} is ambiguous", f"Use one of: {choices}.")

    def line(wnid: str) -> Text:
        style = "green" if wnid in nodes.classes else ""
        return Text.assemble((nodes.nodes[wnid].name, style), (f"  {wnid}", "dim"))

    def grow(branch: Tree, wnid: str) -> None:
        for child in sorted(nodes.children.get(wnid, ()), key=lambda w: nodes.nodes[w].name):
            grow(branch.add(line(child)), child)

    root = Tree(line(ids[0]), guide_style="dim")
    grow(root, ids[0])
    PlainConsole(highlight=False).print(root)
