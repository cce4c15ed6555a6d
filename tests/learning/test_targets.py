"""What the names of folders mean to a model."""

from __future__ import annotations

import pytest

from mnv2cli.errors import InputError
from mnv2cli.labels.imagenet import imagenet_labels
from mnv2cli.learning.targets import match

LABELS = imagenet_labels()
TABBY = next(i for i, label in enumerate(LABELS) if label.wnid == "n02123045")


@pytest.mark.parametrize(
    ("name", "kind", "title", "classes"),
    [
        ("n02123045", "id", "tabby", 1),
        ("n02123045_tabby", "id", "tabby", 1),
        ("tabby", "label", "tabby", 1),
        ("egyptian_CAT", "label", "Egyptian cat", 1),
        ("crane (n02012849)", "id", "crane", 1),
        ("n02084071", "id", "dog", 118),
        ("dog", "category", "dog", 119),
        ("computer and phone", "category", "computer and phone", 20),
        ("Terrier", "node", "terrier", 26),
    ],
)
def test_a_folder_is_an_id_a_label_a_category_or_a_node(
    name: str, kind: str, title: str, classes: int
) -> None:
    target = match([name], ()).matched[name]
    assert (target.kind, target.title) == (kind, title)
    assert len(target.classes) == classes


@pytest.mark.parametrize("name", ["crane", "Maillot", "cardigan"])
def test_a_label_that_two_classes_share_needs_its_id(name: str) -> None:
    with pytest.raises(InputError, match=r"ambiguous: two classes") as caught:
        match([name], ())
    assert "n0" in caught.value.hint and " or n0" in caught.value.hint


def test_classes_that_share_a_label_keep_the_names_of_their_folders() -> None:
    found = match(["n02012849", "n03126707"], ())
    assert [target.title for target in found.matched.values()] == ["n02012849", "n03126707"]


def test_own_classes_match_without_regard_to_case_unless_two_differ_only_by_it() -> None:
    found = match(["Cat", "DOG", "bird", "fish"], ("cat", "dog", "Fish", "FISH"))
    assert {name: target.classes for name, target in found.matched.items()} == {
        "Cat": {0},
        "DOG": {1},
    }
    assert found.unmatched == ("bird", "fish")
    assert found.described() == "2 classes of the model"


def test_names_that_mean_nothing_are_named() -> None:
    with pytest.raises(InputError, match="class of ImageNet: 'qwerty'"):
        match(["qwerty"], ())
    with pytest.raises(InputError, match="class of the model: 'tabby'") as caught:
        match(["tabby"], ("receipt", "holiday"))
    assert "'receipt', 'holiday'" in caught.value.hint


def test_how_names_were_matched_is_described() -> None:
    found = match(["tabby", "n02084071", "dog", "beagle", "zzz"], ())
    assert found.described() == "1 WordNet id, 2 labels and 1 category"
    assert TABBY in found.matched["tabby"].classes
