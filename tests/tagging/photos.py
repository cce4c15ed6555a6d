"""Photos with keywords, as the tests of tagging need them."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

from PIL import Image
from PIL.PngImagePlugin import PngInfo

from mnv2cli.tagging.xmp.keywords import NAMESPACE

FORMATS = (".jpg", ".png", ".webp", ".tif", ".avif", ".heic")
_NAMES = {".jpg": "JPEG", ".png": "PNG", ".webp": "WEBP", ".tif": "TIFF", ".avif": "AVIF"}


def packet(
    *words: str,
    ours: Sequence[str] | None = None,
    hierarchy: Sequence[str] = (),
    score: str = "0.9",
) -> bytes:
    """Return an XMP packet with keywords; ``ours`` are those that our record names."""

    def bag(name: str, items: Sequence[str]) -> str:
        inside = "".join(f"<rdf:li>{escape(item)}</rdf:li>" for item in items)
        return f"<{name}><rdf:Bag>{inside}</rdf:Bag></{name}>" if items else ""

    mine, declared = "", ""
    if ours is not None:
        declared = f'\n    xmlns:mnv2="{NAMESPACE}"'
        mine = bag("mnv2:AddedKeywords", ours)
        mine += f"<mnv2:AddedScore>{score}</mnv2:AddedScore>"
    return (
        '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>\n'
        '<x:xmpmeta xmlns:x="adobe:ns:meta/">\n'
        ' <rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">\n'
        '  <rdf:Description rdf:about="" xmlns:dc="http://purl.org/dc/elements/1.1/"\n'
        f'    xmlns:lr="http://ns.adobe.com/lightroom/1.0/"{declared}>\n'
        f"   {bag('dc:subject', words)}{bag('lr:hierarchicalSubject', hierarchy)}{mine}\n"
        "  </rdf:Description>\n </rdf:RDF>\n</x:xmpmeta>\n"
        '<?xpacket end="w"?>'
    ).encode()


def save(path: Path, xmp: bytes = b"", *, red: int = 7, size: int = 8, **save: Any) -> Path:
    """Write a small photo in the format of its suffix, with a packet."""
    path.parent.mkdir(parents=True, exist_ok=True)
    image = Image.new("RGB", (size, size), (red % 256, red // 256, 90))
    suffix = path.suffix
    data = io.BytesIO()
    if suffix == ".heic":
        import pillow_heif

        made = pillow_heif.from_pillow(image.resize((64, 64)))
        made.save(data, xmp=xmp or None, **save)
    elif suffix == ".png":
        info = PngInfo()
        if xmp:
            info.add_itxt("XML:com.adobe.xmp", xmp.decode(), zip=save.pop("zip", False))
        image.save(data, "PNG", pnginfo=info, **save)
    elif suffix == ".tif":
        image.save(data, "TIFF", tiffinfo={700: xmp} if xmp else {}, **save)
    else:
        image.save(data, _NAMES[suffix], **({"xmp": xmp} if xmp else {}), **save)
    path.write_bytes(data.getvalue())
    return path


def iim(*words: bytes, utf_8: bool = False) -> bytes:
    """Return IPTC-NAA data with keywords."""
    sets = [(1, 90, b"\x1b%G")] if utf_8 else []
    sets += [(2, 0, b"\0\4"), *((2, 25, word) for word in words)]
    return b"".join(
        struct.pack(">BBBH", 0x1C, record, number, len(value)) + value
        for record, number, value in sets
    )


def with_iptc(photo: Path, data: bytes) -> Path:
    """Insert IPTC-NAA data into a JPEG, behind a resource with a name."""
    other = b"8BIM\x04\x25\x04name\0" + struct.pack(">I", 3) + b"abc\0"
    resource = b"8BIM\x04\x04\0\0" + struct.pack(">I", len(data)) + data
    whole = b"Photoshop 3.0\0" + other + resource
    content = photo.read_bytes()
    segment = b"\xff\xed" + struct.pack(">H", len(whole) + 2) + whole
    photo.write_bytes(content[:2] + segment + content[2:])
    return photo


def png_chunk(kind: bytes, data: bytes) -> bytes:
    """Return a chunk of a PNG."""
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
