"""Names for unsupported files: images of other formats, and files that are not images."""

from __future__ import annotations

import re

from mnv2cli.errors import ImageError
from mnv2cli.images.signatures import brands

_CONVERT = "convert it to JPEG or PNG"

INSTALL_RAW = "pip install 'mnv2cli[raw]'"
"""The command that installs the reader of raw photos."""

_IMAGES = (
    (b"II\xbc\x01", "JPEG XR image"),
    (b"gimp xcf", "GIMP image (XCF)"),
    (b"icns", "Apple icon (ICNS)"),
    (b"v/1\x01", "OpenEXR image"),
    (b"#?RADIANCE", "Radiance HDR image"),
    (b"#?RGBE", "Radiance HDR image"),
    (b"SIMPLE  =", "FITS image"),
    (b"\x59\xa6\x6a\x95", "Sun raster image"),
    (b"\x8aMNG\r\n\x1a\n", "MNG image"),
    (b"\x8bJNG\r\n\x1a\n", "JNG image"),
    (b"BPG\xfb", "BPG image"),
    (b"FLIF", "FLIF image"),
    (b"farbfeld", "farbfeld image"),
    (b"AT&TFORM", "DjVu image"),
    (b"\xd7\xcd\xc6\x9a", "Windows metafile (WMF)"),
    (b"/* XPM */", "XPM image"),
)
"""First bytes of images, and their kind."""

_PATTERNS = (
    (rb"PF\s(?:\s|#[^\n]*\n)*\d+\s", "PFM image in colour"),
    (rb"P7(?:\n(?:#|WIDTH|HEIGHT)| 332)", "PAM image"),
    (rb"\0\0\x02\0[^\0]\0...\0", "cursor (CUR)"),
    (rb".{128}DICM", "DICOM image"),
    (rb"\x01\0\0\0.{36} EMF", "Windows metafile (EMF)"),
    (rb"#define\s+\w+_width\s", "XBM image"),
)
"""The same as regular expressions."""

_RAW = (
    (rb"FUJIFILMCCD-RAW", "RAF"),
    (rb"IIU\0", "RW2"),
    (rb"II(?:RO|RS)|MMOR", "ORF"),
    (rb"\0MRM", "MRW"),
    (rb"FOVb", "X3F"),
    (rb"(?:II|MM).{4}HEAPCCDR", "CRW"),
)
"""Regular expressions of the first bytes of raw photos, and the format. Those based on
TIFF are in :mod:`mnv2cli.images.raw`."""

_OTHERS = (
    (b"%PDF", "a PDF document"),
    (b"%!PS", "a PostScript document"),
    (b"\xc5\xd0\xd3\xc6", "a PostScript document"),
    (b"PK\x03\x04", "a ZIP archive or office document"),
    (b"\x1f\x8b", "a gzip archive"),
    (b"<?xml", "an XML file"),
    (b"<!doctype html", "a web page"),
    (b"<html", "a web page"),
    (b"\x1aE\xdf\xa3", "a Matroska or WebM video"),
)
"""First bytes of files that are not images; case is ignored."""


def unsupported(kind: str, advice: str = _CONVERT) -> ImageError:
    """Return the error for an image of an unsupported kind."""
    return ImageError("not supported", f"{kind}; {advice}")


class RawPhotoError(ImageError):
    """A raw photo, which :mod:`mnv2cli.images.raw_reader` may be able to read.

    Attributes:
        kind: What the photo is, such as ``raw photo (CR2)``.
    """

    def __init__(self, kind: str) -> None:
        super().__init__("not supported", f"{kind}; install the reader with: {INSTALL_RAW}")
        self.kind = kind


def unsupported_raw(raw_format: str) -> RawPhotoError:
    """Return the error for a raw photo; ``raw_format`` may be empty."""
    return RawPhotoError(f"raw photo ({raw_format})" if raw_format else "raw photo")


def unreadable_kind(head: bytes) -> ImageError:
    """Return the error for a file of an unsupported format; its detail names the kind.

    Args:
        head: The first :data:`~mnv2cli.images.signatures.HEAD_BYTES` of the file.
    """
    return _other_image(head) or ImageError("not an image", _other_kind(head))


def _other_image(head: bytes) -> ImageError | None:
    """Return the error for an image of another format; None for any other file."""
    for pattern, raw_format in _RAW:
        if re.match(pattern, head, re.DOTALL):
            return unsupported_raw(raw_format)
    if b"crx " in brands(head):
        return unsupported_raw("CR3")
    for signature, name in _IMAGES:
        if head.startswith(signature):
            return unsupported(name)
    for pattern, name in _PATTERNS:
        if re.match(pattern, head, re.DOTALL):
            return unsupported(name)
    lowered = head.lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if lowered.startswith(b"<svg") or (lowered.startswith((b"<?xml", b"<!")) and b"<svg" in head):
        return unsupported("SVG drawing", "export it as PNG")
    return None


def _other_kind(head: bytes) -> str:
    """Return the kind of a file that is not an image; empty if unknown."""
    if brands(head):
        return "a video (MP4 or QuickTime)"
    lowered = head.lstrip().lower()
    for signature, kind in _OTHERS:
        if lowered.startswith(signature.lower()):
            return kind
    try:
        text = head[:256].decode()
    except UnicodeDecodeError:
        text = "\0"
    return "" if "\0" in text else "a text file"
