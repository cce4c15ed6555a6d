"""Read the keywords of a packet."""

from __future__ import annotations

from mnv2cli.tagging.xmp.keywords import Keywords
from mnv2cli.tagging.xmp.packet import Packet, container_of, parse
from mnv2cli.tagging.xmp.record import read_record
from mnv2cli.tagging.xmp.text import decode


def read_keywords(data: bytes) -> Keywords:
    """Read the keywords of a packet and our record in it; empty bytes have none.

    A list that is written as text or as an attribute, which XMP does not allow, has one item.

    Raises:
        XmpError: The bytes are not a packet that can be read.
    """
    if not data:
        return Keywords()
    packet = parse(decode(data).utf8, with_positions=False)
    record = read_record(packet)
    return Keywords(
        subjects=_words(packet, "subject"),
        hierarchy=_words(packet, "hierarchy"),
        tags_list=_words(packet, "tags_list"),
        ours=record.ours() if record else None,
    )


def _words(packet: Packet, key: str) -> tuple[str, ...]:
    texts = [item.text for item in packet.items(key)]
    texts += [node.text for node in packet.properties(key) if container_of(node) is None]
    texts.append(packet.attribute(key) or "")
    return tuple(word for text in texts if (word := text.strip()))
