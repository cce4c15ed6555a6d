"""Features files: what is written is read back, and hostile files are refused."""

from __future__ import annotations

import io
import json
import os
import pickle
import zipfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mnv2cli.errors import InputError, OutputError
from mnv2cli.records import Record
from mnv2cli.results.features import Contents, FeaturesInfo, check_same, open_features
from mnv2cli.runs.features_run import write_features

INFO = FeaturesInfo("net_1", "abcd", "litert", "float32", 3, False)
VECTOR = np.array([1.5, -2, 3e-8], np.float32)
RECORDS = [
    Record("a.jpg", model="net_1", embedding=VECTOR),
    Record("ä/b\n'c.jpg", error="truncated: 3 bytes", model="net_1"),
    Record(os.fsdecode(b"odd\xff.png"), model="net_1", embedding=-VECTOR),
]
FORMATS = pytest.mark.parametrize("suffix", ["npz", "parquet"])


def write(path: Path, records: list[Record] = RECORDS, info: FeaturesInfo = INFO) -> Path:
    has_position = any(record.position is not None for record in records)
    write_features(str(path), Contents(info, len(records), has_position), records)
    return path


def vectors(records: list[Record]) -> list[Any]:
    return [None if r.embedding is None else r.embedding.tolist() for r in records]


@FORMATS
@pytest.mark.parametrize("number", [0, 1, 3])
def test_records_are_read_back(tmp_path: Path, suffix: str, number: int) -> None:
    file = open_features(str(write(tmp_path / f"f.{suffix}", RECORDS[:number])))
    found = list(file.records())
    assert file.info == INFO and file.rows == number
    assert found == RECORDS[:number]
    assert vectors(found) == vectors(RECORDS[:number])


@FORMATS
def test_positions_of_a_shard_are_read_back(tmp_path: Path, suffix: str) -> None:
    records = [replace(record, position=5 * i) for i, record in enumerate(RECORDS)]
    assert list(open_features(str(write(tmp_path / f"f.{suffix}", records))).records()) == records


@FORMATS
def test_many_rows_are_read_in_blocks(tmp_path: Path, suffix: str) -> None:
    records = [
        Record(f"{i}.jpg", model="net_1", embedding=np.full(3, i, np.float32)) for i in range(9000)
    ]
    file = open_features(str(write(tmp_path / f"f.{suffix}", records)))
    blocks = list(file.blocks())
    assert max(len(block.paths) for block in blocks) <= 1024
    assert np.concatenate([block.embedding for block in blocks])[:, 0].tolist() == list(range(9000))


@FORMATS
def test_same_features_are_the_same_bytes(tmp_path: Path, suffix: str) -> None:
    a, b = (write(tmp_path / f"{name}.{suffix}").read_bytes() for name in "ab")
    assert a == b


@FORMATS
def test_wrong_number_of_rows_leaves_no_file(tmp_path: Path, suffix: str) -> None:
    with pytest.raises(OutputError, match="3 rows instead of 4"):
        write_features(str(tmp_path / f"f.{suffix}"), Contents(INFO, 4), RECORDS)
    assert not list(tmp_path.iterdir())


def test_numpy_opens_the_arrays_without_pickle(tmp_path: Path) -> None:
    with np.load(write(tmp_path / "f.npz"), allow_pickle=False) as data:
        assert data["path"].tolist() == [record.path for record in RECORDS]
        assert data["status"].tolist() == ["ok", "error", "ok"]
        assert data["error"].tolist() == ["", "truncated: 3 bytes", ""]
        assert data["embedding"].dtype == np.float32
        assert data["embedding"].tolist() == [VECTOR.tolist(), [0, 0, 0], (-VECTOR).tolist()]
        assert (str(data["model"]), bool(data["normalized"])) == ("net_1", False)


def test_pandas_opens_the_columns(tmp_path: Path) -> None:
    import pandas as pd

    table = pd.read_parquet(write(tmp_path / "f.parquet"))
    assert table["path"].tolist()[0] == "a.jpg" and table["path"].tolist()[2] == "odd\\xff.png"
    assert table["status"].tolist() == ["ok", "error", "ok"]
    assert np.stack(table["embedding"].dropna()).dtype == np.float32
    assert table["embedding"].isna().tolist() == [False, True, False]


@FORMATS
@pytest.mark.parametrize(
    "change",
    [{"model": "other"}, {"weights": "ef"}, {"precision": "int8"}, {"normalized": True},
     {"accurate": True}],
)  # fmt: skip
def test_features_of_another_network_are_not_mixed(
    tmp_path: Path, suffix: str, change: dict[str, Any]
) -> None:
    one = open_features(str(write(tmp_path / f"a.{suffix}")))
    other = open_features(str(write(tmp_path / f"b.{suffix}", info=replace(INFO, **change))))
    with pytest.raises(InputError, match="cannot be combined"):
        check_same(one, other)


def test_features_of_another_engine_are_mixed(tmp_path: Path) -> None:
    one = open_features(str(write(tmp_path / "a.npz")))
    other = open_features(str(write(tmp_path / "b.npz", info=replace(INFO, engine="keras"))))
    check_same(one, other)


# Hostile files


def refused(path: Path) -> str:
    with pytest.raises(InputError) as caught:
        list(open_features(str(path)).records())
    return caught.value.message


@pytest.mark.parametrize("name", ["f.csv", "f", "missing.npz", "missing.parquet"])
def test_what_is_not_a_features_file_is_refused(tmp_path: Path, name: str) -> None:
    assert name in refused(tmp_path / name)


@FORMATS
@pytest.mark.parametrize("content", [b"", b"PK\x03\x04", b"PAR1" * 9, b"not features" * 100])
def test_other_content_is_refused(tmp_path: Path, suffix: str, content: bytes) -> None:
    path = tmp_path / f"f.{suffix}"
    path.write_bytes(content)
    assert "not a sound features file" in refused(path)


@FORMATS
def test_any_truncated_or_changed_file_is_refused_or_read(tmp_path: Path, suffix: str) -> None:
    content = write(tmp_path / f"f.{suffix}").read_bytes()
    path = tmp_path / f"damaged.{suffix}"
    for cut in range(0, len(content), 97):
        path.write_bytes(content[:cut])
        refused(path)
    for at in range(0, len(content), 13):
        path.write_bytes(content[:at] + bytes([content[at] ^ 0x55]) + content[at + 1 :])
        try:
            records = list(open_features(str(path)).records())
        except InputError:
            continue
        assert len(records) == 3


def arrays(**changes: Any) -> dict[str, Any]:
    found = {
        "metadata": np.array(INFO.to_json()),
        "path": np.array(["a", "b"]),
        "status": np.array(["ok", "ok"]),
        "error": np.array(["", ""]),
        "embedding": np.ones((2, 3), np.float32),
    }
    return found | changes


def test_arrays_of_another_program_are_read(tmp_path: Path) -> None:
    path = tmp_path / "f.npz"
    np.savez_compressed(path, **arrays())
    assert [record.path for record in open_features(str(path)).records()] == ["a", "b"]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"embedding": np.ones((2, 3))}, "float64"),
        ({"embedding": np.ones((2, 4), np.float32)}, "4 features"),
        ({"embedding": np.ones(6, np.float32)}, "not float32"),
        ({"embedding": np.ones((3, 3), np.float32)}, "rows instead of 3"),
        ({"embedding": np.full((2, 3), np.nan, np.float32)}, "not a number"),
        ({"path": np.array(["a", ""])}, "no path"),
        ({"path": np.array([1, 2])}, "int64"),
        ({"path": np.array(["a", "b" * 70_000])}, "<U70000"),
        ({"status": np.array(["ok", "error"])}, "contradicts"),
        ({"error": np.array(["", "broken"])}, "contradicts"),
        ({"position": np.array([0.0, 1.0])}, "float64"),
        ({"metadata": np.array("{}")}, "not a sound"),
        ({"metadata": np.array("[1]")}, "not a sound"),
        ({"metadata": np.array("x" * 70_000)}, "too long"),
        ({"metadata": np.array(json.dumps(json.loads(INFO.to_json()) | {"size": -1}))}, "not a s"),
    ],
)
def test_wrong_arrays_are_refused(tmp_path: Path, changes: dict[str, Any], message: str) -> None:
    path = tmp_path / "f.npz"
    np.savez(path, **arrays(**changes))
    assert message in refused(path)


def test_missing_array_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "f.npz"
    found = arrays()
    del found["status"]
    np.savez(path, **found)
    assert "an array is missing" in refused(path)


class Bomb:
    def __reduce__(self) -> Any:
        return os.system, ("echo this must never run > ran",)


@pytest.mark.parametrize("name", ["path", "embedding", "metadata"])
def test_pickled_arrays_are_refused_and_not_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.chdir(tmp_path)
    bomb = np.empty(2, object)
    bomb[:] = [Bomb(), Bomb()]
    try:
        np.savez(tmp_path / "f.npz", **arrays(**{name: bomb}), allow_pickle=True)
    except (TypeError, pickle.PicklingError):
        pytest.skip("this NumPy does not write them")
    refused(tmp_path / "f.npz")
    assert not (tmp_path / "ran").exists()


def member(shape: tuple[int, ...], content: bytes) -> bytes:
    stream = io.BytesIO()
    header = {"descr": "<f4", "fortran_order": False, "shape": shape}
    np.lib.format.write_array_header_1_0(stream, header)
    return stream.getvalue() + content


@pytest.mark.parametrize("shape", [(1 << 40, 3), (1 << 62, 1 << 62), (-2, 3), (2, 3, 1 << 50)])
def test_declared_shape_that_is_not_there_is_refused(
    tmp_path: Path, shape: tuple[int, ...]
) -> None:
    path = tmp_path / "f.npz"
    found = arrays()
    del found["embedding"]
    np.savez(path, **found)
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("embedding.npy", member(shape, bytes(24)))
    assert "embedding" in refused(path)


def test_zip_bomb_is_refused_before_it_is_read(tmp_path: Path) -> None:
    path = tmp_path / "f.npz"
    rows = 1_000_000
    found = arrays(path=np.array(["a"] * 4))
    del found["embedding"]
    np.savez(path, **found)
    with zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("embedding.npy", member((rows, 3), bytes(12 * rows)))
    assert "compressed too much" in refused(path)


@pytest.mark.parametrize("change", ["type", "size", "missing", "metadata", "nulls"])
def test_wrong_columns_are_refused(tmp_path: Path, change: str) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    path = write(tmp_path / "f.parquet")
    table = pq.read_table(path)
    if change == "missing":
        table = table.drop_columns(["error"])
    elif change == "metadata":
        table = table.replace_schema_metadata({})
    else:
        types = {
            "type": pa.list_(pa.float64(), 3), "size": pa.list_(pa.float32(), 2),
            "nulls": pa.list_(pa.float32(), 3),
        }  # fmt: skip
        value = [None] * 3 if change == "nulls" else [1.0] * types[change].list_size
        column = pa.array([value] * 3, types[change])
        at = table.schema.get_field_index("embedding")
        table = table.set_column(at, pa.field("embedding", types[change]), column)
    pq.write_table(table, path)
    refused(path)
