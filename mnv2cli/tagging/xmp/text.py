"""The bytes of a packet <-> UTF-8, with the mark, the encoding and the padding it had."""

from __future__ import annotations

import re
from dataclasses import dataclass

from mnv2cli.tagging.xmp.keywords import XmpError

MAX_BYTES = 64 << 20
"""Larger packets are refused."""

_ENCODINGS = {
    "utf-8": "utf-8", "utf8": "utf-8",
    "ascii": "ascii", "us-ascii": "ascii",
    "iso-8859-1": "latin-1", "iso8859-1": "latin-1", "latin-1": "latin-1", "latin1": "latin-1",
    "windows-1252": "cp1252", "cp1252": "cp1252",
}  # fmt: skip
"""Encodings that an XML declaration may name in text of single bytes."""

_DECLARED = re.compile(rb"<\?xml\s[^>]*?\sencoding\s*=\s*[\"']([A-Za-z0-9._-]*)[\"']")
_MARKS = (
    (b"\xff\xfe\0\0", ""), (b"\0\0\xfe\xff", ""),
    (b"\xef\xbb\xbf", "utf-8"), (b"\xff\xfe", "utf-16-le"), (b"\xfe\xff", "utf-16-be"),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Text:
    """A decoded packet.

    Attributes:
        utf8: The text, without a byte order mark, as UTF-8.
        encoding: The encoding of the bytes, a name of Python's.
        mark: The byte order mark before the text; may be empty.
        padding: The NULs after the text; mostly empty.
    """

    utf8: bytes
    encoding: str = "utf-8"
    mark: bytes = b""
    padding: bytes = b""

    def encode(self, utf8: bytes) -> bytes:
        """Return other text as the bytes of this packet, in the same encoding.

        Characters that the encoding lacks become character references.
        """
        if self.encoding != "utf-8":
            utf8 = utf8.decode("utf-8").encode(self.encoding, "xmlcharrefreplace")
        return self.mark + utf8 + self.padding


def decode(data: bytes) -> Text:
    """Decode a packet by its byte order mark, its first bytes and its XML declaration.

    Raises:
        XmpError: It is over 64 MB, its encoding is unknown, or its bytes are not of the encoding.
    """
    if len(data) > MAX_BYTES:
        raise XmpError(f"the XMP is larger than {MAX_BYTES >> 20} MB")
    mark, encoding = next((found for found in _MARKS if data.startswith(found[0])), (b"", None))
    if encoding is None:
        encoding = _wide(data) or _declared(data)
    elif encoding == "utf-8" and _declared(data[len(mark) :]) != "utf-8":
        raise XmpError("the encoding of the XMP is not the one of its byte order mark")
    elif not encoding:
        raise XmpError("the XMP is UTF-32 text, which is not supported")
    body = data[len(mark) :]
    text = _without_nuls(body, encoding)
    padding = body[len(text) :]
    if encoding == "utf-8":
        _check_utf8(text)
        return Text(text, encoding, mark, padding)
    try:
        utf8 = text.decode(encoding).encode("utf-8")
    except UnicodeError:
        raise XmpError(f"the XMP is not valid {encoding.upper()} text") from None
    return Text(utf8, encoding, mark, padding)


def _check_utf8(text: bytes) -> None:
    try:
        text.decode("utf-8")
    except UnicodeError:
        raise XmpError("the XMP is not valid UTF-8 text") from None


def _wide(data: bytes) -> str:
    """Return the kind of UTF-16 that the first character shows; empty for single bytes."""
    first = data[:2]
    if len(first) == 2 and first != b"\0\0":
        if first[1] == 0:
            return "utf-16-le"
        if first[0] == 0:
            return "utf-16-be"
    return ""


def _declared(data: bytes) -> str:
    found = _DECLARED.match(data[:400])
    if found is None:
        return "utf-8"
    name = found[1].decode("ascii")
    try:
        return _ENCODINGS[name.lower()]
    except KeyError:
        raise XmpError(f"the encoding {name!r} of the XMP is not supported") from None


def _without_nuls(text: bytes, encoding: str) -> bytes:
    """Cut off the NULs at the end, with which some programs fill the space of a packet."""
    if not text.endswith(b"\0"):
        return text
    width = 2 if encoding.startswith("utf-16") else 1
    length = len(text.rstrip(b"\0"))
    return text[: length + -length % width]
