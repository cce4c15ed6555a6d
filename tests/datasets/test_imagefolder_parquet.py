from __future__ import annotations

import json
import sys
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from mnv2cli.datasets import imagefolder_parquet
from mnv2cli.datasets.formats import load_dataset_format
from mnv2cli.errors import InputError
from mnv2cli.records import Prediction, Record
from tests.datasets.made import draw, make, read, records_of

FORMAT = "imagefolder-parquet"


def write(path: Path, rows: list[dict[str, object]], features: object = None) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    table = pa.Table.from_pylist(rows)
    if features is not None:
        text = json.dumps({"info": {"features": features}})
        table = table.replace_schema_metadata({"huggingface": text})
    pq.write_table(table, path)
    return path


def image(name: str | None) -> dict[str, object]:
    return {"bytes": b"...", "path": name}


def test_shards_have_all_images_in_small_groups(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(imagefolder_parquet, "_GROUP", 2)
    size = draw(tmp_path / "0.png", 0).stat().st_size
    monkeypatch.setattr(imagefolder_parquet, "_SHARD", 5 * size)
    made = make(tmp_path, FORMAT, records_of([f"{i % 3}" for i in range(12)]))
    files = sorted((made.path / "data").iterdir())
    assert [file.name for file in files] == [f"train-0000{i}-of-00003.parquet" for i in range(3)]
    assert [pq.ParquetFile(f).metadata.num_row_groups for f in files] == [3, 3, 1]
    rows = [row for file in files for row in pq.read_table(file).to_pylist()]
    assert [row["label"] for row in rows] == [i % 3 for i in range(12)]
    assert rows[7]["image"] == {
        "bytes": (tmp_path / "src" / FORMAT / "sub" / "7.png").read_bytes(),
        "path": "sub/7.png",
    }
    assert made.read() == made.records


def test_group_ends_early_where_images_are_large(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(imagefolder_parquet, "_GROUP_BYTES", 1)
    made = make(tmp_path, FORMAT, records_of(["a", "b", "c"]))
    (file,) = (made.path / "data").iterdir()
    assert pq.ParquetFile(file).metadata.num_row_groups == 3


def test_image_of_more_than_a_gibibyte_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(imagefolder_parquet, "_LARGEST", 10)
    with pytest.raises(InputError, match=r"0\.png' is larger than 1 GiB"):
        make(tmp_path, FORMAT, records_of(["a"]))


def test_photo_without_label_has_no_class(tmp_path: Path) -> None:
    made = make(tmp_path, FORMAT, [Record("../photos/a.png")])
    (file,) = (made.path / "data").iterdir()
    assert pq.read_table(file)["label"].to_pylist() == [None]
    assert made.read() == made.records


def test_parquet_of_others_gives_names_of_classes_and_of_images(tmp_path: Path) -> None:
    rows = [
        {"image": image("a.png"), "label": 1, "box": [1.5]},
        {"image": image("b.png"), "label": -1, "box": []},
        {"image": image("c.png"), "label": None, "box": []},
    ]
    features = {"label": {"_type": "ClassLabel", "names": ["cat", "dog"]}, "image": {}}
    path = write(tmp_path / "set" / "0.parquet", rows, features)
    expected = [Record("a.png", (Prediction("", "dog", 1.0),)), Record("b.png"), Record("c.png")]
    assert load_dataset_format(FORMAT).detect(str(tmp_path / "set"))
    assert read(tmp_path / "set", FORMAT) == expected
    assert next(iter(read(path, FORMAT, base="/b"))).path == "/b/a.png"


def test_parquet_of_others_without_description_gives_text(tmp_path: Path) -> None:
    path = write(tmp_path / "a.parquet", [{"image": image("a.png"), "caption": "two cats"}])
    assert read(path, FORMAT) == [Record("a.png", (Prediction("", "two cats", 1.0),))]


@pytest.mark.parametrize(
    ("row", "features", "reason"),
    [
        ({"image": image(None), "label": 0}, None, "row 1: its image has no name"),
        ({"image": image("../a.png"), "label": 0}, None, "row 1: the image '../a.png' is not in"),
        ({"image": image("/a.png"), "label": 0}, None, "row 1: the image '/a.png' is not in"),
        ({"image": image("a.png"), "label": 5}, ["cat"], "row 1: there is no class 5"),
        ({"image": image("a.png"), "label": 5}, [7], "names of classes"),
        ({"image": image("a.png"), "label": 5}, "cat", "names of classes"),
        ({"image": image("a.png"), "mnv2": "{]"}, None, "row 1: it is not valid JSON"),
        ({"image": "a.png", "label": 5}, None, "no column 'image' with embedded images"),
        ({"path": "a.png", "label": 5}, None, "no column 'image' with embedded images"),
    ],
)
def test_damaged_parquet_is_one_error(
    tmp_path: Path, row: dict[str, object], features: object, reason: str
) -> None:
    given = features and {"label": {"_type": "ClassLabel", "names": features}}
    path = write(tmp_path / "a.parquet", [row], given)
    with pytest.raises(InputError, match=reason):
        read(path, FORMAT)


def test_truncated_parquet_is_one_error(tmp_path: Path) -> None:
    path = write(tmp_path / "a.parquet", [{"image": image("a.png"), "label": 1}])
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])
    assert not load_dataset_format(FORMAT).detect(str(path))
    with pytest.raises(InputError, match=r"cannot read the dataset .*a\.parquet"):
        read(path, FORMAT)


def test_parquet_without_pyarrow_names_the_command_to_install_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(InputError, match=r"pip install 'mnv2cli\[parquet\]'"):
        load_dataset_format(FORMAT).check()
