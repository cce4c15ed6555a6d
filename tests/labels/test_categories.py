"""The built-in categories."""

from __future__ import annotations

import csv
from pathlib import Path

from mnv2cli.labels.categories_file import builtin, load
from mnv2cli.labels.imagenet import imagenet_labels
from mnv2cli.labels.tree import ROOT, tree
from mnv2cli.records import CategoryScore
from tests.labels.scores import scores


def test_every_class_is_in_the_tree_and_in_a_category() -> None:
    assert len(tree().nodes) == 1860 and tree().nodes[ROOT].name == "entity"
    for label in imagenet_labels():
        assert ROOT in tree().above(label.wnid)
    found = builtin()
    assert len(found.all) == 41 and len(found.of_class) == 1000
    assert sum(len(found.classes(category)) for category in found.all) == 1000


def test_expected_categories_are_those_of_the_classes() -> None:
    text = Path(__file__).with_name("expected_categories.csv").read_text()
    found = builtin()
    for row in csv.DictReader(text.splitlines()):
        place = found.of_class[tree().classes[row["wnid"]]]
        assert found.all[place].name == row["category"]


def test_the_scores_of_classes_add_up_in_their_category() -> None:
    found = builtin()(scores(chow=0.2, Samoyed=0.2, Pomeranian=0.2, tabby=0.4))
    assert (found.name, round(found.score, 5), round(found.margin, 5)) == ("dog", 0.6, 0.2)


def test_a_category_with_a_small_lead_is_none() -> None:
    given = scores(chow=0.2, Samoyed=0.3, tabby=0.4)  # the best class is a cat
    assert builtin()(given, 0.1).name == "dog"
    assert builtin()(given, 0.11) == CategoryScore("", 0.0, 0.0)


def test_deeper_nodes_take_precedence(tmp_path: Path) -> None:
    file = tmp_path / "mine.toml"
    file.write_text('[spaniels]\nnodes = ["spaniel"]\n[favourite]\nnodes = ["Sussex spaniel"]\n')
    mine = load(str(file))
    for name, category in [
        ("Sussex_spaniel", "favourite"), ("cocker_spaniel", "spaniels"), ("chow", "dog"),
    ]:  # fmt: skip
        assert mine(scores(**{name: 0.9})).name == category


def test_classes_are_in_the_categories_that_people_expect() -> None:
    found = builtin()
    wanted = {
        "weapon": ["missile", "projectile", "guillotine"],
        "aircraft": ["balloon"],  # the ones that people fly in
        "room and furniture": ["restaurant", "file", "hand blower", "medicine chest"],
        "book and paper": ["menu"],
        "clothing": ["apron", "bearskin", "pickelhaube", "buckle", "wool", "velvet"],
        "other": ["hay", "crate"],
        "sport": ["snorkel", "reel"],  # for fishing
        "building": ["cinema", "viaduct", "sundial"],  # out of doors
        "car": ["minivan", "oil filter"],
        "street": ["parking meter"],
        "farm animal": ["horse cart", "oxcart", "Arabian camel"],  # none of these is wild
        "small pet": ["hamster", "guinea pig", "Angora"],  # a rabbit
        "wild animal": ["trilobite", "wood rabbit", "hare"],
        "dog": ["muzzle"],  # on a dog
        "flower": ["cardoon"],  # in bloom
        "dish": ["soup bowl", "plate"],  # with food
        "music": ["pick", "stage", "chime"],  # for a guitar; of a concert; a bell
        "kitchenware": ["cleaver"],
        "jewellery and cosmetics": ["lipstick", "sunscreen", "necklace"],
        "tree and plant": ["pot"],  # a flowerpot
    }
    for category, names in wanted.items():
        for name in names:
            assert found(scores(**{name.replace(" ", "_"): 0.9})).name == category, name
