"""A user's categories override the built-in ones."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from mnv2cli.errors import InputError
from mnv2cli.labels.categories_file import builtin, load
from tests.labels.scores import scores


def test_categories_of_a_file_override_the_built_in_ones(tmp_path: Path) -> None:
    file = tmp_path / "mine.toml"
    file.write_text(
        '[dog]\nname = "Dogs"\nthreshold = 0.5\n'
        '[vehicle]\nmerge = ["car", "truck and bus"]\n'
        '[spaniels]\nnodes = ["spaniel"]\n'
        '[flower]\nadd = ["banjo"]\n'
    )
    mine = load(str(file))
    assert mine(scores(chow=0.6)).name == "Dogs"
    assert mine(scores(chow=0.4, tabby=0.1)).name == "cat"
    assert mine(scores(jeep=0.3, minibus=0.3, tabby=0.4)).name == "vehicle"
    assert mine(scores(Sussex_spaniel=0.9)).name == "spaniels"
    assert mine(scores(banjo=0.9)).name == "flower"


def test_a_byte_order_mark_is_ignored(tmp_path: Path) -> None:
    file = tmp_path / "mine.toml"
    file.write_text('[dog]\nname = "Dogs"\n', encoding="utf-8-sig")
    assert load(str(file))(scores(chow=0.6)).name == "Dogs"


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes here")
def test_a_named_pipe_is_refused_without_waiting(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(InputError, match="not a regular file"):
        load(str(tmp_path / "pipe"))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[dog]\nthreshold" + ".a" * 30_000 + " = 1", r"too many parts \(at line 2\)"),
        ("[dog]\nthreshold = " + "9" * 6_000, "too many digits"),
    ],
)
def test_what_the_parser_cannot_read_is_an_error(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "mine.toml").write_text(text)
    with pytest.raises(InputError, match=message):
        load(str(tmp_path / "mine.toml"))


def test_images_of_an_ignored_category_have_no_category(tmp_path: Path) -> None:
    file = tmp_path / "mine.toml"
    file.write_text("[bird]\nignore = true\n[dog]\nthreshold = 0.5\n")
    mine = load(str(file))
    found = mine(scores(robin=0.9, tabby=0.1))
    assert (found.name, round(found.score, 5), round(found.margin, 5)) == ("", 0.9, 0.8)
    found = mine(scores(robin=0.4, tabby=0.6))  # the lead over an ignored category counts
    assert (found.name, round(found.margin, 5)) == ("cat", 0.2)
    file.write_text("".join(f'["{c.key}"]\nignore = true\n' for c in builtin().all))
    assert load(str(file))(scores(chow=1)).name == ""
    file.write_text("".join(f'["{c.key}"]\nthreshold = 1\n' for c in builtin().all))
    found = load(str(file))(scores(chow=0.5, tabby=0.5))
    assert (found.name, found.score) == ("", 0)


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        ("[dessert]\nnodes = []", "[dessert] has no classes: it has no nodes", "ignore = true"),
        (
            '[person]\nnodes = ["person"]',
            "[person] has no classes: of the 3 classes below person, [sport] claims ballplayer, "
            "scuba diver; [clothing] claims groom",
            "Deeper nodes win",
        ),
        (
            '[pets]\nnodes = ["dog"]\n[dogs]\nnodes = ["dog"]',
            "[pets] has no classes: a later section names its nodes too",
            "merge",
        ),
        (
            '["big cats"]\nnodes = ["domestic cat"]\n[cats]\nnodes = ["tabby", "tiger cat", '
            '"Persian cat", "Siamese cat", "Egyptian cat"]',
            "of the 5 classes below domestic cat, [cats] claims tabby, tiger cat, Persian cat and "
            "2 more",
            "name the classes themselves",
        ),
    ],
)
def test_categories_without_classes_are_errors_with_the_reason(
    tmp_path: Path, text: str, message: str, hint: str
) -> None:
    file = tmp_path / "mine.toml"
    file.write_text(text)
    with pytest.raises(InputError) as caught:
        load(str(file))
    assert caught.value.message.startswith(f"{file}: [") and message in caught.value.message
    assert hint in caught.value.hint


def test_built_in_categories_that_lose_all_classes_are_dropped(tmp_path: Path) -> None:
    file = tmp_path / "mine.toml"
    file.write_text('[cats]\nnodes = ["domestic cat"]\n')
    mine = load(str(file))
    assert "cat" not in [category.name for category in mine.all]
    assert mine(scores(tabby=0.9)).name == "cats"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("x = 1", "is not in a section"),
        ("[dog", "is not valid TOML"),
        ("[dgo]\nname = 'x'", "\\[dgo\\] is not a built-in category"),
        ("[dog]\ncolour = 'red'", "unknown key 'colour'; use nodes"),
        ("[dog]\nthreshold = 'x'", "wrong type for 'threshold'"),
        ("[dog]\nthreshold = true", "wrong type for 'threshold'"),
        ("[dog]\nthreshold = 2", "is not between 0 and 1"),
        ("[dog]\nname = ' '", "empty name"),
        ("[dog]\nname = 'CAT'", "two categories are named"),
        ("[dog]\nadd = ['no such thing']", "which is not in the tree"),
        ("[dog]\nadd = ['crane']", r"'crane \(n02012849\)', 'crane \(n03126707\)'"),
        ("[dog]\nmerge = ['dog']", "cannot merge 'dog'"),
        ("[dog]\nnodes = [1]", "wrong type for 'nodes'"),
        ("[other]\nnodes = []\n['wild animal']\nnodes = []", "no category claims the class"),
    ],
)
def test_files_of_categories_are_checked(tmp_path: Path, text: str, message: str) -> None:
    file = tmp_path / "mine.toml"
    file.write_text(text)
    with pytest.raises(InputError, match=message):
        load(str(file))


def test_files_of_categories_that_cannot_be_read_are_errors(tmp_path: Path) -> None:
    (tmp_path / "latin.toml").write_bytes(b"# \xff")
    for name, message in [("none.toml", "cannot read"), ("latin.toml", "is not UTF-8")]:
        with pytest.raises(InputError, match=message):
            load(str(tmp_path / name))


def test_a_file_does_not_change_the_built_in_categories(tmp_path: Path) -> None:
    before = repr(builtin().all)
    file = tmp_path / "mine.toml"
    file.write_text('[dog]\nname = "Dogs"\nmerge = ["cat"]\n')
    assert repr(load(str(file)).all) != before
    assert repr(builtin().all) == before
    file.write_text("")
    assert repr(load(str(file)).all) == before


@pytest.mark.skipif(os.name == "nt", reason="/dev/fd of POSIX")
@pytest.mark.parametrize("folder", ["/dev/fd", "/proc/self/fd"])
def test_output_of_a_command_in_the_shell_is_read(folder: str) -> None:
    if not os.path.isdir(folder):
        pytest.skip(f"there is no {folder}")
    reader, writer = os.pipe()
    os.write(writer, b'[spaniels]\nnodes = ["spaniel"]\n')
    os.close(writer)
    assert load(f"{folder}/{reader}")(scores(Sussex_spaniel=0.9)).name == "spaniels"
    os.close(reader)
