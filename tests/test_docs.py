"""The documentation is correct: its commands run and print what the pages show."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory

import click
import pytest

from mnv2cli.cli import main
from tests.doc_pages import (
    LANGUAGES,
    ROOT,
    SHARED,
    PageRun,
    blocks,
    environment,
    generated,
    make_photos,
    mask,
    pages,
    updated,
)
from tests.screen import Screen, run_in_terminal

PAGES = pages()
BLOCKS = [(page, number) for page in PAGES for number, _ in enumerate(blocks(page))]
SCRIPTS = [(page, i) for page, i in BLOCKS if list(blocks(page))[i].runs]
README_BYTES = 8192
FOREIGN_OPTIONS = {
    *("--head", "--ray-client-server-port", "--runtime-env-agent-port"),  # ray
    *("--fuzz-inputs", "--fuzz-seed"),  # pytest
    *("--strict", "--all"),  # mypy, update_docs.py
}


@pytest.fixture(scope="module")
def run_page() -> Iterator[Callable[[Path], PageRun]]:
    """Return a function that runs each page once; the model is compiled first."""
    compiled = subprocess.run(
        ["mnv2", "models", "compile", "--quiet"],
        env=environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert compiled.returncode == 0, compiled.stderr
    with ExitStack() as folders:  # their paths are short, and are shown on one line

        @cache
        def run(page: Path) -> PageRun:
            return PageRun(page, Path(folders.enter_context(TemporaryDirectory(prefix="docs"))))

        yield run


@pytest.mark.real_model
@pytest.mark.skipif(not (SHARED / "keras").is_dir(), reason="needs weights in ../shared")
@pytest.mark.skipif(find_spec("skimage") is None, reason="needs the photos of scikit-image")
@pytest.mark.skipif(sys.platform == "win32", reason="needs bash and a pseudo-terminal")
@pytest.mark.parametrize(
    ("page", "number"),
    [pytest.param(p, i, id=list(blocks(p))[i].name) for p, i in SCRIPTS],
)
def test_a_block_prints_what_the_page_shows(
    page: Path, number: int, run_page: Callable[[Path], PageRun]
) -> None:
    run = run_page(page)
    block = run.blocks[number]
    if tool := block.missing_tool():
        pytest.skip(f"needs {tool}")
    assert mask(run.result(number)) == mask(block.text)
    following = run.blocks[number + 1 : number + 2]
    if block.language == "python" and following and "output" in following[0].markers:
        assert mask(run.result(number + 1)) == mask(following[0].text)


@pytest.mark.parametrize("page", [pytest.param(p, id=p.name) for p in PAGES])
def test_every_block_has_a_language_and_every_command_an_output_or_a_reason(page: Path) -> None:
    for block in blocks(page):
        assert block.language in LANGUAGES, f"{block.name}: unknown language {block.language!r}"
        if block.language == "console" and block.runs:
            outputs = "".join(output for _, output in block.commands)
            assert outputs.strip(), f"{block.name}: a console block shows output; use sh"
        if "not run" in block.markers:
            assert block.markers["not run"], f"{block.name}: say why it is not run"


def test_options_in_every_command_line_exist() -> None:
    checked = 0
    for page in PAGES:
        text = page.read_text(encoding="utf-8")
        lines = [(page.name, code) for code in re.findall(r"`(mnv2 [^`]+)`", text)]
        for block in blocks(page):
            if block.language in ("console", "sh"):
                joined = re.sub(r"\\\n(?:> )?", " ", block.text)
                lines += [(block.name, line) for line in joined.splitlines()]
        for name, line in lines:
            for part in re.split(r"\||&&|;|\$\(", line):
                checked += check_options(name, part)
    assert checked > 50


def check_options(place: str, text: str) -> int:
    """Check the options of one command line of mnv2, shown at a place; return their number."""
    words = re.sub(r" #.*|[()'\"]", " ", text).split()
    names = [i for i, word in enumerate(words) if re.fullmatch(r"(?:.*/)?mnv2", word)]
    if not names:
        return 0
    context, checked = click.Context(main), 0
    command: click.Command = main
    for word in words[names[0] + 1 :]:
        if word == "COMMAND":
            break
        if isinstance(command, click.Group) and not word.startswith("-"):
            found = command.get_command(context, word)
            assert found is not None, f"{place}: no command {word!r}"
            command = found
        elif re.match(r"--?[a-zA-Z]", word):
            known = {n for p in command.get_params(context) for n in (*p.opts, *p.secondary_opts)}
            option = word.split("=")[0]
            assert option in known, f"{place}: no option {option!r} of {command.name}"
            checked += 1
    return checked


def test_options_that_the_text_names_exist() -> None:
    known = {"--version", *FOREIGN_OPTIONS}
    groups: list[click.Group] = [main]
    while groups:
        group = groups.pop()
        for name in group.list_commands(click.Context(group)):
            command = group.get_command(click.Context(group), name)
            assert command is not None
            for param in command.get_params(click.Context(command)):
                known.update(param.opts, param.secondary_opts)
            if isinstance(command, click.Group):
                groups.append(command)
    for page in PAGES:
        text = re.sub(r"```.*?```", "", page.read_text(encoding="utf-8"), flags=re.DOTALL)
        for code in re.findall(r"`([^`\n]+)`", text):
            unknown = set(re.findall(r"(?<!\S)--[a-z][a-z-]*", code)) - known
            assert not unknown, f"{page.name}: no command has {unknown}"


def test_every_link_has_a_target() -> None:
    for page in PAGES:
        text = page.read_text(encoding="utf-8")
        for target in re.findall(r"\]\(([^)]+)\)", re.sub(r"```.*?```", "", text, flags=re.DOTALL)):
            if re.match(r"[a-z]+:", target):
                continue
            name, _, anchor = target.partition("#")
            file = (page.parent / name).resolve() if name else page
            assert file.exists(), f"{page.name}: {target}"
            if anchor:
                assert anchor in anchors(file), f"{page.name}: {target}"


def anchors(page: Path) -> set[str]:
    """Return the anchors that GitHub makes from the headings of a page."""
    headings = re.findall(r"^#+ (.*)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", h.lower()).replace(" ", "-") for h in headings}


def test_generated_pages_are_current() -> None:
    texts = [page.read_text(encoding="utf-8") for page in PAGES]
    assert [text for text in texts if "<!-- made by: scripts/" in text]
    for text in texts:
        assert generated(text) == text, "run python scripts/update_docs.py"


def test_the_index_lists_every_page() -> None:
    index = (ROOT / "docs" / "index.md").read_text(encoding="utf-8")
    for page in PAGES[1:]:
        assert page.name == "index.md" or f"({page.name})" in index


def test_the_readme_is_short_and_shows_the_terminal_first() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    assert len(text.encode()) <= README_BYTES
    assert "docs/images/terminal.svg" in text[:1000]


# The recipes, on results that are easy to handle wrongly.


def row(path: str, label: str, wnid: str, score: float, category: str) -> dict[str, object]:
    others = [{"wnid": "n02120079", "label": "polecat", "score": 0.01}]
    return {
        "path": path,
        "status": "ok",
        "predictions": [{"wnid": wnid, "label": label, "score": score}, *others],
        "category": category,
        "category_score": score,
        "category_margin": score,
        "error": None,
        "model": "mobilenet_v2_1.0_224",
    }


@pytest.fixture
def recipe(tmp_path: Path) -> Callable[[str], str]:
    """Return a function that runs the block of docs/results.md with a text, on unusual results."""
    rows = [
        row("photos/a, b's cat.jpg", "tabby", "n02123045", 0.9, "cat"),
        row("photos/koala.jpg", "koala", "n01882714", 0.8, "wild animal"),
        row("photos/swimmer.jpg", "maillot", "n03710637", 0.7, "clothing"),
        row("photos/swimmer2.jpg", "maillot", "n03710721", 0.4, "clothing"),
        {**row("photos/broken.jpg", "", "", 0, ""), "status": "error", "predictions": []},
    ]
    text = "".join(json.dumps(line) + "\n" for line in rows)
    (tmp_path / "labels.jsonl").write_text(text)
    (tmp_path / "photos").mkdir()
    for line in rows:
        (tmp_path / str(line["path"])).write_text("x")

    def run(wanted: str) -> str:
        (block,) = [b for b in blocks(ROOT / "docs" / "results.md") if wanted in b.text]
        if tool := block.missing_tool():
            pytest.skip(f"needs {tool}")
        script = block.text
        if block.language == "console":
            script = "".join(re.findall(r"^[$>] (.*\n)", block.text, re.MULTILINE))
        env = {"PATH": f"{tmp_path}{os.pathsep}{os.environ['PATH']}"}
        done = subprocess.run(
            ["bash", "-eo", "pipefail", "-c", script],
            cwd=tmp_path,
            env=env,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    return run


def test_the_recipe_for_cats_makes_the_folder_and_copies_only_cats(
    recipe: Callable[[str], str], tmp_path: Path
) -> None:
    recipe("mkdir -p cats")
    assert [p.name for p in (tmp_path / "cats").iterdir()] == ["a, b's cat.jpg"]


def test_the_recipe_that_counts_keeps_classes_of_one_name_apart(
    recipe: Callable[[str], str],
) -> None:
    lines = recipe("uniq -c").splitlines()
    assert [line.split() for line in lines[:2]] == [
        ["1", "n03710721", "maillot"],
        ["1", "n03710637", "maillot"],
    ]


def test_the_recipe_for_low_scores_lists_no_unreadable_image(
    recipe: Callable[[str], str],
) -> None:
    assert recipe("score < 0.5") == "photos/swimmer2.jpg\n"


def test_the_recipe_for_newer_photos_passes_only_images(
    recipe: Callable[[str], str], tmp_path: Path
) -> None:
    (tmp_path / "labels.csv").write_text("")
    os.utime(tmp_path / "labels.csv", (0, 0))
    for name in ("notes.txt", "NEW.JPG"):
        (tmp_path / "photos" / name).write_text("x")
    for path in (tmp_path / "photos").glob("*.jpg"):
        os.utime(path, (0, 0))
    fake = tmp_path / "mnv2"
    fake.write_text("#!/bin/sh\ntr '\\0' '\\n'\n")
    fake.chmod(0o755)
    assert recipe("-newer").splitlines() == ["photos/NEW.JPG"]


@pytest.mark.real_model
@pytest.mark.skipif(not (SHARED / "keras").is_dir(), reason="needs weights in ../shared")
@pytest.mark.skipif(find_spec("skimage") is None, reason="needs the photos of scikit-image")
@pytest.mark.skipif(sys.platform == "win32", reason="needs bash")
def test_the_examples_run(tmp_path: Path) -> None:
    make_photos(tmp_path)
    (tmp_path / "photos" / "broken.jpg").write_text("not a photo")
    scripts = ROOT / "examples"
    for command in (["bash", f"{scripts}/recipes.sh"], [sys.executable, f"{scripts}/labels.py"]):
        done = subprocess.run(
            [*command, "photos"],
            cwd=tmp_path,
            env=environment(),
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        assert "espresso" in done.stdout
        if command[0] == "bash" and shutil.which("jq"):
            assert "\ncat.png\n" in done.stdout
            assert done.stdout.endswith("photos/broken.jpg: not an image: a text file\n")


# The helpers of these tests.


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("a\rb", "b"),
        ("ab\rc", "cb"),
        ("loading\r\x1b[2Kdone", "done"),
        ("loading\n\r\x1b[1A\x1b[2Kdone\n", "done"),
        ("abc\b\bX\x1b[K", "aX"),
        ("a\tb", "a       b"),
        ("\x1b[1mbold\x1b[0m \x1b]0;title\x07end  \n\n", "bold end"),
        ("one\r\ntwo\x1b[1A\x1b[B!", "one\ntwo!"),
    ],
)
def test_the_screen_shows_what_a_terminal_does(written: str, shown: str) -> None:
    screen = Screen()
    screen.feed(written)
    assert screen.text() == shown


def test_the_screen_keeps_colours() -> None:
    screen = Screen()
    screen.feed("\x1b[31mred\x1b[0m plain\n")
    assert screen.ansi() == "\x1b[0m\x1b[31mred\x1b[0m plain"


@pytest.mark.skipif(sys.platform == "win32", reason="needs bash and a pseudo-terminal")
def test_a_command_runs_in_a_terminal_of_the_given_width(tmp_path: Path) -> None:
    screen, code = run_in_terminal("test -t 1 && stty size < /dev/stdout; exit 4", tmp_path, {}, 70)
    assert (screen.text(), code) == ("50 70", 4)


@pytest.mark.skipif(sys.platform == "win32", reason="needs bash and a pseudo-terminal")
def test_a_command_that_runs_too_long_is_killed(tmp_path: Path) -> None:
    with pytest.raises(TimeoutError, match="still running"):
        run_in_terminal("sleep 60", tmp_path, {}, timeout=0.2)


def test_the_mask_hides_figures_and_keeps_words() -> None:
    assert mask("cat    44.8 %  █████\n") == mask("cat  4.1 %  █")
    assert mask("6 files in 0.3 s, 2.4 MB") == mask("6 files in 12.5 s, 112 MB")
    assert mask("a,0.97164816") == mask("a,9.1e-05")
    assert mask("tiger cat 44.8 %") != mask("tabby 44.8 %")
    assert mask("6 files") != mask("7 files")
    assert mask("Sorted  6 files in\n        /home/you") == mask("Sorted  6 files in /home/you")
    assert mask("one\ntwo") != mask("one two")


@pytest.fixture
def page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Path]:
    """Return a function that writes a page; its blocks find no photos."""
    monkeypatch.setattr("tests.doc_pages.make_photos", lambda folder: None)
    monkeypatch.setattr("tests.doc_pages.ROOT", tmp_path)

    def write(text: str) -> Path:
        path = tmp_path / "page.md"
        path.write_text(text)
        return path

    return write


PAGE = """\
Text.

```sh
echo one > file
```

```console
$ cat file; \\
> echo 'two  0.5 s'
old
$ pwd
```

<!-- file: two -->
```toml
a = 1
```

```console
$ cat two
```

<!-- not run: needs a cluster -->
```console
$ false
```

<!-- needs: no-such-command -->
```console
$ no-such-command
output
```

```python
print("three")
```

<!-- output -->
```text
```
"""


@pytest.mark.skipif(sys.platform == "win32", reason="needs bash and a pseudo-terminal")
def test_outputs_of_a_page_are_updated(
    page: Callable[[str], Path], tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = page(PAGE)
    text = updated(path, tmp_path_factory.mktemp("run"))
    wanted = PAGE.replace("old\n$ pwd\n", "one\ntwo  0.5 s\n$ pwd\n/home/you\n")
    wanted = wanted.replace("$ cat two\n", "$ cat two\na = 1\n")
    wanted = wanted.replace("```text\n", "```text\nthree\n")
    assert text == wanted
    slower = text.replace("\ntwo  0.5 s", "\ntwo  0.7 s")
    path.write_text(slower)
    assert updated(path, tmp_path_factory.mktemp("run")) == slower != text
    assert updated(path, tmp_path_factory.mktemp("run"), everything=True) == text


@pytest.mark.skipif(sys.platform == "win32", reason="needs bash and a pseudo-terminal")
def test_a_block_that_fails_is_named_and_the_next_ones_run(
    page: Callable[[str], Path], tmp_path: Path
) -> None:
    run = PageRun(page("```sh\nfalse\ntrue\n```\n```console\n$ echo a\na\n```\n"), tmp_path)
    assert run.result(1) == "$ echo a\na\n"
    with pytest.raises(AssertionError, match="exit code 1 of"):
        run.result(0)


def test_the_rest_of_a_page_is_what_its_script_prints(
    page: Callable[[str], Path], tmp_path: Path
) -> None:
    (tmp_path / "make.py").write_text("print('new')")
    text = "Text.\n\n<!-- made by: make.py -->\n\n"
    assert generated(text + "old\n") == text + "new\n"
    assert generated("Text.\n") == "Text.\n"


def test_a_block_that_is_not_closed_is_an_error(page: Callable[[str], Path]) -> None:
    with pytest.raises(ValueError, match="not closed"):
        list(blocks(page("```sh\ntrue\n")))
