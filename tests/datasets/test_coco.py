"""COCO-style JSON."""

from __future__ import annotations

import contextlib
import io
from pathlib import Path
from typing import Any

import pytest

from mnv2cli.errors import InputError
from mnv2cli.records import CategoryScore, Prediction, Record
from tests.datasets.annotated import content, dump, write
from tests.datasets.made import read, records_of


def photo(name: str, label: str, category: str = "", score: float = 0.75) -> Record:
    """Return the record of a photo."""
    return Record(
        f"../photos/{name}",
        (Prediction("n1", label, score), Prediction("n2", "other", 0.125)) if label else (),
        category=CategoryScore(category, 0.9, 0.5) if category else None,
    )


PHOTOS = [
    photo("a.jpg", "tabby", "cat"),
    photo("b.jpg", "pug", "dog", 0.5),
    photo("c.jpg", "tabby", "dog"),
    photo("d.jpg", "tabby", "cat"),
    photo("e.jpg", ""),
]


def foreign(tmp_path: Path, **changes: Any) -> Path:
    """Write a dataset of another program."""
    made = {
        "images": [{"id": 7, "file_name": "a.jpg"}, {"id": "x", "file_name": "sub/b.jpg"}],
        "annotations": [
            {"id": 1, "image_id": 7, "category_id": 3},
            {"id": 2, "image_id": 7, "category_id": 2, "score": 0.5},
            {"id": 3, "image_id": 7, "category_id": 3, "bbox": [1, 2, 3, 4]},
        ],
        "categories": [{"id": 2, "name": "cat"}, {"id": 3, "name": "dog", "keypoints": []}],
    }
    return dump(tmp_path / "foreign.json", made | changes)


def test_coco_has_an_annotation_of_the_whole_image_per_label(tmp_path: Path) -> None:
    made = content(write(tmp_path, "coco", PHOTOS))
    assert [each["file_name"] for each in made["images"]] == [f"{name}.jpg" for name in "abcde"]
    assert made["categories"] == [
        {"id": 1, "name": "pug", "supercategory": "dog"},
        {"id": 2, "name": "tabby", "supercategory": "cat"},
    ]
    assert [
        (each["id"], each["image_id"], each["category_id"], each["score"])
        for each in made["annotations"]
    ] == [(1, 1, 2, 0.75), (2, 2, 1, 0.5), (3, 3, 2, 0.75), (4, 4, 2, 0.75)]
    assert made["annotations"][0]["bbox"] == [0, 0, 8, 6]
    assert made["annotations"][0]["area"] == 48


def test_coco_of_categories_has_no_supercategories(tmp_path: Path) -> None:
    made = content(write(tmp_path, "coco", PHOTOS, label_by="category"))
    assert [each["supercategory"] for each in made["categories"]] == ["", ""]


def test_coco_of_another_program_gives_each_category_once(tmp_path: Path) -> None:
    dog, cat = Prediction("", "dog", 1.0), Prediction("", "cat", 0.5)
    assert read(foreign(tmp_path), "coco") == [
        Record(str(tmp_path / "a.jpg"), (dog, cat)),
        Record(str(tmp_path / "sub" / "b.jpg")),
    ]


def test_coco_whose_label_was_changed_gives_the_new_one(tmp_path: Path) -> None:
    path = write(tmp_path, "coco", PHOTOS)
    made = content(path)
    made["categories"][1]["name"] = "tiger"
    dump(path, made)
    found = read(path, "coco")
    assert found[0] == Record("../photos/a.jpg", (Prediction("", "tiger", 0.75),))
    assert found[1] == PHOTOS[1]


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"images": 7}, "'images' is not a list"),
        ({"images": [7]}, r"images\[0\]: it is not an object"),
        ({"images": [{"file_name": "a.jpg"}]}, r"images\[0\]: 'id' is missing"),
        ({"images": [{"id": True, "file_name": "a"}]}, "'id' is missing"),
        ({"images": [{"id": 7, "file_name": "a"}] * 2}, r"images\[1\]: the ID 7 occurs twice"),
        ({"images": [{"id": 7}]}, "name of its image is missing"),
        ({"images": [{"id": 7, "file_name": ["a"]}]}, "name of its image is missing"),
        ({"images": [{"id": 7, "file_name": "../../x"}]}, r"'\.\./\.\./x' is not in the folder"),
        ({"images": [{"id": 7, "file_name": "a\\..\\x"}]}, "is not in the folder"),
        ({"images": [{"id": 7, "file_name": "/etc/passwd"}]}, "'/etc/passwd' is not in the fol"),
        ({"images": [{"id": 7, "file_name": "C:\\x.jpg"}]}, "is not in the folder"),
        ({"images": [{"id": 7, "file_name": "file:///x.jpg"}]}, "is not in the folder"),
        ({"images": [{"id": 7, "file_name": "a\0.jpg"}]}, "is not in the folder"),
        ({"images": [{"id": 7, "file_name": "a" * 5000}]}, "too long"),
        ({"images": [{"id": 7, "file_name": "a", "mnv2": 7}]}, "'mnv2' is not the record"),
        ({"images": []}, "annotation of the image 7: the dataset has no such image"),
        ({"categories": []}, "image 7: the dataset has no category 3"),
        ({"categories": [{"id": 3, "name": "x"}] * 2}, r"categories\[1\]: the ID 3 occurs twice"),
        ({"categories": [{"id": 3, "name": 7}]}, "name of the category is missing"),
        ({"annotations": {"a": 1}}, r"annotations\['a'\]: it is not an object"),
        ({"annotations": [{"image_id": 7}]}, r"annotations\[0\]: 'category_id' is missing"),
        ({"annotations": [{"image_id": [], "category_id": 3}]}, "'image_id' is missing"),
        (
            {"annotations": [{"image_id": 7, "category_id": 3, "score": "1"}]},
            r"annotations\[0\]: its score is not a number",
        ),
        ({"annotations": [{"image_id": 7, "category_id": 3, "score": 1.5}]}, "between 0 and 1"),
    ],
)
def test_hostile_coco_is_one_error_that_names_the_entry(
    tmp_path: Path, changes: dict[str, Any], why: str
) -> None:
    defaults = {} if "images" not in changes or changes["images"] == [] else {"annotations": []}
    with pytest.raises(InputError, match=why):
        read(foreign(tmp_path, **defaults, **changes), "coco")


def test_absolute_names_are_accepted_below_the_base(tmp_path: Path) -> None:
    path = foreign(tmp_path, images=[{"id": 7, "file_name": "/data/coco/1.jpg"}])
    assert read(path, "coco", base="/data")[0].path == "/data/coco/1.jpg"
    with pytest.raises(InputError, match="is not in the folder '/dat'"):
        read(path, "coco", base="/dat")


def test_urls_are_kept_as_paths(tmp_path: Path) -> None:
    path = foreign(tmp_path, images=[{"id": 7, "file_name": "https://host/1.jpg"}])
    assert read(path, "coco")[0].path == "https://host/1.jpg"


@pytest.mark.readers
def test_coco_opens_in_pycocotools(tmp_path: Path) -> None:
    module = pytest.importorskip("pycocotools.coco")
    path = write(tmp_path, "coco", PHOTOS)
    with contextlib.redirect_stdout(io.StringIO()):
        coco = module.COCO(str(path))
        assert coco.getCatIds() == [1, 2]
        tabby = coco.getCatIds(catNms=["tabby"])
        assert coco.getCatIds(supNms=["dog"]) == [1]
        assert [each["name"] for each in coco.loadCats(tabby)] == ["tabby"]
        assert coco.getImgIds(catIds=tabby) == [1, 3, 4]
        assert coco.getAnnIds(imgIds=[1, 2]) == [1, 2]
        assert coco.getAnnIds(imgIds=[5]) == []
        assert coco.loadImgs([2])[0]["file_name"] == "b.jpg"
        assert (coco.loadImgs([2])[0]["width"], coco.loadImgs([2])[0]["height"]) == (8, 6)
        results = coco.loadRes(coco.loadAnns(coco.getAnnIds()))
        assert [each["score"] for each in results.loadAnns(results.getAnnIds(imgIds=[2]))] == [0.5]


@pytest.mark.readers
def test_hostile_labels_are_the_same_in_pycocotools(tmp_path: Path) -> None:
    module = pytest.importorskip("pycocotools.coco")
    labels = ['a "q"', "new\nline", "nul\0", "emo 🐱", "../up"]
    path = write(tmp_path, "coco", records_of(labels))
    with contextlib.redirect_stdout(io.StringIO()):
        coco = module.COCO(str(path))
    assert {each["name"] for each in coco.loadCats(coco.getCatIds())} == set(labels)
