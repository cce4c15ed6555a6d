"""Where photos go that a person has reviewed."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from mnv2cli.errors import InputError
from mnv2cli.labels.categories_file import builtin, load
from mnv2cli.labels.tree import tree
from mnv2cli.records import CategoryScore, Prediction, Record
from mnv2cli.results.corrections import Correction, Review
from mnv2cli.sorting.actions import Plan
from mnv2cli.sorting.options import FolderOptions, SortOptions
from mnv2cli.sorting.placement import FolderChooser, Placement
from mnv2cli.sorting.plan import make_plan
from mnv2cli.sorting.reviewed import ReviewedChooser, Reviews, review
from tests.sorting.trees import categorised, record, records

CRANES = ("n02012849", "n03126707")  # the bird and the machine


def corrected(path: str, label: str, review: Review = "corrected") -> dict[str, Correction]:
    return {path: Correction(path, label, review)}


def place(
    template: str,
    label: str,
    found: Record | None = None,
    review: Review = "corrected",
    **options: Any,
) -> Placement:
    """Return where a photo goes that was taken for an unsure fish."""
    found = found or categorised("a.jpg", "fish", 0.2, 0.01)
    reviews = Reviews(corrected(found.path, label, review))
    return ReviewedChooser(FolderChooser(FolderOptions(template, **options)), reviews).choose(found)


def folder(template: str, label: str, found: Record | None = None, **options: Any) -> str:
    return place(template, label, found, **options).folder


@pytest.mark.parametrize(
    ("label", "category", "by_label", "wnid"),
    [
        ("goldfish", "fish", "goldfish", "n01443537"),
        ("egyptian CAT", "cat", "Egyptian cat", "n02124075"),
        ("beagle", "dog", "beagle", "n02088364"),
        ("n02088364", "dog", "beagle", "n02088364"),
        ("beagle (n02088364)", "dog", "beagle", "n02088364"),
        ("terrier", "dog", "terrier", "n02092468"),  # a node above classes of one category
        ("animal", "animal", "animal", "n00015388"),  # of many categories
        ("dog", "dog", "dog", "n02084071"),
        ("CAMERA and tv", "camera and TV", "CAMERA and tv", "CAMERA and tv"),
        ("mushroom", "mushroom", "mushroom", "n07734744"),  # a category and a class
        ("Mia", "Mia", "Mia", "Mia"),
        ("crane", "crane", "crane", "crane"),  # ambiguous, with different categories
        ("maillot", "clothing", "maillot", "maillot"),  # ambiguous, with one category
        (f"crane ({CRANES[0]})", "bird", f"crane ({CRANES[0]})", CRANES[0]),
        (f"dog ({CRANES[0]})", f"dog ({CRANES[0]})", f"dog ({CRANES[0]})", f"dog ({CRANES[0]})"),
        ("n99999999", "n99999999", "n99999999", "n99999999"),
    ],
)  # fmt: skip
def test_corrected_photos_go_to_the_folder_of_their_label(
    label: str, category: str, by_label: str, wnid: str
) -> None:
    assert place("{category}", label) == Placement(category, "corrected")
    assert place("{label}", label) == Placement(by_label, "corrected")
    assert folder("{wnid}", label) == wnid
    assert folder("{category}/{label}", label) == f"{category}/{by_label}"


def test_a_name_of_two_classes_means_the_predicted_one() -> None:
    for wnid in CRANES:
        two = (Prediction("n01440764", "tench", 0.6), Prediction(wnid, "crane", 0.3))
        found = Record("a.jpg", two, category=CategoryScore("fish", 0.6, 0.1))
        assert folder("{label}", "crane", found) == f"crane ({wnid})"
        owner = builtin().all[builtin().of_class[tree().classes[wnid]]].name
        assert folder("{category}", "crane", found) == owner


def test_labels_of_a_model_with_own_classes_are_not_those_of_imagenet() -> None:
    mine = Record("a.jpg", (Prediction("", "crane", 0.6), Prediction("", "sink", 0.1)), model="m")
    assert folder("{label}", "crane", mine) == "crane"
    assert folder("{label}", "egyptian cat", mine) == "egyptian cat"
    assert folder("{label}", "sink", mine) == "sink"
    assert folder("{wnid}", "sink", mine) == "sink"


@pytest.mark.parametrize("given", ["corrected", "confirmed"])
def test_scores_and_margins_do_not_matter_for_reviewed_photos(given: Review) -> None:
    for template in ("{category}", "{label}", "{wnid}"):
        placement = place(template, "beagle", review=given, threshold=1.0, min_margin=1.0)
        assert (placement.folder != "unsure", placement.reason) == (True, given)
    assert folder("{node}", "spaniel", threshold=1.0) == "spaniel"
    assert folder("{node}", "Mia") == "Mia"
    assert folder("{label} {score:.2f}", "beagle") == "beagle 1.00"
    found = record("a.jpg", model="net")
    assert folder("{model}/{year}/{label}", "Mia", found) == "net/undated/Mia"
    assert folder("{category}", "beagle", Record("a.jpg")) == "dog"  # without any label
    assert folder("{category}", "beagle", record("a.jpg")) == "dog"  # without categories


def test_wrong_photos_are_unsure_and_rejected_ones_stay() -> None:
    sure = categorised("a.jpg", "fish", 0.99, 0.9)
    assert place("{category}", "", sure, "wrong") == Placement("unsure", "marked as wrong")
    assert place("{category}", "", sure, "rejected") == Placement("", "rejected")


def test_photos_that_cannot_be_read_stay_with_their_reason() -> None:
    broken = Record("a.jpg", error="not an image: a text file")
    for given in ("corrected", "confirmed", "wrong", "rejected"):
        label = "dog" if given in ("corrected", "confirmed") else ""
        expected = Placement("", "not an image: a text file")
        assert place("{label}", label, broken, given) == expected  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("label", "name"),
    [
        ("../../x", "_._.._x"),
        ("..", "_"),
        (".", "_"),
        ("/etc/passwd", "_etc_passwd"),
        ("con", "_con"),
        ("NUL.txt", "_NUL.txt"),
        ("a/b", "a_b"),
        ("C:\\x", "C__x"),
        ("x" * 300, "x" * 100),
        ("dots. . .", "dots"),
        ("nul\0byte", "nul_byte"),
        ("<script>alert(1)</script>", "_script_alert(1)__script_"),
        (".mnv2", "_mnv2"),
        ("~", "~"),
        ("{label}", "{label}"),
        ("\udcff", "_"),
    ],
)
def test_no_label_leads_out_of_the_destination(tmp_path: Path, label: str, name: str) -> None:
    photo = tmp_path / "in" / "a.jpg"
    photo.parent.mkdir()
    photo.write_text("photo")
    for template in ("{category}", "{label}", "{wnid}", "{node}"):
        found = record(photo, node=Prediction("n1", "x", 0.1))
        options = SortOptions(str(tmp_path / "out"), "move", FolderOptions(template))
        (action,) = make_plan([found], options, reviews=Reviews(corrected(str(photo), label))).work
        assert action.target == f"{name}/a.jpg"


def plan_reviewed(
    src: Path, given: Mapping[str, tuple[str, Review]], template: str = "{label}", **options: Any
) -> Plan:
    found = records(src)
    reviews = review(
        found, {str(src / k): Correction(str(src / k), *each) for k, each in given.items()}
    )
    options_ = SortOptions(str(src.parent / "out"), "copy", FolderOptions(template, **options))
    return make_plan(found, options_, reviews=reviews)


def test_plans_say_which_photos_were_reviewed(src: Path) -> None:
    plan = plan_reviewed(
        src,
        {"img0.jpg": ("cock", "corrected"), "img1.jpg": ("cock", "confirmed"),
         "sub/../img2.jpg": ("", "wrong"), "img3.jpg": ("", "rejected")},
    )  # fmt: skip
    assert [(each.folder, each.reason) for each in plan.actions] == [
        ("cock", "corrected"), ("cock", "confirmed"), ("unsure", "marked as wrong"),
        ("", "rejected"), ("tench", ""),
    ]  # fmt: skip
    assert plan.unsorted == [] and len(plan.staying) == 1


def test_small_folders_are_joined_whoever_named_them(src: Path) -> None:
    given: dict[str, tuple[str, Review]] = {
        "img0.jpg": ("Mia", "corrected"),
        "img1.jpg": ("tench", "corrected"),
    }
    plan = plan_reviewed(src, given, min_count=2)
    assert [(each.folder, each.reason) for each in plan.actions] == [
        ("other", "corrected; fewer than 2 in Mia"), ("tench", "corrected"), ("tench", ""),
        ("other", "fewer than 2 in hen"), ("tench", ""),
    ]  # fmt: skip


def test_categories_of_a_file_apply_to_corrected_labels(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text('[pets]\nmerge = ["dog", "cat"]\n\n[fish]\nignore = true\n')
    found = [categorised("a.jpg", "pets"), categorised("b.jpg", "bird"), record("c.jpg")]
    given = {each.path: Correction(each.path, "beagle", "corrected") for each in found}
    assert review(found, given).foreign == "pets"
    reviews = review(found, given, str(path))
    assert reviews.foreign == "" and reviews.categories.all == load(str(path)).all
    chooser = ReviewedChooser(FolderChooser(FolderOptions()), reviews)
    assert [chooser.choose(each).folder for each in found] == ["pets"] * 3
    ignored = Reviews(corrected("b.jpg", "goldfish"), reviews.categories)
    chosen = ReviewedChooser(FolderChooser(FolderOptions()), ignored).choose(found[1])
    assert chosen == Placement("other", "corrected; its category is ignored")
    named = review(found, corrected("b.jpg", "PETS"))  # a category of the results
    assert ReviewedChooser(FolderChooser(FolderOptions()), named).choose(found[1]).folder == "pets"


def test_corrections_of_other_photos_are_counted_or_refused() -> None:
    found = [record("a.jpg")]
    both = corrected("./a.jpg", "dog") | corrected("z.jpg", "dog")
    reviews = review(found, both)
    assert list(reviews.corrections) == ["a.jpg"] and list(reviews.unmatched) == ["z.jpg"]
    assert reviews.foreign == ""
    with pytest.raises(InputError, match="not one photo in the results"):
        review(found, corrected("z.jpg", "dog"))


def test_photos_without_a_review_are_placed_as_before() -> None:
    chooser = FolderChooser(FolderOptions("{category}"))
    reviewed = ReviewedChooser(chooser, Reviews(corrected("z.jpg", "dog")))
    for found in (categorised("a.jpg", "dog"), categorised("a.jpg", "dog", 0.1, 0.0)):
        assert reviewed.choose(found) == chooser.choose(found)
    with pytest.raises(InputError, match="has no categories"):
        reviewed.choose(record("a.jpg"))
