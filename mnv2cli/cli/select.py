"""``mnv2 select``: filter results without classifying again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from mnv2cli.cli.grouping import grouped, section, together
from mnv2cli.cli.options.rows import PATHS, csv_safe_option, force_option, output_option
from mnv2cli.cli.options.terminal import TerminalOptions, terminal_options
from mnv2cli.cli.terminal.help import ExampleCommand
from mnv2cli.cli.types import RESULTS, SCORE
from mnv2cli.results.formats import FORMATS
from mnv2cli.results.options import OutputTarget
from mnv2cli.selecting.conditions import SORTS, Conditions, Order

if TYPE_CHECKING:
    from mnv2cli.cli.select_job import SelectOutput
    from mnv2cli.selecting.conditions import SortBy

EXAMPLES = (
    ("sure labels only", "mnv2 select labels.csv --min-score 0.8 -o sure.csv"),
    ("the paths of all cats, for another program",
     "mnv2 select labels.csv --category cat -0 | xargs -0 ls -l"),
    ("sort only these photos",
     "mnv2 select labels.csv --label 'Egyptian cat' | mnv2 sort --from - --into cats"),
    ("the 50 least sure photos", "mnv2 select labels.csv --sort margin --limit 50"),
    ("20 photos at random whose two best labels are close",
     "mnv2 select labels.csv --max-margin 0.1 --sample 20"),
    ("unreadable photos", "mnv2 select labels.csv --status error --paths"),
    ("count with SQL",
     "mnv2 select labels.csv --sql 'select label, count(*) from results group by label'"),
)  # fmt: skip


def _conditions(
    label: tuple[str, ...],
    category: tuple[str, ...],
    node: tuple[str, ...],
    error: tuple[str, ...],
    path: tuple[str, ...],
    **others: Any,
) -> Conditions:
    others["status"] = others["status"] or ""
    return Conditions(label, category, node, errors=error, paths=path, **others)


def _order(
    sort: SortBy | None, reverse: bool, limit: int | None, sample: int | None, seed: int | None
) -> Order:
    if seed is not None and sample is None:
        raise click.UsageError("--seed requires --sample.")
    return Order(sort, reverse, limit, sample, seed or 0)


def _output(
    output: str | None, format: str | None, csv_safe: bool, force: bool, **others: bool | int | str
) -> SelectOutput:
    paths, null = others.pop("paths"), bool(others["null"])
    from mnv2cli.cli.select_job import SelectOutput

    if (paths or null) and format:
        raise click.UsageError("--paths and -0 cannot be combined with --format.")
    path = None if output == "-" else output
    target = OutputTarget(path, PATHS if paths or null else format or "", False, csv_safe, force)
    return SelectOutput(target, **others)  # type: ignore[arg-type]


_where = section("Conditions")
_condition_options = grouped(
    "where",
    _conditions,
    _where("--label", multiple=True, metavar="NAME", help="The best label is NAME; repeatable."),
    _where("--category", multiple=True, metavar="NAME", help="The category is NAME; repeatable."),
    _where(
        "--node", multiple=True, advanced=True, metavar="NAME", help="The node is NAME; repeatable."
    ),
    _where("--min-score", type=SCORE, metavar="P", help="The score is at least P."),
    _where("--max-score", type=SCORE, metavar="P", help="The score is at most P."),
    _where(
        "--min-margin",
        advanced=True,
        type=SCORE,
        metavar="P",
        help="The score leads the next one by P or more.",
    ),
    _where(
        "--max-margin", type=SCORE, metavar="P", help="The score leads the next one by P or less."
    ),
    _where(
        "--status",
        type=click.Choice(["ok", "error"]),
        metavar="STATUS",
        help="ok for readable images, error for others.",
    ),
    _where(
        "--error",
        multiple=True,
        advanced=True,
        metavar="REASON",
        help="The image could not be read for REASON, such as 'not an image'; repeatable.",
    ),
    _where(
        "--path",
        multiple=True,
        metavar="PATTERN",
        help="The path matches, such as '*.jpg'; repeatable.",
    ),
    _where(
        "--any-rank",
        is_flag=True,
        advanced=True,
        help="With --label: NAME is one of the labels, not only the best.",
    ),
)
_order_of = section("Order")
_order_options = grouped(
    "order",
    _order,
    _order_of(
        "--sort",
        type=click.Choice(SORTS),
        metavar="KEY",
        help="score, margin (smallest first), path or label.",
    ),
    _order_of("--reverse", is_flag=True, advanced=True, help="Reverse the order."),
    _order_of("--limit", type=click.IntRange(min=1), metavar="N", help="At most N rows."),
    _order_of("--sample", type=click.IntRange(min=1), metavar="N", help="N rows at random."),
    _order_of(
        "--seed",
        type=int,
        metavar="N",
        advanced=True,
        show_default=False,
        help="Seed for --sample.  [default: 0]",
    ),
)
_results = section("Results")
_output_options = grouped(
    "output",
    _output,
    output_option,
    _results(
        "-f", "--format", "format", type=click.Choice(["table", *FORMATS]), metavar="FORMAT",
        help="table, csv, json, jsonl or parquet.  [default: by FILE]",
    ),
    _results("--paths", is_flag=True, help="Write paths only, one per line."),
    _results("-0", "--null", is_flag=True, help="Write paths only, with NUL after each."),
    _results(
        "--top", type=click.IntRange(min=1), metavar="K", help="Write the K best labels of a row."
    ),
    _results(
        "--sql", metavar="QUERY",
        help="Write what a SELECT from the table results returns.",
    ),
    csv_safe_option,
    force_option,
)  # fmt: skip


@click.command(
    cls=ExampleCommand,
    examples=EXAMPLES,
    renamed={"--threshold": "--min-score"},
    hints={"--where": "Each condition is an option, or use --sql."},
)
@click.argument("results", metavar="RESULTS", type=RESULTS)
@together(_condition_options, _order_options, _output_options)
@terminal_options
def select(
    results: str,
    where: Conditions,
    order: Order,
    output: SelectOutput,
    terminal: TerminalOptions,
) -> None:
    """Filter results of mnv2 classify; RESULTS may be - for standard input.

    No image is read or classified again. A row is selected if it meets all conditions. Values of
    an option that is repeated are alternatives, and names are compared without case. The score is
    that of the best label; with --category or --node, that of the category or node. Rows of a CSV
    are written as they are, byte for byte, into another CSV.

    First a sample is drawn, then it is sorted, then limited. Without -o and -f, rows are a table on
    a terminal, else csv.

    The table of --sql has the columns of the CSV, and label, wnid and score for the best label.

    Exit codes: 0 done, 1 failed, 2 usage error or not a results file, 3 no row meets the
    conditions, 130 interrupted, 143 terminated.
    """
    from mnv2cli.cli.select_job import SelectJob, checked_output

    output = checked_output(output, results)
    job = SelectJob(results, output, terminal.screen())
    if output.sql is not None:
        if where != Conditions() or order != Order() or output.top is not None:
            raise click.UsageError(
                "--sql cannot be combined with conditions, an order or --top: put them into the "
                "query."
            )
        job.query(output.sql)
    else:
        job.select(where, order)
