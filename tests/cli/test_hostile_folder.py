"""A folder with every kind of invalid or unusual file: each has one row, in order."""

from __future__ import annotations

import csv
import io
import os
import random
import struct
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pillow_heif
import pytest
from click.testing import Result
from PIL import Image

from mnv2cli.sources.names import natural_sorted
from tests.conftest import FakeEngine, draw

pillow_heif.register_heif_opener()

NOISE = Image.fromarray(np.random.default_rng(0).integers(0, 256, (90, 120, 3), np.uint8))


def cut(path: Path, keep: float = 0.6) -> Path:
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * keep)])
    return path


def saved(path: Path, *args: Any, **save: Any) -> Path:
    NOISE.save(path, *args, **save)
    return path


def flipped(path: Path) -> Path:
    """Overwrite the middle of a file with noise."""
    data = bytearray(path.read_bytes())
    start = len(data) // 2
    data[start : start + 400] = random.Random(1).randbytes(400)
    path.write_bytes(data)
    return path


def bomb(path: Path) -> None:
    def chunk(kind: bytes, data: bytes) -> bytes:
        check = struct.pack(">I", zlib.crc32(kind + data))
        return struct.pack(">I", len(data)) + kind + data + check

    header = struct.pack(">IIBBBBB", 65535, 65535, 8, 2, 0, 0, 0)
    path.write_bytes(
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"\0" * 9999))
    )


# Each kind of file: a function that creates it, and the beginning of its error; an empty text if
# the file is read, None if it is skipped.
KINDS: dict[str, tuple[Callable[[Path], object], str | tuple[str, ...] | None]] = {
    "good.jpg": (draw, ""),
    "empty.jpg": (lambda p: p.write_bytes(b""), "empty file: zero bytes"),
    "text.jpg": (lambda p: p.write_text("hello"), "not an image: a text file"),
    "binary.jpg": (lambda p: p.write_bytes(bytes(range(256)) * 9), "not an image"),
    "zeros.png": (lambda p: p.write_bytes(bytes(5000)), "not an image"),
    "page.jpg": (lambda p: p.write_text("<!DOCTYPE html>"), "not an image: a web page"),
    "drawing.png": (lambda p: p.write_text("<svg/>"), "not supported: SVG drawing"),
    "paper.jpg": (lambda p: p.write_bytes(b"%PDF-1.4"), "not an image: a PDF document"),
    "script.jpg": (lambda p: p.write_text("%!PS\n(x) run"), "not an image: a PostScript document"),
    "film.heic": (
        lambda p: p.write_bytes(b"\0\0\0\x18ftypisom" + bytes(99)),
        "not an image: a video",
    ),
    "archive.webp": (lambda p: p.write_bytes(b"PK\x03\x04" * 50), "not an image: a ZIP archive"),
    "riff.webp": (lambda p: p.write_bytes(b"RIFF\x24\0\0\0WAVEfmt "), "not an image"),
    "jpeg-named.png": (lambda p: saved(p, "JPEG"), ""),
    "png-named.jpg": (lambda p: saved(p, "PNG"), ""),
    "heic-named.jpg": (lambda p: saved(p, "HEIF"), ""),
    "header-only.jpg": (lambda p: p.write_bytes(b"\xff\xd8\xff\xe0"), "damaged: JPEG"),
    "header-only.gif": (lambda p: p.write_bytes(b"GIF89a"), "damaged: GIF"),
    "header-only.tif": (lambda p: p.write_bytes(b"II*\0\xff\xff\xff\xff"), "damaged: TIFF"),
    "header-only.bmp": (
        lambda p: p.write_bytes(b"BM" + b"\xff" * 12 + b"\x28\0\0\0" + b"\xff" * 40),
        ("damaged", "truncated", "not supported: BMP"),
    ),
    "cut.jpg": (lambda p: cut(saved(p)), "truncated"),
    "cut-progressive.jpg": (lambda p: cut(saved(p, progressive=True)), "truncated"),
    "cut.png": (lambda p: cut(saved(p)), "truncated"),
    "cut.gif": (lambda p: cut(saved(p)), "truncated"),
    "cut.bmp": (lambda p: cut(saved(p)), "truncated"),
    "cut.tif": (lambda p: cut(saved(p)), "truncated"),
    "cut.webp": (lambda p: cut(saved(p)), "truncated"),
    "cut.avif": (lambda p: cut(saved(p)), ("damaged", "truncated")),
    "cut.heic": (lambda p: cut(saved(p)), "truncated"),
    "flipped.png": (lambda p: flipped(saved(p)), "damaged: PNG"),
    "bomb.png": (bomb, "too many pixels: 4,294,836,225 is over 256,000,000"),
    "folder.jpg": (Path.mkdir, "a folder, not an image"),
    "pipe.jpg": (os.mkfifo, "not a regular file: a named pipe"),
    "device.jpg": (lambda p: p.symlink_to("/dev/zero"), "not a regular file: a device"),
    "gone.jpg": (lambda p: p.symlink_to("nowhere"), "broken link: its target does not exist"),
    "loop.jpg": (lambda p: p.symlink_to(p), "cannot be read: too many levels of symbolic links"),
    "link.jpg": (lambda p: p.symlink_to("good.jpg"), ""),
    "grey16.png": (lambda p: Image.fromarray(np.full((9, 9), 65535, np.uint16)).save(p), ""),
    "cmyk.jpg": (lambda p: Image.new("CMYK", (9, 9)).save(p), ""),
    "tiny.png": (lambda p: draw(p, size=(1, 1)), ""),
    "thin.png": (lambda p: draw(p, size=(1, 9000)), ""),
    "exif.jpg": (lambda p: saved(p, exif=b"Exif\0\0MM\0*\0\0\0\x08\xff\xff\xff"), ""),
    "trailing.jpg": (lambda p: saved(p) and p.write_bytes(p.read_bytes() + b"x" * 999), ""),
    "=cmd()": (lambda p: saved(p, "PNG"), None),
    "=1+1.jpg": (saved, ""),
    "-rf.jpg": (saved, ""),
    "new\nline.jpg": (saved, ""),
    "esc\x1b[31m.jpg": (saved, ""),
    'quo"te,.jpg': (saved, ""),
    os.fsdecode(b"latin\xe9.jpg"): (lambda p: saved(p, "JPEG"), ""),
    "\u732b.jpg": (saved, ""),
    "x" * 251 + ".jpg": (saved, ""),
}


@pytest.mark.parametrize("format", ["csv", "table"])
def test_each_invalid_or_unusual_file_has_one_row(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    invoke: Callable[..., Result],
    fake_engine: FakeEngine,
    format: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    for name, (make, _) in KINDS.items():
        make(tmp_path / name)
    result = invoke("classify", ".", "-q", "-f", format)
    assert result.exit_code == 4
    bad = sum(bool(error) for _, error in KINDS.values())
    assert result.stderr.count("\n") == result.stderr.count("Error: ./") == bad
    if format == "table":
        assert "\x1b" not in result.stdout
        return
    text = result.stdout_bytes.decode("utf-8", "surrogateescape")
    rows = list(csv.DictReader(io.StringIO(text, newline="")))
    wanted = {name: error for name, (_, error) in KINDS.items() if error is not None}
    assert [row["path"] for row in rows] == natural_sorted([f"./{name}" for name in wanted])
    for row in rows:
        error = wanted[row["path"].removeprefix("./")]
        if error:
            assert row["status"] == "error" and row["error"].startswith(error), row
            assert not row["label_1"]
        else:
            assert row["status"] == "ok" and row["label_1"] and not row["error"], row
    good = sum(not error for error in wanted.values())
    assert sum(fake_engine.batches) == good
    assert len(wanted) - good >= 30
