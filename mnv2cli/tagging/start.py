"""What a new sidecar starts with."""

from __future__ import annotations

from mnv2cli.tagging.packets import embedded
from mnv2cli.tagging.xmp.edit import edit, with_words
from mnv2cli.tagging.xmp.keywords import Change, XmpError

_REMOVE = Change(None)


def starting_packet(photo: str) -> bytes:
    """Return the packet that a new sidecar of a photo starts with: what the photo says itself.

    Once there is a sidecar, digiKam and darktable take the keywords, and digiKam all other XMP,
    from it alone. A sidecar with our keywords only would hide those that people gave the photo.

    Returns:
        The embedded packet without our record, and with the IPTC Keywords that it lacks; empty if
        the photo has neither, or they cannot be read.
    """
    found = embedded(photo)
    if not (found.packet or found.iptc):
        return b""
    try:
        packet = (edit(found.packet, _REMOVE) if found.packet else b"") or b""
        return with_words(packet, found.iptc)
    except XmpError:
        return b""
