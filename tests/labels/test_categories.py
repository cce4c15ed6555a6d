"""The built-in categories."""

from __future__ import annotations

import csv
from pathlib import Path

from mnv2cli.labels.categories_file import builtin
from mnv2cli.labels.imagenet import imagenet_labels
from mnv2cli.labels.tree import ROOT, tree
from tests.labels.scores import scores


def test_every_class_is_in_the_tree_and_in_a_category() -> None:
    assert len(tree().nodes) == 1860 and tree().nodes[ROOT].name == "entity"
    for label in imagenet_labels():
        assert ROOT in tree().above(label.wnid)
    found = builtin()
    assert len(found.all) == 40 and len(found.of_class) == 1000
    assert sum(len(found.classes(category)) for category in found.all) == 1000


def test_expected_categories_are_those_of_the_classes() -> None:
    text = Path(__file__).with_name("expected_categories.csv").read_text()
    found = builtin()
    for row in csv.DictReader(text.splitlines()):
        place = found.of_class[tree().classes[row["wnid"]]]
        assert found.all[place].name == row["category"]


def test_three_breeds_are_a_dog() -> None:
    found = builtin()(scores(chow=0.2, Samoyed=0.2, Pomeranian=0.2, tabby=0.4))
    assert (found.name, round(found.score, 5), round(found.margin, 5)) == ("dog", 0.6, 0.2)
