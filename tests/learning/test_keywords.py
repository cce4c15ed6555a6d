"""Classes from the keywords of photos: learned, and evaluated."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

import mnv2cli
from mnv2cli.errors import InputError, NoImagesError
from mnv2cli.labels.imagenet import imagenet_labels
from mnv2cli.learning.evaluate import EvaluationSet
from mnv2cli.learning.keywords import (
    KeywordClasses,
    from_keywords,
    labelled_by_keywords,
    skipped_photos,
)
from mnv2cli.sources.options import Filters
from tests.tagging.photos import packet, save

ALL = KeywordClasses()


def tag(folder: Path, name: str, *words: str, ours: tuple[str, ...] | None = None) -> Path:
    """Write a photo whose sidecar has keywords."""
    photo = save(folder / f"{name}.png", red=sum(name.encode()))
    if words:
        (folder / f"{name}.png.xmp").write_bytes(packet(*words, ours=ours))
    return photo


def classes(found: object) -> dict[str, str]:
    """Return the class of each photo, by its name."""
    return {Path(each.path).stem: each.name for each in found.photos}  # type: ignore[attr-defined]


def reasons(found: object) -> dict[str, str]:
    """Return why each photo is skipped, by its name."""
    return {Path(path).stem: why for path, why in found.skipped}  # type: ignore[attr-defined]


def test_chosen_keywords_are_classes_in_any_layout(tmp_path: Path) -> None:
    tag(tmp_path, "a", "kitchen", "2020")
    tag(tmp_path / "x" / "y", "b", "BATH", "kitchenette")
    save(tmp_path / "c.jpg", packet("bath", "2020"))
    tag(tmp_path, "d", "2020")
    tag(tmp_path, "e")
    tag(tmp_path, "f", "Bath", "kitchen")
    found = from_keywords(str(tmp_path), KeywordClasses(("Kitchen", "bath")))
    assert found.names == ("BATH", "kitchen")
    assert classes(found) == {"a": "kitchen", "b": "BATH", "c": "BATH"}
    why = reasons(found)
    assert why["d"] == "no keyword of a class: 2020"
    assert why["e"] == "no keyword"
    assert why["f"] == "keywords of several classes: BATH, kitchen"


def test_class_is_named_as_most_photos_spell_it(tmp_path: Path) -> None:
    for number, word in enumerate(("bath", "Bath", "Bath", "BATH")):
        tag(tmp_path, str(number), word)
    assert set(classes(from_keywords(str(tmp_path), KeywordClasses(("bath",)))).values()) == {
        "Bath"
    }


def test_words_are_merged_into_a_class(tmp_path: Path) -> None:
    for name, word in zip("abcd", ("tub", "Tub", "bath", "kitchen"), strict=True):
        tag(tmp_path, name, word)
    tag(tmp_path, "e", "tub", "bath")
    chosen = KeywordClasses(("bath", "tub=bath", "kitchen=Küche"))
    found = from_keywords(str(tmp_path), chosen)
    assert found.names == ("bath", "Küche")
    assert classes(found) == {"a": "bath", "b": "bath", "c": "bath", "d": "Küche", "e": "bath"}


def test_keyword_without_photos_remains_a_class(tmp_path: Path) -> None:
    tag(tmp_path, "a", "kitchen")
    found = from_keywords(str(tmp_path), KeywordClasses(("kitchen", "garden")))
    assert found.names == ("garden", "kitchen")


def test_without_chosen_keywords_those_of_enough_photos_are_classes(tmp_path: Path) -> None:
    for name, words in {
        "a": ("kitchen", "once"),
        "b": ("kitchen",),
        "c": ("bath", "House/upstairs"),
        "d": ("bath", "House/upstairs"),
        "e": ("bath", "wide"),
        "f": ("kitchen", "wide"),
        "g": ("kitchen", "bath"),
        "h": ("unknown",),
        "i": ("unknown",),
    }.items():
        tag(tmp_path, name, *words)
    found = from_keywords(str(tmp_path), ALL)
    assert found.names == ("bath", "kitchen")
    assert "".join(sorted(classes(found))) == "abcdef"
    assert reasons(found)["g"] == "keywords of several classes: bath, kitchen"
    found.check()


def test_photo_that_only_this_tool_tagged_is_no_truth(tmp_path: Path) -> None:
    for name in "abcd":
        tag(tmp_path, name, "kitchen", "cat", ours=("cat",))
        tag(tmp_path, name * 2, "cat", ours=("cat",))
    found = from_keywords(str(tmp_path), KeywordClasses(("kitchen", "cat")))
    assert classes(found) == dict.fromkeys("abcd", "kitchen")
    assert reasons(found)["aa"] == "no keyword"


def test_unreadable_sidecar_skips_its_photo_alone(tmp_path: Path) -> None:
    tag(tmp_path, "a", "kitchen")
    tag(tmp_path, "b", "kitchen")
    (tmp_path / "b.png.xmp").write_bytes(b"<x")
    found = from_keywords(str(tmp_path), KeywordClasses(("kitchen",)))
    assert classes(found) == {"a": "kitchen"}
    assert reasons(found)["b"].startswith("unreadable sidecar: b.png.xmp: ")


def test_keywords_of_the_raw_photo_of_a_shot_count(tmp_path: Path) -> None:
    save(tmp_path / "IMG_1.jpg")
    (tmp_path / "IMG_1.CR2").write_bytes(b"")
    (tmp_path / "IMG_1.xmp").write_bytes(packet("kitchen"))
    found = from_keywords(str(tmp_path), KeywordClasses(("kitchen",)))
    assert classes(found) == {"IMG_1": "kitchen"}
    assert len(found.photos) == 1


def test_names_that_are_not_utf_8_and_filters_are_used(tmp_path: Path) -> None:
    tag(tmp_path, "a", "kitchen")
    for suffix in (b".png", b".png.xmp"):
        os.rename(os.fsencode(tmp_path) + b"/a" + suffix, os.fsencode(tmp_path) + b"/\xe9" + suffix)
    tag(tmp_path, "b", "kitchen")
    found = from_keywords(str(tmp_path), KeywordClasses(("kitchen",)), Filters(exclude=("b.*",)))
    assert [os.fsencode(os.path.basename(each.path)) for each in found.photos] == [b"\xe9.png"]


def test_own_folder_is_not_read(tmp_path: Path) -> None:
    tag(tmp_path / ".mnv2", "a", "kitchen")
    tag(tmp_path, "b", "kitchen")
    found = from_keywords(str(tmp_path), KeywordClasses(("kitchen",)), Filters(hidden=True))
    assert classes(found) == {"b": "kitchen"}


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (("",), "is not a word"),
        (("=bath",), "is not a word"),
        (("tub=",), "is not a word"),
        (("tub=bath", "TUB=kitchen"), "has two classes: 'bath' and 'kitchen'"),
    ],
)
def test_invalid_chosen_keywords_are_refused(words: tuple[str, ...], reason: str) -> None:
    with pytest.raises(InputError, match=reason):
        KeywordClasses(words)


def test_folder_without_keywords_is_an_error_that_says_where_it_looked(tmp_path: Path) -> None:
    with pytest.raises(NoImagesError, match="no photos with keywords in"):
        from_keywords(str(tmp_path), ALL)
    tag(tmp_path, "a")
    tag(tmp_path, "b", "cat", ours=("cat",))
    with pytest.raises(NoImagesError) as caught:
        from_keywords(str(tmp_path), ALL)
    message = str(caught.value)
    assert "none of the 2 photos" in message and "neither in the photo (XMP, IPTC) nor" in message
    assert "keywords of mnv2 tag do not count (1 photo with them alone)" in message
    assert caught.value.hint is not None
    assert "exiftool -subject+=" in caught.value.hint and "photo.jpg.xmp" in caught.value.hint


def test_keywords_of_no_single_class_are_an_error_that_names_the_frequent_ones(
    tmp_path: Path,
) -> None:
    for name in "ab":
        tag(tmp_path, name, "kitchen", "favourite")
        tag(tmp_path, name * 2, "bath", "Favourite")
    with pytest.raises(NoImagesError, match="keywords of several classes 4") as caught:
        from_keywords(str(tmp_path), ALL)
    assert "favourite (4)" in str(caught.value.hint).lower()
    assert "--keyword" in str(caught.value.hint)


# A model's own classes, and ImageNet's


def test_names_of_own_classes_are_the_keywords_that_count(tmp_path: Path) -> None:
    tag(tmp_path, "a", "Kitchen", "cat")
    tag(tmp_path, "b", "bath", "kitchen")
    tag(tmp_path, "c", "cat")
    found = labelled_by_keywords(str(tmp_path), ALL, ("bath", "kitchen"))
    assert list(classes(found)) == ["a"]
    assert dict(skipped_photos(found)) == {
        str(tmp_path / "b.png"): "keywords of several classes: bath, kitchen",
        str(tmp_path / "c.png"): "no keyword of a class: cat",
    }


def test_keywords_of_imagenet_are_ids_labels_categories_and_nodes(tmp_path: Path) -> None:
    for name, word in {
        "id": "n02124075",
        "label": "Egyptian cat",
        "category": "dog",
        "node": "terrier",
        "none": "holiday",
        "ambiguous": "crane",
    }.items():
        tag(tmp_path, name, word, "2020")
    found = labelled_by_keywords(str(tmp_path), ALL, ())
    assert set(classes(found)) == {"id", "label", "category", "node"}
    assert classes(found)["id"] == classes(found)["label"]  # one class, two words
    assert reasons(found)["ambiguous"] == "ambiguous keyword: crane: n02012849 or n03126707"


def test_most_specific_of_several_keywords_counts(tmp_path: Path) -> None:
    tag(tmp_path, "a", "animal", "beagle", "dog")
    tag(tmp_path, "b", "dog", "cat")
    found = labelled_by_keywords(str(tmp_path), ALL, ())
    assert classes(found) == {"a": "beagle"}
    assert reasons(found)["b"] == "keywords of several classes: cat, dog"


def test_chosen_keywords_name_classes_of_the_model(tmp_path: Path) -> None:
    tag(tmp_path, "a", "Mieze", "dog")
    tag(tmp_path, "b", "dog")
    tag(tmp_path, "c", "crane")
    chosen = KeywordClasses(("mieze=cat", "crane=n02012849"))
    found = labelled_by_keywords(str(tmp_path), chosen, ())
    assert classes(found) == {"a": "cat", "c": "n02012849"}
    with pytest.raises(InputError, match="'qwerty' is not a class of ImageNet"):
        labelled_by_keywords(str(tmp_path), KeywordClasses(("qwerty",)), ())
    with pytest.raises(InputError, match="'cat', is not a class of the model"):
        labelled_by_keywords(str(tmp_path), chosen, ("x", "y"))


def test_an_unknown_class_of_a_keyword_is_named_with_the_keyword(tmp_path: Path) -> None:
    tag(tmp_path, "a", "kitchen")
    wrong = KeywordClasses(("kitchen=nix",))
    with pytest.raises(InputError) as caught:
        labelled_by_keywords(str(tmp_path), wrong, ("x", "y"))
    assert caught.value.message == (
        "the class of the keyword 'kitchen', 'nix', is not a class of the model"
    )
    assert "--keyword kitchen=CLASS" in caught.value.hint
    with pytest.raises(InputError, match="keyword 'kitchen', 'nix', is not a class of ImageNet"):
        labelled_by_keywords(str(tmp_path), wrong, ())


def test_keywords_without_a_folder_are_refused() -> None:
    with pytest.raises(InputError, match="cannot be combined with labels"):
        EvaluationSet(labels="a.csv", keywords=ALL)
    with pytest.raises(InputError, match="cannot be combined with from_sorted"):
        mnv2cli.learn("x", "y.keras", from_sorted="z", options=mnv2cli.LearnOptions(keywords=ALL))
    with pytest.raises(InputError, match="require a folder"):
        mnv2cli.learn(None, "y.keras", options=mnv2cli.LearnOptions(keywords=ALL))


def test_labels_are_found_whatever_the_spelling(tmp_path: Path) -> None:
    label = imagenet_labels()[285].name
    tag(tmp_path, "a", label.replace(" ", "_").upper())
    assert len(labelled_by_keywords(str(tmp_path), ALL, ()).photos) == 1
