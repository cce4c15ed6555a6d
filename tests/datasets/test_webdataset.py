from __future__ import annotations

import io
import json
import os
import tarfile
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from mnv2cli.datasets.formats import Item, WriteOptions, load_dataset_format
from mnv2cli.datasets.webdataset import WEBDATASET
from mnv2cli.errors import InputError
from mnv2cli.records import Prediction, Record
from tests.datasets.made import draw, make, read, records_of

FORMAT = "webdataset"


def members(path: Path) -> dict[str, bytes]:
    with tarfile.open(path) as tar:
        return {m.name: tar.extractfile(m).read() for m in tar}  # type: ignore[union-attr]


def write(
    path: Path, files: dict[str, bytes], change: Callable[[tarfile.TarInfo], None] | None = None
) -> Path:
    with tarfile.open(path, "w") as tar:
        for name, data in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(data)
            if change:
                change(member)
            tar.addfile(member, io.BytesIO(data))
    return path


def label(path: str, *labels: str) -> Record:
    return Record(path, tuple(Prediction("", each, 1.0) for each in labels))


def test_shards_have_image_id_and_entry_of_each_photo(tmp_path: Path) -> None:
    records = records_of(
        ["b", "a", "b"], ["x.y/1.PNG", "2.jpeg", "../photos/no suffix"[10:] + ".bmp"]
    )
    made = make(tmp_path, FORMAT, records, own={"shard_size": 2})
    assert sorted(each.name for each in made.path.iterdir()) == ["000000.tar", "000001.tar"]
    found = members(made.path / "000000.tar")
    assert list(found) == [
        "000000000.png", "000000000.cls", "000000000.json",
        "000000001.jpg", "000000001.cls", "000000001.json",
    ]  # fmt: skip
    assert found["000000001.jpg"] == (tmp_path / "src" / FORMAT / "2.jpeg").read_bytes()
    assert [found[f"00000000{i}.cls"] for i in range(2)] == [b"1", b"0"]
    entry = json.loads(found["000000000.json"])
    assert (entry["file_name"], entry["label"], entry["label_id"]) == ("x.y/1.PNG", "b", 1)
    assert made.read() == records


def test_image_without_suffix_gets_that_of_its_content(tmp_path: Path) -> None:
    draw(tmp_path / "a.png", 0).rename(tmp_path / "a")
    (tmp_path / "b.v2").write_bytes(b"no image")
    writer = WEBDATASET.writer(str(tmp_path), WriteOptions())
    for name in ("a", "b.v2"):
        writer.write(Item(Record(name), name, str(tmp_path / name), ""))
    writer.finish()
    names = list(members(tmp_path / "000000.tar"))
    assert names[::3] == ["000000000.png", "000000001.img"]
    assert read(tmp_path, FORMAT) == [Record("a"), Record("b.v2")]


def test_equal_photos_give_equal_shards(tmp_path: Path) -> None:
    contents = []
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        made = make(tmp_path / name, FORMAT, records_of(["a", "b"]))
        for source in (tmp_path / name / "src" / FORMAT / "sub").iterdir():
            os.utime(source, (time.time() + 99, 1))
        contents.append((made.path / "000000.tar").read_bytes())
    assert contents[0] == contents[1]


def test_shard_ends_where_it_is_large(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mnv2cli.datasets.webdataset._SHARD_BYTES", 1)
    made = make(tmp_path, FORMAT, records_of(["a", "b", "c"]))
    assert len(list(made.path.glob("*.tar"))) == 3
    assert made.read() == made.records


def test_shard_of_no_photos_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="at least one photo"):
        make(tmp_path, FORMAT, records_of(["a"]), own={"shard_size": 0})


def test_shards_of_others_give_labels_and_paths_in_their_tar(tmp_path: Path) -> None:
    (tmp_path / "classes.txt").write_text("cat\nbig dog\n")
    write(
        tmp_path / "10.tar",
        {"sub.d/z.png": b".", "sub.d/z.cls": b"-1"},
    )
    path = write(
        tmp_path / "2.tar",
        {
            "a.jpg": b".", "a.cls": b"1\n", "a.seg.png": b".",
            "b.json": b'{"caption": "two cats", "width": 3}', "b.webp": b".",
            "c.jpg": b".", "c.txt": b"a mat",
            "d.jpg": b".", "d.cls": b"7", "__x__/readme": b"",
            "e.cls": b"1",
            "f.jpg": b".",
        },
    )  # fmt: skip
    assert WEBDATASET.detect(str(tmp_path)) and WEBDATASET.detect(str(path))
    expected = [
        label(f"tar://a.jpg::{path}", "big dog"),
        label(f"tar://b.webp::{path}", "two cats"),
        label(f"tar://c.jpg::{path}", "a mat"),
        label(f"tar://d.jpg::{path}", "7"),
        label(f"tar://f.jpg::{path}"),
    ]
    assert read(path, FORMAT) == expected
    last = label(f"tar://sub.d/z.png::{tmp_path / '10.tar'}")
    assert read(tmp_path, FORMAT) == [*expected, last]
    assert read(tmp_path, FORMAT, base="/b")[-1].path == "/b/sub.d/z.png"


@pytest.mark.parametrize("name", ["../a.jpg", "/a.jpg", "x/../../a.jpg", "C:\\a.jpg"])
def test_member_outside_is_refused(tmp_path: Path, name: str) -> None:
    path = write(tmp_path / "a.tar", {name: b".", "b.cls": b"1"})
    with pytest.raises(InputError, match="not in the folder"):
        read(path, FORMAT)
    assert [each.name for each in tmp_path.iterdir()] == ["a.tar"]


@pytest.mark.parametrize(
    "type", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.BLKTYPE, tarfile.FIFOTYPE]
)
def test_links_and_devices_are_refused(tmp_path: Path, type: bytes) -> None:
    def change(member: tarfile.TarInfo) -> None:
        member.type, member.linkname, member.size = type, "/etc/passwd", 0

    path = write(tmp_path / "a.tar", {"a.json": b""}, change)
    with pytest.raises(InputError, match=r"'a\.json': it is not a file, but a link or a device"):
        read(path, FORMAT)


@pytest.mark.parametrize(
    ("files", "reason"),
    [
        ({"a.json": b" " * (2 << 20)}, "'a.json': it is larger than 1 MiB"),
        ({"a.jpg": b"", "a.json": b"{"}, "'a.jpg': it is not valid JSON"),
        ({"a.jpg": b"", "a.json": b"[" * 100_000}, "nested too deeply"),
        ({"a.jpg": b"", "a.json": b"[]"}, "it is not an object"),
        ({"a.jpg": b"", "a.json": b'{"label": NaN}'}, "NaN is not a number"),
        ({"a.jpg": b"", "a.json": b'{"label": "\xff"}'}, "'a.jpg': "),
        ({"a.jpg": b"", "a.cls": b"\xff"}, "'a.jpg': "),
        ({"a.jpg": b"", "a.json": b'{"mnv2": "{}"}'}, "'mnv2' is not the record"),
    ],
)
def test_damaged_entry_is_one_error_with_its_member(
    tmp_path: Path, files: dict[str, bytes], reason: str
) -> None:
    path = write(tmp_path / "a.tar", files)
    with pytest.raises(InputError, match=reason):
        read(path, FORMAT)


@pytest.mark.parametrize("content", [b"no tar", b"", b"\x1f\x8b" + b"\0" * 600])
def test_file_that_is_not_a_tar_is_one_error(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a.tar").write_bytes(content)
    with pytest.raises(InputError, match=r"cannot read the dataset .*a\.tar'"):
        read(tmp_path, FORMAT)


def test_truncated_tar_is_one_error(tmp_path: Path) -> None:
    path = write(tmp_path / "a.tar", {"a.jpg": b"." * 2000, "a.json": b'{"label": "x"}'})
    path.write_bytes(path.read_bytes()[:3075])
    with pytest.raises(InputError, match=r"cannot read the dataset .*a\.tar'"):
        read(path, FORMAT)


def test_unknown_file_of_a_missing_folder_is_not_detected(tmp_path: Path) -> None:
    assert not load_dataset_format(FORMAT).detect(str(tmp_path / "no.tar"))
