from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from mnv2cli.datasets.croissant import CROISSANT
from mnv2cli.errors import InputError
from mnv2cli.records import Prediction, Record
from tests.datasets.made import make, read, records_of

TEXT = {"type": "string", "minLength": 1}
REFERENCE = {
    "type": "object",
    "properties": {"@id": TEXT},
    "required": ["@id"],
    "additionalProperties": False,
}
SOURCE = {
    "type": "object",
    "properties": {"fileObject": REFERENCE, "fileSet": REFERENCE, "extract": {"type": "object"}},
    "required": ["extract"],
    "oneOf": [{"required": ["fileObject"]}, {"required": ["fileSet"]}],
}
SCHEMA: dict[str, Any] = {
    "type": "object",
    "required": [
        "@context", "@type", "conformsTo", "description", "license", "name", "url", "creator",
        "datePublished", "distribution", "recordSet",
    ],
    "properties": {
        "@type": {"const": "sc:Dataset"},
        "conformsTo": {"const": "http://mlcommons.org/croissant/1.0"},
        "name": TEXT,
        "description": TEXT,
        "license": TEXT,
        "url": TEXT,
        "version": {"pattern": r"^\d+\.\d+\.\d+$"},
        "datePublished": {"pattern": r"^\d{4}-\d\d-\d\d$"},
        "creator": {"required": ["@type", "name"]},
        "distribution": {
            "type": "array",
            "items": {
                "required": ["@type", "@id", "encodingFormat"],
                "if": {"properties": {"@type": {"const": "cr:FileObject"}}},
                "then": {
                    "required": ["contentUrl", "sha256"],
                    "properties": {"sha256": {"pattern": "^[0-9a-f]{64}$"}},
                },
                "else": {"required": ["includes"]},
            },
        },
        "recordSet": {
            "type": "array",
            "items": {
                "required": ["@type", "@id", "field"],
                "properties": {
                    "@type": {"const": "cr:RecordSet"},
                    "field": {
                        "items": {
                            "required": ["@type", "@id", "dataType", "source"],
                            "properties": {"source": SOURCE, "references": SOURCE},
                        }
                    },
                },
            },
        },
    },
}  # fmt: skip
"""The properties that the specification of Croissant 1.0 requires."""


def described(path: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((path / "croissant.json").read_text(encoding="utf-8"))
    return content


def test_description_has_what_the_specification_requires(tmp_path: Path) -> None:
    own = {"license": "https://creativecommons.org/licenses/by/4.0/", "creator": 'A "B" \n<c>'}
    made = make(tmp_path, "croissant", records_of(['a "q"', "b\n"]), own=own)
    content = described(made.path)
    jsonschema.validate(content, SCHEMA)
    assert content["license"] == own["license"]
    assert content["creator"]["name"] == own["creator"]
    known = {each["@id"] for each in content["distribution"]}
    terms = content["@context"]
    for field in content["recordSet"][0]["field"]:
        for source in (field["source"], field.get("references", {})):
            used = source.get("fileObject") or source.get("fileSet") or {"@id": "image-files"}
            assert used["@id"] in known
            assert set(source) - {"fileObject", "fileSet"} <= set(terms)


def test_description_and_lines_have_the_digests_of_files(tmp_path: Path) -> None:
    made = make(tmp_path, "croissant", records_of(["a", "b"]))
    table = described(made.path)["distribution"][0]
    content = (made.path / "metadata.jsonl").read_bytes()
    assert table["sha256"] == hashlib.sha256(content).hexdigest()
    assert table["contentSize"] == f"{len(content)} B"
    for line in content.splitlines():
        row = json.loads(line)
        image = (made.path / row["file_name"]).read_bytes()
        assert row["sha256"] == hashlib.sha256(image).hexdigest()


def test_description_names_the_types_of_images(tmp_path: Path) -> None:
    made = make(tmp_path, "croissant", records_of(["a", "b"], ["a.JPG", "b.webp"]))
    assert described(made.path)["distribution"][1]["encodingFormat"] == ["image/jpeg", "image/webp"]


def table(**changes: Any) -> dict[str, Any]:
    """Return the description of a table of another program."""
    file = {
        "@type": "cr:FileObject",
        "@id": "t",
        "contentUrl": "photos.csv",
        "encodingFormat": "text/csv",
        **changes,
    }
    columns = {"photos/image_path": "where", "photos/class": "what", "photos/n": "n"}
    fields = [
        {"@id": id, "source": {"fileObject": {"@id": "t"}, "extract": {"column": column}}}
        for id, column in columns.items()
    ]
    return {
        "conformsTo": "http://mlcommons.org/croissant/1.0",
        "distribution": [file],
        "recordSet": {"field": fields},
    }


def write(path: Path, content: object) -> None:
    (path / "croissant.json").write_text(json.dumps(content))


def test_description_of_others_gives_the_rows_of_its_table(tmp_path: Path) -> None:
    write(tmp_path, table())
    (tmp_path / "photos.csv").write_text("n,what,where\n1,cat,sub/a.png\n2,,b.png\n")
    expected = [
        Record(str(tmp_path / "sub" / "a.png"), (Prediction("", "cat", 1.0),)),
        Record(str(tmp_path / "b.png")),
    ]
    assert CROISSANT.detect(str(tmp_path))
    assert read(tmp_path, "croissant") == expected
    assert read(tmp_path / "croissant.json", "croissant") == expected
    assert read(tmp_path, "croissant", base="/b")[1].path == "/b/b.png"


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ({}, "describes no local table"),
        ([], "the description: it is not an object"),
        ({"distribution": [7]}, "the description: "),
        ({"distribution": [{"encodingFormat": [[]]}]}, "the description: "),
        ({"recordSet": [7]}, "the description: "),
        (table(contentUrl="../photos.csv"), "'../photos.csv' is not in the folder"),
        (table(contentUrl="/etc/passwd"), "'/etc/passwd' is not in the folder"),
        (table(contentUrl="https://a.b/photos.csv"), "describes no local table"),
        (table(contentUrl="gone.csv"), "'gone.csv' does not exist"),
        (table(encodingFormat="application/json"), "describes no local table"),
    ],
)
def test_damaged_description_is_one_error(tmp_path: Path, content: object, reason: str) -> None:
    (tmp_path / "photos.csv").write_text("n,what,where\n1,cat,a.png\n")
    write(tmp_path, content)
    with pytest.raises(InputError, match=reason):
        read(tmp_path, "croissant")


@pytest.mark.parametrize("row", ["1,cat,../a.png", "1,cat", "1,cat,/a.png"])
def test_damaged_row_is_one_error_with_its_line(tmp_path: Path, row: str) -> None:
    write(tmp_path, table())
    (tmp_path / "photos.csv").write_text(f"n,what,where\n{row}\n")
    with pytest.raises(InputError, match="line 2"):
        read(tmp_path, "croissant")


def test_huge_description_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mnv2cli.datasets.croissant._LARGEST", 100)
    write(tmp_path, table())
    with pytest.raises(InputError, match="larger than"):
        read(tmp_path, "croissant")


def test_json_of_others_is_not_detected(tmp_path: Path) -> None:
    write(tmp_path, {"images": []})
    assert not CROISSANT.detect(str(tmp_path))
