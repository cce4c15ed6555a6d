"""What is kept of files restores them exactly, and takes little space and memory."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from mnv2cli.tagging import originals
from mnv2cli.tagging.originals import Originals, originals_path

NOISE = random.Random(7).randbytes(400_000)
CASES = {
    "inserted": NOISE[:3000] + b"keywords" * 300 + NOISE[3000:],
    "removed": NOISE[:3000] + NOISE[9000:],
    "moved far": b"\1" * 50_000 + random.Random(8).randbytes(90_000) + NOISE,
    "cut": NOISE[:200_000],
    "swapped": NOISE[200_000:] + NOISE[:200_000],
    "both ends": b"RIFF1" + NOISE[5:399_000] + b"keywords" * 90,
    "two shifts": NOISE[:9000] + b"1" * 7000 + NOISE[9000:300_000] + b"2" * 5000 + NOISE[300_000:],
    "another": random.Random(9).randbytes(1000),
}


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let blocks be small, so that a photo has many."""
    monkeypatch.setattr(originals, "BLOCK", 64_000)
    monkeypatch.setattr(originals, "_UNIT", 4_000)
    monkeypatch.setattr(originals, "_MARGIN", 16_000)


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize("case", CASES)
def test_a_difference_restores_the_photo(tmp_path: Path, case: str) -> None:
    old, new = tmp_path / "old", tmp_path / "new"
    old.write_bytes(NOISE)
    new.write_bytes(CASES[case])
    journal = str(tmp_path / "1.tag.jsonl")
    with Originals(journal, create=True) as kept:
        kept.keep(b"before it")
        where, size, _ = kept.keep_difference(str(old), str(new))
        assert b"".join(kept.restored(where, size, str(new))) == NOISE
    if case in ("inserted", "moved far", "removed", "swapped", "both ends", "two shifts"):
        assert where[1] < 10_000


def test_small_files_are_kept_one_after_another(tmp_path: Path) -> None:
    journal = str(tmp_path / "1.tag.jsonl")
    contents = [b"", b"a", b"<x/>" * 1000]
    found = []
    for content in contents:  # as by several processes
        with Originals(journal, create=True) as kept:
            found.append(kept.keep(content))
            kept.sync()
    with Originals(journal) as kept:
        for where, content in zip(reversed(found), reversed(contents), strict=True):
            assert b"".join(kept.restored(where, len(content))) == content


@pytest.mark.parametrize("offset, length, size", [
    (0, 10**9, 4000), (10**9, 10, 4000), (5, 20, 4000),
    (0, None, 10**12), (0, None, 100), (0, 0, 1),
])  # fmt: skip
def test_what_does_not_fit_is_refused(
    tmp_path: Path, offset: int, length: int | None, size: int
) -> None:
    journal = str(tmp_path / "1.tag.jsonl")
    with Originals(journal, create=True) as kept:
        where = kept.keep(b"<x/>" * 1000)
        bad = (offset, where[1] if length is None else length, False)
        with pytest.raises(ValueError, match="damaged"):
            list(kept.restored(bad, size))


def test_a_frame_that_grows_beyond_its_size_is_refused(tmp_path: Path) -> None:
    zstandard = pytest.importorskip("zstandard")
    bomb = zstandard.ZstdCompressor().compress(bytes(100 << 20))
    path = tmp_path / "1.tag.originals"
    path.write_bytes(originals._FRAME.pack(len(bomb), 100, -1) + bomb)
    with (
        Originals(str(tmp_path / "1.tag.jsonl")) as kept,
        pytest.raises(ValueError, match="damaged"),
    ):
        list(kept.restored((0, path.stat().st_size, False), 100))


def test_a_link_in_the_place_of_originals_is_not_followed(tmp_path: Path) -> None:
    journal, mine = str(tmp_path / "1.tag.jsonl"), tmp_path / "mine"
    mine.write_text("mine")
    Path(originals_path(journal)).symlink_to(mine)
    with pytest.raises(OSError):
        Originals(journal, create=True)
    assert mine.read_text() == "mine"


@pytest.mark.usefixtures("small")
def test_random_changes_are_restored(tmp_path: Path) -> None:
    chance = random.Random(5)
    old, new = tmp_path / "old", tmp_path / "new"
    for turn in range(60):
        content = chance.randbytes(chance.randint(1, 200_000))
        if turn % 3 == 0:
            content = bytes(len(content))  # an area of one colour
        parts = bytearray(content)
        for _ in range(chance.randint(0, 5)):
            start = chance.randint(0, len(parts))
            piece = parts[start : start + chance.randint(0, 9000)]
            if chance.random() < 0.7:  # removed, or moved
                del parts[start : start + len(piece)]
            if chance.random() < 0.7:  # inserted, or moved
                place = chance.randint(0, len(parts))
                parts[place:place] = piece if turn % 2 else chance.randbytes(len(piece) * 2)
        old.write_bytes(content)
        new.write_bytes(parts or b"x")
        with Originals(str(tmp_path / "1.tag.jsonl"), create=True) as kept:
            where, size, _ = kept.keep_difference(str(old), str(new))
            assert b"".join(kept.restored(where, size, str(new))) == content


@pytest.mark.usefixtures("small")
def test_a_difference_that_does_not_restore_the_photo_is_not_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    old, new = tmp_path / "old", tmp_path / "new"
    old.write_bytes(NOISE)
    new.write_bytes(CASES["inserted"])
    monkeypatch.setattr(originals._Deltas, "_equal", lambda self, block, start, offset: len(block))
    with Originals(str(tmp_path / "1.tag.jsonl"), create=True) as kept:
        with pytest.raises(ValueError, match="cannot be kept"):
            kept.keep_difference(str(old), str(new))
        where = kept.keep(b"next")
        assert where[0] == 0 and b"".join(kept.restored(where, 4)) == b"next"
