"""Folder names, templates, categories, the tree, and results read back."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import Result
from PIL import Image

from mnv2cli.errors import InputError
from mnv2cli.images.decode import taken_at
from mnv2cli.labels.categories import builtin, load
from mnv2cli.labels.imagenet import imagenet_labels
from mnv2cli.labels.tree import ROOT, Rollup, tree
from mnv2cli.records import CategoryScore, Prediction, Record
from mnv2cli.sorting.folders import Folders, safe_name
from tests.conftest import draw
from tests.sorting.trees import categorised, record

Invoke = Callable[..., Result]


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("dog", "dog"),
        ("../../etc", "_._.._etc"),
        ("..", "_"),
        (".", "_"),
        ("", "_"),
        ("/etc/passwd", "_etc_passwd"),
        ("C:\\x", "C__x"),
        ("a\0b\nc\x1b[31m", "a_b_c_[31m"),
        ("CON", "_CON"),
        ("nul.txt", "_nul.txt"),
        ("com1", "_com1"),
        ("LPT9.jpg", "_LPT9.jpg"),
        ("console", "console"),
        ("dots...", "dots"),
        ("blank  ", "blank"),
        (".mnv2", "_mnv2"),
        ("a/b", "a_b"),
        ("x" * 300, "x" * 100),
        ("\U0001f408" * 80, "\U0001f408" * 50),
        ("cafe\u0301", "caf\u00e9"),
        ("\u202egpj.exe", "_gpj.exe"),
        ("\udcff", "_"),
    ],
)
def test_names_are_safe_on_every_system(text: str, name: str) -> None:
    assert safe_name(text) == name


def place(template: str, found: Record, **options: Any) -> str:
    return Folders(template, **options).place(found).folder


def test_templates_are_filled_in() -> None:
    found = record("a.jpg", "tench", 0.87, model="net", category=CategoryScore("fish", 0.9, 0.5))
    assert place("{label}", found) == "tench"
    assert place("{category}/{label}", found) == "fish/tench"
    assert place("{wnid} {model}", found) == "n01440764 net"
    assert place("by {score:.1f}", found) == "by 0.9"
    taken = {"taken": lambda path: "2024:05:06 07:08:09"}
    assert place("{year}/{month}", found, **taken) == "2024/05"
    assert place("{year}/{label}", found) == "undated/tench"
    evil = record("a.jpg", "../../evil")
    assert place("{label}", evil) == "_._.._evil"
    for wnid in ("n02012849", "n03126707"):
        crane = Record("a.jpg", (Prediction(wnid, "crane", 0.9),))
        assert place("{label}", crane) == f"crane ({wnid})"


@pytest.mark.parametrize(
    "template",
    ["", "/", "a//b", "../x", "{label", "{labels}", "{label.__class__}", "{label[0]}", "{label!r}",
     "{label:>99999999}", "{score:9999999.1f}", "{0}", "{}", " / x", "x/.."],
)  # fmt: skip
def test_templates_that_cannot_be_used_are_refused(template: str) -> None:
    with pytest.raises(InputError, match="the template"):
        Folders(template)


def test_what_results_lack_is_told() -> None:
    with pytest.raises(InputError, match="no categories") as caught:
        place("{category}", record("a.jpg"))
    assert "mnv2 classify --category" in caught.value.hint
    with pytest.raises(InputError, match="no nodes"):
        place("{node}", record("a.jpg"))
    with pytest.raises(InputError, match="has no meaning"):
        Folders("{node}", margin=0.1)


def test_the_decisive_score_is_that_of_the_folder() -> None:
    found = categorised("a.jpg", "dog", 0.6)
    assert place("{category}", found, threshold=0.7) == "unsure"
    assert place("{label}", found, threshold=0.7) == "tench"
    pair = (Prediction("n1", "a", 0.5), Prediction("n2", "b", 0.45))
    assert place("{label}", Record("a.jpg", pair), margin=0.1) == "unsure"
    assert place("{label}", Record("a.jpg", ()), margin=0.1) == "unsure"


def test_the_date_is_that_of_the_exif(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0132] = "2023:01:02 03:04:05"
    path = draw(tmp_path / "a.jpg", exif=exif)
    assert taken_at(str(path)) == "2023:01:02 03:04:05"
    exif.get_ifd(0x8769)[0x9003] = "2020:11:12 13:14:15"
    path = draw(tmp_path / "b.jpg", exif=exif)
    assert taken_at(str(path)) == "2020:11:12 13:14:15"
    exif = Image.Exif()
    exif[0x0132] = "../../:..:.."
    assert taken_at(str(draw(tmp_path / "c.jpg", exif=exif))) == ""
    assert taken_at(str(draw(tmp_path / "d.png"))) == ""


# The tree and the categories


def scores(**given: float) -> np.ndarray[Any, Any]:
    array = np.zeros(1000, np.float32)
    for name, score in given.items():
        (wnid,) = tree().named(name.replace("_", " "))
        array[tree().classes[wnid]] = score
    return array


def test_every_class_is_in_the_tree_and_in_a_category() -> None:
    assert len(tree().nodes) == 1860 and tree().nodes[ROOT].name == "entity"
    for label in imagenet_labels():
        assert ROOT in tree().above(label.wnid)
    found = builtin()
    assert len(found.all) == 40 and len(found.of_class) == 1000
    assert sum(len(found.classes(category)) for category in found.all) == 1000


def test_expected_categories_are_those_of_the_classes() -> None:
    text = Path(__file__).parents[1].joinpath("labels", "expected_categories.csv").read_text()
    found = builtin()
    for row in csv.DictReader(text.splitlines()):
        place = found.of_class[tree().classes[row["wnid"]]]
        assert found.all[place].name == row["category"]


def test_three_breeds_are_a_dog() -> None:
    found = builtin()(scores(chow=0.2, Samoyed=0.2, Pomeranian=0.2, tabby=0.4))
    assert (found.name, round(found.score, 5), round(found.margin, 5)) == ("dog", 0.6, 0.2)


def test_rollup_is_as_exact_as_it_is_sure() -> None:
    sure = Rollup(0.6)
    assert sure(scores(Sussex_spaniel=0.9, tabby=0.1)).label == "Sussex spaniel"
    assert sure(scores(Sussex_spaniel=0.4, cocker_spaniel=0.4, tabby=0.2)).label == "spaniel"
    assert sure(scores(Sussex_spaniel=0.4, chow=0.4, banjo=0.2)).label == "dog"
    assert sure(scores(chow=0.4, tench=0.4, banjo=0.2)).label in ("chordate", "vertebrate")
    assert sure(np.zeros(1000, np.float32)).wnid == ROOT


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


def test_labels_prints_what_there_is(invoke: Invoke, tmp_path: Path) -> None:
    assert "wild animal" in invoke("labels").stdout
    rows = list(csv.DictReader(io.StringIO(invoke("labels", "--csv").stdout)))
    assert len(rows) == 1000 and rows[0] == {
        "wnid": "n01440764", "label": "tench", "category": "fish",
    }  # fmt: skip
    assert json.loads(invoke("labels", "--json").stdout) == rows
    (tmp_path / "mine.toml").write_text(invoke("labels", "--toml").stdout)
    assert load(str(tmp_path / "mine.toml")).of_class == builtin().of_class
    shown = invoke("labels", "--tree", "spaniel").stdout
    assert "Sussex spaniel  n02102480" in shown and "banjo" not in shown
    assert invoke("labels", "--tree").stdout.count("\n") > 1800
    for args, message in [
        (["--tree", "crane"], "may be"), (["--tree", "nothing"], "no 'nothing'"),
        (["dog"], "is for --tree"), (["--csv", "--json"], "choose one"),
    ]:  # fmt: skip
        result = invoke("labels", *args)
        assert result.exit_code == 2 and message in result.stderr
