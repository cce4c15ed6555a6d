"""Label Studio tasks, and its exports."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest

from mnv2cli.errors import InputError
from mnv2cli.records import Prediction, Record
from tests.datasets.annotated import content, dump, write
from tests.datasets.made import HOSTILE, read, records_of

RESULT = {
    "type": "object",
    "required": ["from_name", "to_name", "type", "value"],
    "properties": {
        "id": {"type": "string"},
        "from_name": {"const": "label"},
        "to_name": {"const": "image"},
        "type": {"const": "choices"},
        "value": {
            "type": "object",
            "required": ["choices"],
            "properties": {
                "choices": {"type": "array", "minItems": 1, "items": {"type": "string"}},
            },
        },
    },
}
TASKS = {
    "type": "array",
    "items": {
        "type": "object",
        "required": ["data"],
        "additionalProperties": False,
        "properties": {
            "id": {"type": "integer"},
            "data": {
                "type": "object",
                "required": ["image"],
                "properties": {"image": {"type": "string", "pattern": "^[!-~]+$"}},
            },
            "meta": {"type": "object"},
            "annotations": {"type": "array"},
            "predictions": {
                "type": "array",
                "items": {
                    "type": "object",
                    "required": ["result"],
                    "additionalProperties": False,
                    "properties": {
                        "id": {"type": "integer"},
                        "model_version": {"type": "string"},
                        "score": {"type": "number", "minimum": 0, "maximum": 1},
                        "result": {"type": "array", "items": RESULT},
                    },
                },
            },
        },
    },
}
"""The properties of tasks to import, after https://labelstud.io/guide/predictions and
/guide/task_format, with the names that the labelling configuration has."""


def chosen(*labels: str, name: str = "label") -> dict[str, Any]:
    """Return a result of people or of a model."""
    value = {"choices": list(labels)}
    return {"from_name": name, "to_name": "image", "type": "choices", "value": value}


def annotated(*results: Any, **more: Any) -> dict[str, Any]:
    """Return an annotation of an export."""
    return {"id": 4, "was_cancelled": False, "completed_by": 1, "result": list(results), **more}


def tasks(folder: Path, *tasks: Any) -> Path:
    """Write a file of tasks or of an export."""
    return dump(folder / "export.json", list(tasks))


def labels_of(folder: Path, **task: Any) -> list[tuple[str, float]]:
    """Return the labels of a task."""
    path = tasks(folder, {"data": {"image": "a.jpg"}, **task})
    (record,) = read(path, "label-studio")
    assert record.path == str(folder / "a.jpg")
    return [(each.label, each.score) for each in record.predictions]


@pytest.mark.readers
def test_tasks_have_the_documented_properties(tmp_path: Path) -> None:
    jsonschema = pytest.importorskip("jsonschema")
    path = write(tmp_path, "label-studio", records_of(HOSTILE))
    jsonschema.validate(content(path), TASKS)


def test_prediction_has_the_label_its_score_and_the_model(tmp_path: Path) -> None:
    (task,) = content(write(tmp_path, "label-studio", records_of(["cat"])))
    (prediction,) = task["predictions"]
    assert prediction == {"model_version": "net", "score": 0.75, "result": [chosen("cat")]}
    assert task["data"]["image"] == "/data/local-files/?d=sub/0.png"


def test_photo_without_label_has_no_predictions(tmp_path: Path) -> None:
    (task,) = content(write(tmp_path, "label-studio", [Record("../photos/a.jpg")]))
    assert task["predictions"] == []


@pytest.mark.parametrize(
    ("prefix", "name", "url"),
    [
        ("", "a b%41+?&#ü.jpg", "/data/local-files/?d=a%20b%2541%2B%3F%26%23%C3%BC.jpg"),
        ("", "/far/a.jpg", "/data/local-files/?d=/far/a.jpg"),
        ("https://host/p/", "/far/a.jpg", "https://host/p/far/a.jpg"),
        ("s3://bucket/", "a/b.jpg", "s3://bucket/a/b.jpg"),
    ],
)
def test_image_is_a_percent_encoded_url(tmp_path: Path, prefix: str, name: str, url: str) -> None:
    records = records_of(["cat"])
    path = write(tmp_path, "label-studio", records, [name], own={"image_url": prefix})
    assert content(path)[0]["data"]["image"] == url
    assert read(path, "label-studio") == records
    (found,) = read(path, "label-studio", original=False)
    expected = url if "://" in prefix else str(tmp_path / name)
    assert found.path == expected
    assert unquote(url).endswith(name.removeprefix("/"))


def test_what_people_chose_counts_more_than_the_record(tmp_path: Path) -> None:
    records = records_of(["cat", "dog", "fox", "owl"])
    exported = content(write(tmp_path, "label-studio", records))
    exported[0]["annotations"] = [annotated(chosen("lynx"))]
    exported[1]["annotations"] = [annotated(chosen("wolf"), was_cancelled=True)]
    exported[2]["annotations"] = [annotated()]
    for task in exported:
        task |= {"id": 1, "predictions": [7]}
    path = tasks(tmp_path, *exported)
    assert read(path, "label-studio") == [
        Record("../photos/sub/0.png", (Prediction("", "lynx", 1.0),)),
        records[1],
        Record("../photos/sub/2.png"),
        records[3],
    ]
    paths = [each.path for each in read(path, "label-studio", original=False)]
    assert paths == [str(tmp_path / "sub" / f"{i}.png") for i in range(4)]


def test_export_as_json_min_is_read(tmp_path: Path) -> None:
    records = records_of(["cat", "dog"])
    data = [task["data"] for task in content(write(tmp_path, "label-studio", records))]
    more = {"id": 1, "annotator": 1, "annotation_id": 3, "created_at": "2026", "lead_time": 1.5}
    path = tasks(
        tmp_path,
        {**data[0], "label": "lynx", **more},
        {**data[1], "label": {"choices": ["wolf", "fox"]}, **more},
        {"image": "/data/upload/1/0123abcd-a%20b.jpg", "quality": {"choices": ["good"]}, **more},
        {"image": "a.jpg", **more},
    )
    assert read(path, "label-studio") == [
        Record("../photos/sub/0.png", (Prediction("", "lynx", 1.0),)),
        Record("../photos/sub/1.png", (Prediction("", "wolf", 1.0), Prediction("", "fox", 1.0))),
        Record(str(tmp_path / "a b.jpg"), (Prediction("", "good", 1.0),)),
        Record(str(tmp_path / "a.jpg")),
    ]


def test_tasks_of_others_give_choices_of_people_else_predictions(tmp_path: Path) -> None:
    predictions = [{"score": 0.5, "result": [chosen("cat")]}, {"result": [chosen("dog")]}]
    assert labels_of(tmp_path, predictions=predictions) == [("cat", 0.5)]
    people = [annotated(chosen("fox")), annotated(chosen("owl"))]
    assert labels_of(tmp_path, predictions=predictions, annotations=people) == [("owl", 1.0)]
    several = [annotated(chosen("good", name="quality"), chosen("owl", "fox"))]
    assert labels_of(tmp_path, annotations=several) == [("owl", 1.0), ("fox", 1.0)]
    box = {"from_name": "box", "type": "rectanglelabels", "value": {}}
    assert labels_of(tmp_path, annotations=[annotated(box)]) == []
    assert labels_of(tmp_path) == []


def test_image_of_others_may_have_another_key(tmp_path: Path) -> None:
    path = tasks(tmp_path, {"data": {"ref": 7, "title": "x", "pic": "https://host/a.jpg"}})
    assert read(path, "label-studio") == [Record("https://host/a.jpg")]


@pytest.mark.parametrize(
    ("task", "why"),
    [
        (7, r"entry\[0\]: it is not an object"),
        ({"data": 7}, "'data' is not an object"),
        ({"data": {}}, "it has no image"),
        ({"data": {"image": 7}}, "the image is missing, or is not a text"),
        ({"data": {"image": "/data/local-files/?d=../../x"}}, r"'\.\./\.\./x' is not in the fold"),
        ({"data": {"image": "/data/local-files/?d=%2e%2e/x"}}, r"'\.\./x' is not in the folder"),
        ({"data": {"image": "/data/local-files/?d=/etc/x"}}, "'/etc/x' is not in the folder"),
        ({"data": {"image": "/data/local-files/?e=x"}}, "is not a valid URL"),
        ({"data": {"image": "/data/local-files/?d=%ff"}}, "is not a valid URL"),
        ({"data": {"image": "/data/upload/1/../../x"}}, "is not in the folder"),
        ({"data": {"image": "http://[x"}}, "is not a valid URL"),
        ({"data": {"image": "file:///etc/x"}}, "is not in the folder"),
        ({"data": {"image": "a%00"}}, "is not in the folder"),
        ({"data": {"image": "a", "mnv2": []}}, "'mnv2' is not the record"),
        ({"data": {"image": "a"}, "predictions": {}}, "'predictions' is not a list"),
        ({"data": {"image": "a"}, "predictions": [[]]}, "a prediction is not an object"),
        ({"data": {"image": "a"}, "predictions": [{"score": 7}]}, "not between 0 and 1"),
        ({"data": {"image": "a"}, "predictions": [{"result": 7}]}, "'result' is not a list"),
        ({"data": {"image": "a"}, "annotations": 7}, "'annotations' is not a list"),
        ({"data": {"image": "a"}, "annotations": [annotated(7)]}, "a result is not an object"),
        ({"data": {"image": "a"}, "annotations": [annotated({"type": "choices"})]}, "the value of"),
        ({"data": {"image": "a"}, "annotations": [annotated(chosen(""))]}, "a choice is missing"),
        ({"image": "a", "label": [{"choices": 7}]}, "'choices' is not a list"),
        ({"image": "a", "label": 7}, "a choice is missing, or is not a text"),
    ],
)
def test_hostile_task_is_one_error_that_names_it(tmp_path: Path, task: Any, why: str) -> None:
    with pytest.raises(InputError, match=why) as caught:
        read(tasks(tmp_path, task), "label-studio")
    assert "entry[0]" in caught.value.message
