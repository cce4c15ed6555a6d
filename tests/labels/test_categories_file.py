"""Categories of the user's are laid over the built-in ones."""

from __future__ import annotations

from pathlib import Path

import pytest

from mnv2cli.errors import InputError
from mnv2cli.labels.categories_file import builtin, load
from tests.labels.scores import scores


def test_users_lay_their_categories_over_the_built_in_ones(tmp_path: Path) -> None:
    file = tmp_path / "mine.toml"
    file.write_text(
        '[dog]\nname = "Dogs"\nthreshold = 0.5\n'
        '[vehicle]\nmerge = ["car", "truck and bus"]\n'
        "[bird]\nignore = true\n"
        '[spaniels]\nnodes = ["spaniel"]\n'
        '[flower]\nadd = ["banjo"]\n'
    )
    mine = load(str(file))
    assert mine(scores(chow=0.6)).name == "Dogs"
    assert mine(scores(chow=0.4, tabby=0.1)).name == "cat"
    assert mine(scores(jeep=0.3, minibus=0.3, tabby=0.4)).name == "vehicle"
    assert mine(scores(robin=0.9, tabby=0.1)).name == "cat"
    assert mine(scores(Sussex_spaniel=0.9)).name == "spaniels"
    assert mine(scores(banjo=0.9)).name == "flower"
    everything = tmp_path / "none.toml"
    everything.write_text("".join(f'["{c.key}"]\nignore = true\n' for c in builtin().all))
    assert load(str(everything))(scores(chow=1)).name == ""


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("x = 1", "stands outside of a section"),
        ("[dog", "is no TOML"),
        ("[dgo]\nname = 'x'", "there is no category 'dgo'"),
        ("[dog]\ncolour = 'red'", "has 'colour', but knows only nodes"),
        ("[dog]\nthreshold = 'x'", "wrong kind for 'threshold'"),
        ("[dog]\nthreshold = true", "wrong kind for 'threshold'"),
        ("[dog]\nthreshold = 2", "is not from 0 to 1"),
        ("[dog]\nname = ' '", "empty name"),
        ("[dog]\nname = 'CAT'", "two categories are named"),
        ("[dog]\nadd = ['no such thing']", "which is not in the tree"),
        ("[dog]\nadd = ['crane']", r"'crane \(n02012849\)', 'crane \(n03126707\)'"),
        ("[dog]\nmerge = ['dog']", "merges 'dog', which is no category"),
        ("[dog]\nnodes = [1]", "wrong kind for 'nodes'"),
        ("[other]\nnodes = []\n['wild animal']\nnodes = []", "no category takes the class"),
    ],
)
def test_files_of_categories_are_checked(tmp_path: Path, text: str, message: str) -> None:
    file = tmp_path / "mine.toml"
    file.write_text(text)
    with pytest.raises(InputError, match=message):
        load(str(file))


def test_files_of_categories_that_cannot_be_read(tmp_path: Path) -> None:
    (tmp_path / "latin.toml").write_bytes(b"# \xff")
    for name, message in [("none.toml", "cannot be read"), ("latin.toml", "is not UTF-8")]:
        with pytest.raises(InputError, match=message):
            load(str(tmp_path / name))


def test_built_in_categories_stay_as_they_are(tmp_path: Path) -> None:
    before = repr(builtin().all)
    file = tmp_path / "mine.toml"
    file.write_text('[dog]\nname = "Dogs"\nmerge = ["cat"]\n')
    assert repr(load(str(file)).all) != before
    assert repr(builtin().all) == before
    file.write_text("")
    assert repr(load(str(file)).all) == before
