"""``mnv2 select`` filters results; commands that read results read them from a pipe."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result

from mnv2cli.records import Record
from tests.reporting.results_files import labelled, write

Invoke = Callable[..., Result]

RECORDS = [
    labelled("b/2.jpg", ("tabby", 0.9), ("espresso", 0.05), category=("cat", 0.95)),
    labelled("a/10.jpg", ("espresso", 0.5), ("tabby", 0.45), category=("drink", 0.6)),
    labelled("a/9.jpg", ("sports car", 0.7), ("tabby", 0.1), category=("car", 0.8)),
    Record("caf\udce9,.jpg", error="truncated: 3 of 9 bytes", model="m"),
]


@pytest.fixture(params=["csv", "jsonl"])
def results(tmp_path: Path, request: pytest.FixtureRequest) -> str:
    """Results of three photos and a damaged one."""
    return write(tmp_path / f"r.{request.param}", RECORDS)


@pytest.mark.parametrize(
    ("args", "found"),
    [
        (["--label", "TABBY"], ["b/2.jpg"]),
        (["--label", "n07920052", "--label", "tabby"], ["b/2.jpg", "a/10.jpg"]),
        (["--label", "tabby", "--any-rank", "--min-score", "0.4"], ["b/2.jpg", "a/10.jpg"]),
        (["--category", "drink"], ["a/10.jpg"]),
        (["--category", "cat", "--min-score", "0.96"], None),
        (["--max-margin", "0.1"], ["a/10.jpg"]),
        (["--min-score", "0.6", "--sort", "score", "--reverse"], ["a/9.jpg", "b/2.jpg"]),
        (["--sort", "path"], ["a/9.jpg", "a/10.jpg", "b/2.jpg", "caf\udce9,.jpg"]),
        (["--sort", "margin", "--limit", "1"], ["a/10.jpg"]),
        (["--status", "error"], ["caf\udce9,.jpg"]),
        (["--error", "Truncated"], ["caf\udce9,.jpg"]),
        (["--path", "a/*"], ["a/10.jpg", "a/9.jpg"]),
        (["--sample", "9", "--limit", "2"], ["b/2.jpg", "a/10.jpg"]),
    ],
)
def test_paths_of_selected_rows_are_printed(
    invoke: Invoke, results: str, args: list[str], found: list[str] | None
) -> None:
    result = invoke("select", results, *args, "-0")
    expected = "\0".join([*(found or []), ""]).encode("utf-8", "surrogateescape")
    assert (result.stdout_bytes, result.exit_code) == (
        expected if found else b"",
        0 if found else 3,
    )


def test_rows_of_a_csv_stay_as_they_are(invoke: Invoke, tmp_path: Path) -> None:
    results = write(tmp_path / "r.csv", RECORDS)
    lines = Path(results).read_bytes().splitlines(keepends=True)
    assert invoke("select", results).stdout_bytes == b"".join(lines)
    assert invoke("select", results, "--label", "tabby").stdout_bytes == b"".join(lines[:2])
    assert invoke("select", results, "--top", "2").stdout_bytes == b"".join(lines)
    out = tmp_path / "o.csv"
    done = invoke("select", results, "--status", "ok", "-o", out)
    assert (done.exit_code, done.stdout) == (0, "")
    assert "3 rows in" in done.stderr
    assert out.read_bytes() == b"".join(lines[:4])


def test_other_formats_have_the_selected_rows(invoke: Invoke, results: str, tmp_path: Path) -> None:
    result = invoke("select", results, "--category", "cat", "-f", "jsonl", "--top", "1")
    assert [row["path"] for row in map(json.loads, result.stdout.splitlines())] == ["b/2.jpg"]
    assert len(json.loads(result.stdout)["predictions"]) == 1
    out = tmp_path / "o.json"
    assert invoke("select", results, "--category", "cat", "-o", out).exit_code == 0
    again = invoke("select", out, "--paths")
    assert again.stdout == "b/2.jpg\n"


def test_a_query_returns_rows(invoke: Invoke, results: str) -> None:
    query = "select label, count(*) as images, max(score) from results group by label order by 1"
    result = invoke("select", results, "--sql", query, "-f", "csv")
    assert result.stdout.splitlines()[0] == "label,images,max(score)"
    assert "tabby,1,0.9" in result.stdout
    paths = invoke("select", results, "-0", "--sql", "select path from results where error <> ''")
    assert paths.stdout_bytes == b"caf\xe9,.jpg\0"
    assert invoke("select", results, "--sql", "select 1 where 0").exit_code == 3


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("select absent from results", "no such column: absent"),
        ("attach 'x.db' as x", "only one SELECT"),
        ("drop table rows", "only one SELECT"),
        ("delete from results", "only one SELECT"),
        ("select 1; select 2", "only one SELECT"),
        ("", "the query returns nothing"),
        ("select sql from sqlite_master", "only one SELECT"),
        ("select count(*) from sqlite_master", "only one SELECT"),
        ("select * from pragma_table_info('rows')", "only one SELECT"),
        ("select * from dbstat", "only the table results can be read"),
        ("explain select 1", "only one SELECT"),
        (" -- a\n/* b */ EXPLAIN query plan select path from results", "only one SELECT"),
        ("-" * 200 + "\n/*" + "*" * 200 + "*/ explain select 1", "only one SELECT"),
        ("-" * 200 + "\nselect x from results", "no such column: x"),
        ("select value from json_each('[1]')", "not functions that return tables"),
        ("select fts3_tokenizer('simple')", "the function fts3_tokenizer is not allowed"),
        ("select load_extension('x')", "the function load_extension is not allowed"),
        ("select zeroblob(9)", "the function zeroblob is not allowed"),
        ("select x'ff' as b from results", "column b is a blob\nWrite it as text, as in: hex(b)"),
        ("select cast(path as blob) as b from results order by b desc", "column b is a blob"),
    ],
)
def test_a_query_that_cannot_run_is_one_line(
    invoke: Invoke, results: str, query: str, message: str
) -> None:
    result = invoke("select", results, "--sql", query)
    assert result.exit_code == 2
    assert message in result.stderr


def test_a_query_reads_the_table_in_every_way(invoke: Invoke, results: str) -> None:
    query = """
        with best as (select label, score, row_number() over (order by score desc) as n
                      from results where status = 'ok'),
             numbers(n) as (select 1 union all select n + 1 from numbers limit 9)
        select (select count(*) from best) as all_rows, printf('%.1f', max(score)) as score,
               upper(min(label)) as label, (select count(*) from numbers) as numbers,
               json_extract('{"a": 2}', '$.a') as two
        from best join numbers using (n) where label like '%o%' or exists (select 1 from results)
    """
    result = invoke("select", results, "--sql", query, "-f", "csv")
    assert result.stdout.splitlines() == [
        "all_rows,score,label,numbers,two",
        "3,0.9,ESPRESSO,9,2",
    ]


@pytest.mark.parametrize(
    ("format", "row"),
    [("jsonl", '{"a": null, "b": null, "c": "text", "d": 1}'), ("csv", ",,text,1")],
)
def test_infinite_numbers_of_a_query_are_missing(
    invoke: Invoke, results: str, format: str, row: str
) -> None:
    query = "select 9e999 as a, -9e999 as b, cast('text' as blob) as c, 1 as d"
    assert invoke("select", results, "--sql", query, "-f", format).stdout.splitlines()[-1] == row


@pytest.mark.skipif(sys.version_info < (3, 11), reason="sqlite3 cannot limit values before 3.11")
def test_values_of_a_query_are_limited(invoke: Invoke, results: str) -> None:
    for query in (
        "select length(hex(printf('%.20000000c', 'x')))",
        "with recursive c(n) as (select 'x' union all select n || n from c) select max(n) from c",
    ):
        result = invoke("select", results, "--sql", query)
        assert result.exit_code == 2
        assert "a value has more than 32 MiB" in result.stderr


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (["--label", "taby"], "no row has 'taby'\nDid you mean 'tabby'?"),
        (["--label", "n0212304"], "no row has 'n0212304'\nDid you mean 'n02123045'?"),
        (["--label", "tabby", "--min-score", "0.99"], "meets the conditions"),
        (["--label", "n02123045", "--min-score", "0.99"], "meets the conditions"),
        (["--label", "tabby", "--category", "drink"], "meets the conditions"),
        (["--label", "tabby", "--category", "drnk"], "no row has 'drnk'\nDid you mean 'drink'?"),
        (["--category", "cat", "--node", "feline"], "no row has 'feline'"),
    ],
)
def test_nothing_selected_is_exit_3(
    invoke: Invoke, results: str, tmp_path: Path, args: list[str], message: str
) -> None:
    out = tmp_path / "out.csv"
    result = invoke("select", results, *args, "-o", out)
    assert (result.exit_code, result.stdout) == (3, "")
    assert message in result.stderr
    assert not out.exists()


def test_a_label_of_another_rank_is_named_with_the_option_that_finds_it(
    invoke: Invoke, tmp_path: Path
) -> None:
    results = tmp_path / "two.csv"
    results.write_text(
        "path,status,label_1,wnid_1,score_1,label_2,wnid_2,score_2,error,model\n"
        "a.jpg,ok,tabby,n02123045,0.9,Egyptian cat,n02124075,0.1,,m\n"
    )
    result = invoke("select", results, "--label", "egyptian cat")
    assert (result.exit_code, result.stdout) == (3, "")
    assert "'egyptian cat' is not the best label of any row\nAdd --any-rank" in result.stderr
    assert invoke("select", results, "--label", "egyptian cat", "--any-rank").exit_code == 0


def test_what_cannot_be_selected_is_a_usage_error(
    invoke: Invoke, results: str, tmp_path: Path
) -> None:
    for args, message in [
        (["-o", results, "--force"], "is RESULTS itself"),
        (["--paths", "-f", "csv"], "cannot be combined"),
        (["--sql", "select 1", "--limit", "1"], "--sql cannot be combined"),
        (["--seed", "1"], "--seed requires --sample"),
        (["--force"], "--force requires -o"),
        (["--top", "1", "--paths"], "--top cannot be combined"),
        (["--min-score", "0.5", "--max-score", "0.4"], "no score is at least"),
        (["-f", "parquet"], "is not text"),
        (["-o", tmp_path / "x.unknown"], "unknown format"),
    ]:
        result = invoke("select", results, *args)
        assert result.exit_code == 2, (args, result.stderr)
        assert message in result.stderr
    assert invoke("select", tmp_path / "none.csv").exit_code == 2


def test_results_are_read_from_standard_input(invoke: Invoke, results: str) -> None:
    data = Path(results).read_bytes()
    assert invoke("select", "-", "--label", "tabby", "--paths", input=data).stdout == "b/2.jpg\n"
    assert "tabby" in invoke("summary", "-", input=data).stdout
    empty = invoke("select", "-", input=b"")
    assert (empty.exit_code, empty.stdout) == (2, "")
    assert "standard input is empty" in empty.stderr


def test_photos_are_sorted_by_results_from_standard_input(
    invoke: Invoke, photos: Path, tmp_path: Path
) -> None:
    rows = [labelled("photos/img2.jpg", ("tabby", 0.9)), labelled("photos/img10.png", ("bow", 0.9))]
    results = write(tmp_path / "r.csv", rows)
    selected = invoke("select", results, "--label", "tabby").stdout_bytes
    done = invoke("sort", "--from", "-", "--by", "label", "--into", "sorted", input=selected)
    assert done.exit_code == 0, done.stderr
    assert [each.name for each in (tmp_path / "sorted" / "tabby").iterdir()] == ["img2.jpg"]
    assert not (tmp_path / "sorted" / "bow").exists()


def test_tags_and_pages_are_made_from_standard_input(
    invoke: Invoke, photos: Path, tmp_path: Path
) -> None:
    data = Path(
        write(tmp_path / "r.csv", [labelled("photos/img2.jpg", ("tabby", 0.9))])
    ).read_bytes()
    done = invoke("tag", "--from", "-", "--dry-run", input=data)
    assert (done.exit_code, "tabby" in done.output) == (0, True), done.output
    page = invoke("report", "-", "-o", "page.html", input=data)
    assert page.exit_code == 0, page.output
    assert "tabby" in Path("page.html").read_text(encoding="utf-8")


def test_messages_name_standard_input_not_the_file_that_keeps_it(invoke: Invoke) -> None:
    for command in ("select", "summary"):
        result = invoke(command, "-", input=b"path,status,label_1\na.jpg,ok,tabby\n")
        assert result.exit_code == 2
        assert "'-' (standard input) is not a results file" in result.stderr


@pytest.mark.skipif(os.name == "nt", reason="named pipes of POSIX")
def test_a_named_pipe_is_refused_without_waiting(invoke: Invoke, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "r.csv")
    for args in (["--paths"], ["--limit", "1"], ["--sql", "select 1"]):
        result = invoke("select", tmp_path / "r.csv", *args)
        assert result.exit_code == 2 and "is not a regular file" in result.stderr
