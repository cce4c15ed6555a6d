"""What a name means: a category, a label or a node."""

from __future__ import annotations

import pytest

from mnv2cli.labels.categories_file import builtin
from mnv2cli.labels.imagenet import Label, imagenet_labels
from mnv2cli.selecting.names import Names, UnknownNameError


@pytest.fixture(scope="module")
def names() -> Names:
    return Names(imagenet_labels(), builtin())


@pytest.mark.parametrize(
    ("what", "kinds", "name"),
    [
        ("dog", ["category", "node"], "dog"),
        ("DOG", ["category", "node"], "dog"),
        ("node:dog", ["node"], "dog"),
        ("Node: dog", ["node"], "dog"),
        ("mushroom", ["category", "label"], "mushroom"),
        ("label:mushroom", ["label"], "mushroom"),
        ("egyptian_cat", ["label"], "Egyptian cat"),
        ("Egyptian  Cat", ["label"], "Egyptian cat"),
        ("n02124075", ["label"], "Egyptian cat"),
        ("crane (n02012849)", ["label"], "crane"),
        ("spaniel", ["node"], "spaniel"),
        ("n02084071", ["node"], "dog"),
        ("mask", ["label", "node"], "mask"),
    ],
)
def test_a_name_means_first_a_category_then_a_label_then_a_node(
    names: Names, what: str, kinds: list[str], name: str
) -> None:
    found = names.meanings(what)
    assert [each.kind for each in found] == kinds
    assert found[0].name == name


def _keys(names: Names, what: str) -> frozenset[str]:
    return names.meanings(what)[0].keys


def test_two_classes_of_one_name_are_both_meant_unless_the_id_chooses(names: Names) -> None:
    assert names.meanings("crane")[0].keys == {"n02012849", "n03126707"}
    assert names.meanings("n03126707")[0].keys == {"n03126707"}


def test_a_node_stands_for_all_classes_below_it(names: Names) -> None:
    found = [label.name for label in imagenet_labels() if label.wnid in _keys(names, "spaniel")]
    assert {"cocker spaniel", "English springer", "clumber"} < set(found)
    assert len(found) == 7
    assert len(names.meanings("entity")[0].keys) == 1000


def test_meanings_with_the_same_classes_are_one(names: Names) -> None:
    assert [each.kind for each in names.meanings("fish")] == ["category"]  # and a node


def test_lowest_scores_are_those_of_sort(names: Names) -> None:
    assert names.meanings("dog")[0].min_score == 0.5
    assert names.meanings("node:dog")[0].min_score == 0.5
    assert names.meanings("tabby")[0].min_score == 0.3
    own = Names([Label("", "rex"), Label("", "tom")], thresholds={"rex": 0.7})
    assert [own.meanings(name)[0].min_score for name in ("rex", "Tom")] == [0.7, 0.5]


@pytest.mark.parametrize(
    ("what", "message", "hint"),
    [
        ("dgo", "'dgo' is not a category, a label or a node", "mnv2 labels"),
        ("node:dgo", "'dgo' is not a node", "mnv2 labels"),
        ("category:tabby", "'tabby' is not a category", "Use label:tabby."),
        ("label:spaniel", "'spaniel' is not a label", "Use node:spaniel."),
        ("", "'' is not a category, a label or a node", "mnv2 labels"),
    ],
)
def test_an_unknown_name_is_an_error_that_names_other_kinds(
    names: Names, what: str, message: str, hint: str
) -> None:
    with pytest.raises(UnknownNameError) as error:
        names.meanings(what)
    assert error.value.message == message
    assert hint in error.value.hint


def test_a_model_of_the_user_has_its_own_classes_only() -> None:
    own = Names([Label("", "rex"), Label("", "label:odd")])
    assert own.meanings("REX")[0].keys == {"rex"}
    assert own.meanings("label:odd")[0].keys == {"label:odd"}
    with pytest.raises(UnknownNameError, match="'dog' is not a class of the model"):
        own.meanings("dog")
    with pytest.raises(UnknownNameError, match="categories require ImageNet's classes"):
        own.meanings("category:dog")
    assert own.all() == ["label:odd", "rex"]


def test_categories_of_results_can_be_named() -> None:
    names = Names(imagenet_labels(), builtin(), others=["My pets"])
    (found,) = names.meanings("my pets")
    assert (found.kind, found.name, found.keys) == ("category", "My pets", frozenset())
