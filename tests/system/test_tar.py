"""Headers of tar archives that would take gigabytes are refused before they are read."""

from __future__ import annotations

import tarfile
from pathlib import Path

import pytest

from mnv2cli.datasets.read import read_dataset
from mnv2cli.errors import InputError
from mnv2cli.sources.remote.archive_members import ArchiveMembers
from mnv2cli.sources.remote.errors import StoreError
from mnv2cli.system.tar import BoundedTarInfo

EXTENDED = [tarfile.GNUTYPE_LONGNAME, tarfile.GNUTYPE_LONGLINK, tarfile.XHDTYPE, tarfile.XGLTYPE]


def bomb(path: Path, type: bytes) -> Path:
    """Write a sparse archive with a header that claims 50 GB."""
    header = tarfile.TarInfo("x")
    header.type, header.size = type, 50 * 10**9
    with open(path, "wb") as file:
        file.write(header.tobuf(tarfile.GNU_FORMAT))
        file.truncate(header.size + 10_240)
    return path


@pytest.mark.parametrize("type", EXTENDED)
def test_huge_headers_are_refused_at_once(tmp_path: Path, type: bytes) -> None:
    path = bomb(tmp_path / "x.tar", type)
    with pytest.raises(InputError, match="a header has 50,000,000,000 bytes"):
        list(read_dataset(path, "webdataset"))
    with pytest.raises(StoreError, match="not a tar archive"):
        ArchiveMembers("tar", open(path, "rb"))  # noqa: SIM115


def test_thousands_of_headers_of_one_member_are_one_error(tmp_path: Path) -> None:
    header = tarfile.TarInfo("x")
    header.type, header.size = tarfile.GNUTYPE_LONGNAME, 2
    name = header.tobuf(tarfile.GNU_FORMAT) + b"a\0".ljust(512, b"\0")
    path = tmp_path / "x.tar"
    path.write_bytes(name * 5_000)
    with pytest.raises(InputError, match="is damaged"):
        list(read_dataset(path, "webdataset"))
    with pytest.raises(InputError):
        list(read_dataset(path))


@pytest.mark.parametrize("format", [tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
def test_long_names_are_read(tmp_path: Path, format: int) -> None:
    name = "a/" * 500 + "é.txt"
    with tarfile.open(tmp_path / "x.tar", "w", format=format) as tar:
        tar.addfile(tarfile.TarInfo(name))
    with tarfile.open(tmp_path / "x.tar", tarinfo=BoundedTarInfo) as tar:
        assert tar.getnames() == [name]
