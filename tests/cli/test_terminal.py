"""Nothing in files, names or results controls the terminal."""

from __future__ import annotations

import io
import json
import os
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result

from mnv2cli.cli.terminal.text import PrintableStream, data_stream, print_path, shorten
from mnv2cli.errors import ImageError
from mnv2cli.records import Prediction, Record
from mnv2cli.results.formats import load_format
from mnv2cli.results.schema import Layout
from tests.conftest import FakeEngine, draw

# Colours, a window's title, bidirectional override, C1 control, bell, not UTF-8, rich's markup.
CONTROLS = "[red]\x1b[31m\x1b]0;title\x07\u202e\x9b2J\r[blink]" + os.fsdecode(b"\xff")
CSV = ("-f", "csv")

Invoke = Callable[..., Result]


def clean(result: Result) -> str:
    """Check that the output has no control characters, and return it."""
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    for text in (result.stdout, result.stderr):
        unprintable = {c for c in text if not c.isprintable() and c != "\n"}
        assert not unprintable, (unprintable, text)
    return result.stdout + result.stderr


@pytest.fixture
def hostile_names(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fake_engine: FakeEngine) -> Path:
    """A folder of files with hostile names: an image, a text file, a truncated image."""
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / f"dir{CONTROLS}"
    good = draw(folder / f"good{CONTROLS}\n.png", (7, 9, 0))
    (folder / f"bad{CONTROLS}.png").write_bytes(good.read_bytes()[:60])
    (folder / f"text{CONTROLS}.jpg").write_text(CONTROLS.encode("utf-8", "replace").decode())
    (folder / f"left{CONTROLS}.txt").write_text("")
    return folder


@pytest.mark.parametrize("options", [(), ("-v",), ("--category", "--rollup", "0.5", "-v")])
def test_classify_prints_no_control_characters(
    hostile_names: Path, invoke: Invoke, options: tuple[str, ...]
) -> None:
    text = clean(invoke("classify", hostile_names, "-f", "table", *options))
    assert r"\r[blink]\xff" in text


def test_a_file_for_results_is_named_in_printable_characters(
    hostile_names: Path, invoke: Invoke
) -> None:
    for name in (
        f"out{CONTROLS}.csv",
        f"out{CONTROLS}.csv",
        f"out{CONTROLS}.odd",
        f"no{CONTROLS}/out.csv",
    ):
        clean(invoke("classify", hostile_names, "-o", name))


@pytest.mark.parametrize("option", ["--copy", "--move", "--dry-run", "--symlink"])
def test_sort_and_undo_print_no_control_characters(
    hostile_names: Path, invoke: Invoke, option: str
) -> None:
    dest = f"sorted{CONTROLS}"
    text = clean(
        invoke("sort", hostile_names, "--into", dest, option, "-v", "--template", "{label}[red]")
    )
    assert r"\x1b[31m" in text
    if option == "--dry-run":
        return
    for journal in Path(dest, ".mnv2").glob("*.jsonl"):
        shutil.copy(journal, journal.with_name(f"0{CONTROLS}.jsonl"))
        journal.with_name(f"1{CONTROLS}.jsonl").write_text(
            CONTROLS.encode("utf-8", "replace").decode()
        )
    clean(invoke("undo", dest, "--list"))
    clean(invoke("undo", dest, "--dry-run", "-v"))
    for path in Path(dest).rglob("*.png"):
        if not path.is_symlink():
            path.write_text("changed")  # is kept, and reported
    clean(invoke("undo", dest, "-v"))


@pytest.mark.parametrize("format", ["csv", "jsonl", "json"])
@pytest.mark.parametrize("options", [("--dry-run", "-v"), ("--copy", "-v"), ("--plan", "plan.csv")])
def test_sort_by_hostile_results_prints_no_control_characters(
    hostile_names: Path, invoke: Invoke, format: str, options: tuple[str, ...]
) -> None:
    good = next(hostile_names.glob("good*"))
    records = [
        Record(str(good), (Prediction("n1" + CONTROLS, CONTROLS, 0.9),), model=CONTROLS),
        Record(CONTROLS, (Prediction("n2", "x/../../y" + CONTROLS, 0.9),), model=CONTROLS),
        Record(str(good) + "x", error=f"{CONTROLS}: {CONTROLS}", model=CONTROLS),
    ]
    with open(f"results.{format}", "wb") as file:
        writer = load_format(format).writer(file, Layout(format, 1))
        for record in records:
            writer.write(record)
        writer.finish()
    for template in ("{label}/{wnid}", "{model}"):
        text = clean(
            invoke("sort", "--from", f"results.{format}", "--into", f"to{CONTROLS}", *options,
                   "--template", template)
        )  # fmt: skip
        Path("plan.csv").unlink(missing_ok=True)
        assert text


@pytest.mark.parametrize(
    ("toml", "message"),
    [
        ('[x]\nname = "a\\u001b[31m"\nadd = ["dog"]', "a name with control characters"),
        ('["a\\u009bb"]\nadd = ["dog"]', "a name with control characters"),
        ('[dog]\nname = "[red]dog[/]"', ""),
        ('[dog]\nadd = ["\\u001b[31m"]', "not in the tree"),
        ('["\\u001b[31m"]', "a name with control characters"),
        ('[dog]\n"\\u001b[31m" = 1', "has the unknown key"),
        ("[dog\x1b", "not valid TOML"),
        ('"\\u001b" = 1', "is not in a section"),
    ],
)
def test_names_of_categories_cannot_control_the_terminal(
    hostile_names: Path, invoke: Invoke, toml: str, message: str
) -> None:
    path = Path(f"own{CONTROLS}.toml")
    path.write_text(toml)
    for option in ("", "--csv", "--json"):
        result = invoke("labels", "--categories", path, *filter(None, [option]))
        text = clean(result)
        assert message in text and result.exit_code == (2 if message else 0)
        if not message:
            assert "[red]dog[/]" in text
    text = clean(invoke("classify", hostile_names, "--categories", path, "-f", "table"))
    assert message in text


@pytest.mark.parametrize(
    "arguments",
    [
        ("classify", f"no{CONTROLS}"),
        ("classify", f"--no{CONTROLS}"),
        (f"--no{CONTROLS}",),
        (f"no{CONTROLS}",),
        ("labels", "x", CONTROLS),
        ("labels", "--tree", CONTROLS),
        ("undo", f"no{CONTROLS}"),
        ("undo", "."),
        ("classify", ".", "--fit", CONTROLS),
        ("classify", ".", "--top", CONTROLS),
        ("classify", ".", "--files-from", CONTROLS),
        ("classify", ".", "--weights", CONTROLS),
        ("classify", ".", "--calibrate", CONTROLS, "--precision", "int8"),
        ("sort", ".", "--into", "x", "--template", f"{{{CONTROLS}}}"),
        ("sort", ".", "--into", "x", "--by", CONTROLS),
        ("sort", "--from", "hostile.csv", "--into", "x"),
        ("sort", "--apply", "hostile.csv", "--into", "x"),
        ("models", "import", CONTROLS),
        ("models", "import", f"file{CONTROLS}.h5"),
        ("models", "describe", CONTROLS),
        ("bench", CONTROLS),
        ("classify", "hostile.csv", "--weights", f"file{CONTROLS}.h5"),
        ("classify", "hostile.csv", "--weights", f"file{CONTROLS}.keras"),
    ],
    ids=lambda a: ascii(a)[:50],
)
def test_errors_quote_what_was_typed_in_printable_characters(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    invoke: Invoke,
    arguments: tuple[str, ...],
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("hostile.csv").write_text(f'path,status,error,label\n"{CONTROLS[:-1]}",{CONTROLS[:-2]}\n')
    for suffix in ("h5", "keras"):
        Path(f"file{CONTROLS}.{suffix}").write_text("PK\x03\x04")
    result = invoke(*arguments)
    assert result.exit_code in (1, 2, 3, 4) and result.stderr
    clean(result)


def test_settings_of_the_environment_cannot_control_the_terminal(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, invoke: Invoke
) -> None:
    folder = str(tmp_path / f"home{CONTROLS}")
    monkeypatch.setenv("KERAS_HOME", folder)
    monkeypatch.setenv("MNV2_CACHE", folder)
    assert r"[red]\x1b[31m" in clean(invoke("models", "list")).replace("\n", "")
    clean(invoke("models", "clean", "--dry-run", "--weights"))
    assert os.fsencode(folder) in invoke("models", "path").stdout_bytes  # unchanged, for programs
    monkeypatch.setenv("MNV2_MODEL", CONTROLS)
    clean(invoke("models", "path"))


def test_reasons_of_decoders_cannot_control_the_terminal(
    hostile_names: Path, invoke: Invoke, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(path: str, rendition: object, options: object) -> None:
        raise ImageError(f"reason{CONTROLS}", f"detail{CONTROLS}")

    monkeypatch.setattr("mnv2cli.images.reader.decode_as", fail)
    clean(invoke("classify", hostile_names, "-v", "-f", "table"))
    clean(invoke("sort", hostile_names, "-v", "--into", "x"))


class Terminal(io.TextIOWrapper):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize("format", ["csv", "json", "jsonl"])
def test_results_for_programs_are_printable_only_on_a_terminal(
    monkeypatch: pytest.MonkeyPatch, format: str
) -> None:
    record = Record(f"a\nb{CONTROLS}", (Prediction("n1", "cat", 0.5),), model=CONTROLS)
    outputs = {}
    for kind in (Terminal, io.TextIOWrapper):
        raw = io.BytesIO()
        monkeypatch.setattr(sys, "stdout", kind(raw, encoding="utf-8"))
        stream = data_stream()
        writer = load_format(format).writer(stream, Layout(format, 1))
        writer.begin()
        for _ in range(2):
            writer.write(record)
        writer.finish()
        print_path(f"a\nb{CONTROLS}")
        outputs[kind] = raw.getvalue()
        monkeypatch.undo()
    shown, data = outputs[Terminal].decode(), outputs[io.TextIOWrapper]
    assert all(c.isprintable() or c == "\n" for c in shown) and r"\u202e" in shown
    assert shown.count("\n") == {"csv": 4, "json": 5, "jsonl": 3}[format]
    assert data.endswith(os.fsencode(f"a\nb{CONTROLS}\n"))
    if format == "json":
        assert json.loads(data[: data.rindex(b"]\n") + 1])[0]["path"] == f"a\nb{CONTROLS}"


def test_each_row_is_one_line_on_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    raw = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", Terminal(raw, encoding="utf-8"))
    writer = load_format("csv").writer(data_stream(), Layout("csv", 2, long=True))
    writer.begin()
    predictions = (Prediction("n1", "cat", 0.5), Prediction("n2", 'a "dog"', 0.25))
    writer.write(Record('a\n"b".jpg', predictions, model="m"))
    writer.finish()
    text = raw.getvalue().decode()
    monkeypatch.undo()
    assert text.splitlines() == [
        "path,status,rank,label,wnid,score,error,model",
        r'"a\n""b"".jpg",ok,1,cat,n1,0.5,,m',
        r'"a\n""b"".jpg",ok,2,"a ""dog""",n2,0.25,,m',
    ]


def test_plain_results_are_the_same_on_a_terminal() -> None:
    raw = io.BytesIO()
    stream = PrintableStream(raw)
    stream.write("Füße, 猫\n".encode())
    stream.flush()
    assert raw.getvalue().decode() == "Füße, 猫\n"
    raw.close()
    stream.close()  # as at the end of the program, which may close the terminal first


def test_a_very_long_name_is_cut_before_it_is_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    measured: list[int] = []

    def cell_len(text: str) -> int:
        measured.append(len(text))
        return len(text)

    monkeypatch.setattr("rich.cells.cell_len", cell_len)
    assert shorten("x" * 1_000_000, 10) == "…" + "x" * 9
    assert sum(measured) < 2_000
