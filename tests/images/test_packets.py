from __future__ import annotations

import os
import random
import struct
import zlib
from pathlib import Path

import pytest
from PIL import Image

from mnv2cli.images import packets
from mnv2cli.images.packets import embedded, embedded_packet
from tests.tagging.photos import FORMATS, iim, packet, png_chunk, save, with_iptc

PACKET = packet("kitchen", "Bath & <tub>")


@pytest.mark.parametrize("suffix", FORMATS)
def test_packet_of_each_format_is_the_written_one(tmp_path: Path, suffix: str) -> None:
    assert embedded_packet(str(save(tmp_path / f"a{suffix}", PACKET))) == PACKET


@pytest.mark.parametrize("suffix", FORMATS)
def test_packet_is_empty_for_a_photo_without_one(tmp_path: Path, suffix: str) -> None:
    assert embedded_packet(str(save(tmp_path / f"a{suffix}"))) == b""


@pytest.mark.parametrize("suffix", FORMATS)
def test_packet_is_found_whatever_the_name(tmp_path: Path, suffix: str) -> None:
    photo = save(tmp_path / f"a{suffix}", PACKET)
    name = os.fsencode(tmp_path) + b"/caf\xe9.xyz"
    os.rename(photo, name)
    assert embedded_packet(os.fsdecode(name)) == PACKET


def test_packet_of_a_jpeg_with_exif_and_profile_in_front_is_found(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[271] = "maker"
    photo = save(tmp_path / "a.jpg", PACKET, exif=exif, icc_profile=bytes(200_000), quality=95)
    assert embedded_packet(str(photo)) == PACKET


def test_packet_of_an_extended_jpeg_is_the_main_one(tmp_path: Path) -> None:
    photo = save(tmp_path / "a.jpg", PACKET)
    more = (
        b"http://ns.adobe.com/xmp/extension/\0"
        + b"A" * 32
        + struct.pack(">II", 9, 0)
        + b"<x>rest/>"
    )
    content = photo.read_bytes()
    segment = b"\xff\xe1" + struct.pack(">H", len(more) + 2) + more
    photo.write_bytes(content[:2] + segment + content[2:])
    assert embedded_packet(str(photo)) == PACKET


def test_packet_behind_the_pixels_of_a_png_is_found(tmp_path: Path) -> None:
    photo = save(tmp_path / "a.png")
    text = b"XML:com.adobe.xmp\0\0\0\0\0" + PACKET
    content = photo.read_bytes()
    end = len(content) - 12
    photo.write_bytes(content[:end] + png_chunk(b"iTXt", text) + content[end:])
    assert embedded_packet(str(photo)) == PACKET


def test_compressed_packet_of_a_png_is_expanded(tmp_path: Path) -> None:
    assert embedded_packet(str(save(tmp_path / "a.png", PACKET, zip=True))) == PACKET


def test_packet_of_a_dng_is_found(tmp_path: Path) -> None:
    tiff = save(tmp_path / "a.tif", PACKET)
    with Image.open(tiff) as image:
        image.save(tmp_path / "b.tif", tiffinfo={700: PACKET, 50706: b"\1\4\0\0", 271: "Pentax"})
    (tmp_path / "b.tif").rename(tmp_path / "b.dng")
    assert embedded_packet(str(tmp_path / "b.dng")) == PACKET


def test_compressed_packet_beyond_the_limit_is_not_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(packets, "MAX_PACKET_BYTES", 1 << 16)
    photo = save(tmp_path / "a.png")
    text = b"XML:com.adobe.xmp\0\1\0\0\0" + zlib.compress(bytes(1 << 20))
    content = photo.read_bytes()
    photo.write_bytes(content[:33] + png_chunk(b"iTXt", text) + content[33:])
    assert embedded_packet(str(photo)) == b""


@pytest.mark.parametrize("suffix", [".webp", ".tif", ".avif", ".png"])
def test_packet_beyond_the_limit_is_not_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, suffix: str
) -> None:
    monkeypatch.setattr(packets, "MAX_PACKET_BYTES", 100)
    assert embedded_packet(str(save(tmp_path / f"a{suffix}", PACKET))) == b""


def test_packet_is_empty_for_what_is_no_photo(tmp_path: Path) -> None:
    (tmp_path / "empty.jpg").touch()
    (tmp_path / "text.jpg").write_text("<x:xmpmeta/>")
    os.mkfifo(tmp_path / "pipe.jpg")
    for name in ("empty.jpg", "text.jpg", "pipe.jpg", "missing.jpg", "."):
        assert embedded_packet(str(tmp_path / name)) == b""
    assert embedded_packet("a\0.jpg") == b""
    assert embedded_packet("https://example.com/a.jpg") == b""


@pytest.mark.parametrize("suffix", FORMATS)
def test_damaged_photo_gives_bytes_and_never_an_error(tmp_path: Path, suffix: str) -> None:
    good = with_iptc(save(tmp_path / "i.jpg", PACKET), iim(b"a")) if suffix == ".jpg" else None
    content = (good or save(tmp_path / f"a{suffix}", PACKET)).read_bytes()
    chance = random.Random(suffix)
    photo = tmp_path / f"b{suffix}"
    for _ in range(150):
        damaged = bytearray(content)
        for _ in range(chance.randrange(1, 6)):
            damaged[chance.randrange(12, len(content))] = chance.randrange(256)
        photo.write_bytes(
            damaged[: chance.randrange(len(content))] if chance.random() < 0.3 else damaged
        )
        assert isinstance(embedded(str(photo)).packet, bytes)


def test_items_that_claim_to_have_millions_of_places_end_at_once(tmp_path: Path) -> None:
    entry = struct.pack(">HHH", 1, 0, 0xFFFF)
    table = b"\0\0\0\0\0\0\xff\xff" + entry * 60_000
    info = b"\2\0\0\0\0\1\0\0mime\0application/rdf+xml\0"

    def box(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data) + 8) + kind + data

    items = box(b"iinf", b"\0\0\0\0\0\1" + box(b"infe", info))
    meta = box(b"meta", bytes(4) + items + box(b"iloc", table))
    photo = tmp_path / "a.heic"
    photo.write_bytes(box(b"ftyp", b"heic\0\0\0\0mif1heic") + meta)
    assert embedded_packet(str(photo)) == b""


@pytest.mark.parametrize(
    ("words", "utf_8", "expected"),
    [
        ((b"cat", b"black dog"), False, ("cat", "black dog")),
        (("Küche".encode(), b""), True, ("Küche",)),
        (("Küche".encode("cp1252"),), False, ("Küche",)),
        (("Küche".encode(),), False, ("Küche",)),
    ],
)
def test_iptc_keywords_of_a_jpeg(
    tmp_path: Path, words: tuple[bytes, ...], utf_8: bool, expected: tuple[str, ...]
) -> None:
    photo = with_iptc(save(tmp_path / "a.jpg", PACKET), iim(*words, utf_8=utf_8))
    assert embedded(str(photo)).iptc == expected
    assert embedded(str(photo)).packet == PACKET


def test_iptc_keywords_of_a_tiff(tmp_path: Path) -> None:
    with Image.new("RGB", (8, 8)) as image:
        image.save(tmp_path / "a.tif", tiffinfo={33723: iim(b"cat")})
    assert embedded(str(tmp_path / "a.tif")).iptc == ("cat",)


def box(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", 8 + len(content)) + kind + content


XMP_UUID = bytes.fromhex("be7acfcb97a942e89c71999491e3afac")


@pytest.mark.parametrize(
    ("brand", "parts"),
    [
        (b"jP  ", box(b"uuid", bytes(20)) + box(b"uuid", XMP_UUID + PACKET)),
        (b"jP  ", box(b"xml ", b"<gml/>") + box(b"uuid", XMP_UUID + PACKET)),
        (b"JXL ", box(b"jxlc", bytes(99)) + box(b"xml ", PACKET)),
        (b"JXL ", b"\0\0\0\0xml " + PACKET),  # up to the end of the file
    ],
)
def test_packet_in_a_box_is_found(tmp_path: Path, brand: bytes, parts: bytes) -> None:
    photo = tmp_path / "a.jxl"
    photo.write_bytes(box(brand, b"\r\n\x87\n") + parts)
    assert embedded_packet(str(photo)) == PACKET
    photo.write_bytes(photo.read_bytes()[: -len(PACKET)] if brand == b"jP  " else b"\xff\n")
    assert embedded_packet(str(photo)) == b""
