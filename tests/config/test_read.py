"""Config files are found, read and merged; a broken one is one line with its number."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from mnv2cli import read_config
from mnv2cli.config.lines import line_of
from mnv2cli.config.locate import is_trusted
from mnv2cli.config.read import LIMIT
from mnv2cli.errors import InputError

TEXT = '''# top = 1
note = """
top = 2
[classify]
"""
classify.min_score = 0.5
sort = { threshold = 0.4, by = "label" }
exclude = [
  # quiet
  "quiet = true",
]
quiet = true

[models.download]
"mirror" = 'x'
'''


@pytest.fixture(autouse=True)
def user(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder for the user's file, which does not exist yet."""
    folder = tmp_path / "user"
    folder.mkdir()
    monkeypatch.setenv("MNV2_CONFIG_DIR", str(folder))
    return folder / "mnv2.toml"


@pytest.mark.parametrize(
    ("keys", "line"),
    [
        (("note",), 2),
        (("classify", "min_score"), 6),
        (("sort",), 7),
        (("sort", "by"), 7),
        (("exclude",), 8),
        (("quiet",), 12),
        (("models", "download"), 14),
        (("models", "download", "mirror"), 15),
        (("top",), 0),
    ],
)
def test_line_of_a_key_is_where_it_is_set(keys: tuple[str, ...], line: int) -> None:
    assert line_of(TEXT, keys) == line
    assert line_of(TEXT.replace("\n", "\r\n"), keys) == line


def test_nearest_file_counts_and_merges_with_the_user_file(tmp_path: Path, user: Path) -> None:
    user.write_text("quiet = true\nsize = 96\n[classify]\ntop = 9\nmin-score = 0.1\n")
    (tmp_path / "mnv2.toml").write_text("size = 128\n[classify]\ntop = 3\n")
    below = tmp_path / "a" / "b"
    below.mkdir(parents=True)
    (tmp_path / "a" / "pyproject.toml").write_text('[project]\nname = "mnv2"\n')
    values = read_config(str(below)).values
    assert {keys: (each.value, each.file.path, each.line) for keys, each in values.items()} == {
        ("size",): (128, str(tmp_path / "mnv2.toml"), 1),
        ("classify", "top"): (3, str(tmp_path / "mnv2.toml"), 3),
        ("quiet",): (True, str(user), 1),
        ("classify", "min-score"): (0.1, str(user), 5),
    }


def test_mnv2_toml_counts_before_pyproject_of_its_folder(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text("[tool.mnv2]\nsize = 96\n")
    assert read_config(str(tmp_path)).values[("size",)].origin.endswith("pyproject.toml, line 2")
    (tmp_path / "mnv2.toml").write_text("size = 128\n")
    assert read_config(str(tmp_path)).values[("size",)].value == 128


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"a = 1\nb = \n", "line 2: not TOML: invalid value"),
        (b"a = 1\na = 2\n", "line 2: not TOML: cannot overwrite a value"),
        (b'a = """\nx\n', "line 2: not TOML: unterminated string"),
        (b"a = 1\nb = '\xff'\n", "line 2: the text is not UTF-8"),
        (b"a-b = 1\na_b = 2\n", "line 2: 'a-b' is set twice"),
        (b"#" * (LIMIT + 1), "is larger than 64 kB"),
        (b"a = " + b"[" * 60_000, "not TOML: it is nested too deeply"),
        (b"\nclassify" + b".a" * 30_000 + b" = 1", "line 2: a key has too many parts"),
        (b"[a" + b" . 'b.c'" * 20 + b"]", "line 1: a key has too many parts"),
        (b"classify.a.b.c.d = 1", "line 1: unknown table [classify.a.b.c]"),
        (b"a = " + b"9" * 6_000, "mnv2.toml: not TOML: a number has too many digits"),
        (b"\na = 0x" + b"f" * 6_000, "line 2: the number of 'a' is too large"),
        (b"a = [1, -9223372036854775809]", "line 1: the number of 'a' is too large"),
        (b"a" * 101 + b" = 1", "the key 'aaaaaaaaaaaaaaaaaaaa'... is too long"),
        (b"a = '" + b"b" * 4_097 + b"'", "line 1: the text of 'a' is longer than 4,096"),
        (b"[b]\na = 'c'\nd = \"a\\u0000b\"", "line 3: 'd' contains a NUL character"),
    ],
)
def test_broken_file_is_one_line(tmp_path: Path, data: bytes, message: str) -> None:
    (tmp_path / "mnv2.toml").write_bytes(data)
    with pytest.raises(InputError) as error:
        dict(read_config(str(tmp_path)).values)
    assert message in error.value.message
    assert str(tmp_path / "mnv2.toml") in error.value.message
    assert "\n" not in error.value.message


def test_folder_or_pipe_in_place_of_a_file_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "mnv2.toml").mkdir()
    with pytest.raises(InputError, match="cannot read the config file"):
        read_config(str(tmp_path))
    if hasattr(os, "mkfifo"):
        (tmp_path / "mnv2.toml").rmdir()
        os.mkfifo(tmp_path / "mnv2.toml")
        with pytest.raises(InputError, match="not a regular file"):
            read_config(str(tmp_path))


@pytest.mark.parametrize(
    "text",
    [
        "note = '" + "a." * 50 + "'",
        'note = "' + "a.'" * 50 + '"',
        "quiet = true # " + "etc. " * 50,
        "note = [" + "0.1, " * 50 + "]",
        'note = """\nIntroduction ' + "." * 50 + "\na.b.c." + "d." * 50 + '\n"""',
        "note = '''\nit's " + "a." * 50 + "\n'''",
        "# it's \"open\nnote = 'x' # '" + "a." * 50,
    ],
)
def test_dots_outside_of_keys_are_no_parts(tmp_path: Path, text: str) -> None:
    (tmp_path / "mnv2.toml").write_text(text)
    assert len(read_config(str(tmp_path)).values) == 1


def test_byte_order_mark_is_skipped(tmp_path: Path) -> None:
    (tmp_path / "mnv2.toml").write_bytes(b"\xef\xbb\xbftop = 1\r\n")
    assert read_config(str(tmp_path)).values[("top",)].line == 1


def test_line_is_unknown_rather_than_searched_for_ever() -> None:
    text = "".join(f"[a{number}]\nx = 'top'\n" for number in range(2_000)) + "[b]\ntop = 1\n"
    assert line_of(text, ("b", "top")) == 0


def test_user_file_above_the_current_folder_is_the_users(user: Path) -> None:
    user.write_text("[sort]\nmove = true\n")
    below = user.parent / "below"
    below.mkdir()
    for folder in (user.parent, below):
        (file,) = read_config(str(folder)).files
        assert (file.path, file.is_project) == (str(user), False)


def test_link_to_the_user_file_is_a_project_file(tmp_path: Path, user: Path) -> None:
    user.write_text("")
    (tmp_path / "mnv2.toml").symlink_to(user)
    assert [file.is_project for file in read_config(str(tmp_path)).files] == [True, False]


def test_broken_pyproject_of_others_is_not_read(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_bytes(b"[tool.x\n\xff")
    assert read_config(str(tmp_path)).files == ()


@pytest.mark.skipif(not hasattr(os, "geteuid"), reason="files have no owners here")
def test_file_of_another_user_is_ignored(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "mnv2.toml").write_text("size = 96\n")
    owner = (tmp_path / "mnv2.toml").stat().st_uid
    stat = os.stat

    def of_another(path: str, **kwargs: object) -> os.stat_result:
        found = list(stat(path))
        found[4] = owner + 4242
        return os.stat_result(found)

    monkeypatch.setattr("mnv2cli.config.locate.os.stat", of_another)
    config = read_config(str(tmp_path))
    assert config.files == ()
    assert config.untrusted == (str(tmp_path / "mnv2.toml"),)


@pytest.mark.skipif(not hasattr(os, "geteuid"), reason="files have no owners here")
@pytest.mark.parametrize(
    ("name", "text", "is_ignored"),
    [
        ("mnv2.toml", "[broken", True),
        ("pyproject.toml", "[tool.mnv2.classify]\n[broken", True),
        ("pyproject.toml", "[project]\nname = 'mnv2'\n[broken", False),
    ],
)
def test_file_of_another_user_is_not_parsed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, text: str, is_ignored: bool
) -> None:
    path = tmp_path / name
    path.write_text(text)
    monkeypatch.setattr("mnv2cli.config.read.is_trusted", lambda path: False)
    config = read_config(str(tmp_path))
    assert (config.files, config.untrusted) == ((), (str(path),) if is_ignored else ())


@pytest.mark.skipif(not hasattr(os, "geteuid"), reason="files have no owners here")
def test_link_of_another_user_is_not_trusted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own, link = tmp_path / "own.toml", tmp_path / "mnv2.toml"
    own.write_text("size = 96\n")
    link.symlink_to(own)
    assert is_trusted(str(link))
    lstat = os.lstat

    def of_another(path: str, **kwargs: object) -> os.stat_result:
        found = list(lstat(path))
        found[4] += 4242 * (str(path) == str(link))
        return os.stat_result(found)

    monkeypatch.setattr("mnv2cli.config.locate.os.lstat", of_another)
    assert not is_trusted(str(link))
    assert is_trusted(str(own))
