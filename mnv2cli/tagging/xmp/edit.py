"""Change the keywords of a packet, and leave every byte of others as it is."""

from __future__ import annotations

from collections.abc import Iterable

from mnv2cli.tagging.tags import Tags
from mnv2cli.tagging.xmp.add import added, planned
from mnv2cli.tagging.xmp.check import check_same
from mnv2cli.tagging.xmp.keywords import Change
from mnv2cli.tagging.xmp.layout import is_empty_packet, new_packet
from mnv2cli.tagging.xmp.packet import LISTS, Packet, parse
from mnv2cli.tagging.xmp.record import Record, new_record, read_record
from mnv2cli.tagging.xmp.remove import removed
from mnv2cli.tagging.xmp.text import decode
from mnv2cli.tagging.xmp.words import distinct, missing, words_of


def edit(data: bytes, change: Change) -> bytes | None:
    """Change our keywords in a packet, and record them in it.

    A word is added to ``dc:subject``, ``lr:hierarchicalSubject`` and ``digiKam:TagsList`` where it
    is not present yet, ignoring case. Removing gives back the packet from before, byte for byte,
    and also works after other programs have rewritten it.

    Args:
        data: The packet; empty to make a new one.
        change: What our keywords are to be. Tags without keywords remove ours.

    Returns:
        The changed packet; the same bytes if there is nothing to change; None if nothing remains of
        a packet that only this tool made.

    Raises:
        XmpError: The packet cannot be read, or not be changed without loss.
    """
    is_wanted = change.tags is not None and bool(words_of(change.tags, "subject"))
    if not data:
        return _new(change) if is_wanted else data
    text = decode(data)
    packet = parse(text.utf8)
    record = read_record(packet)
    if record is None and not is_wanted:
        return data
    rest = packet
    if record is not None:
        without = removed(packet, record)
        if is_empty_packet(without):
            made = _new(change) if is_wanted else None
            return data if made and _is_current(packet, record, parse(without), change) else made
        rest = parse(without)
        if is_wanted and _is_current(packet, record, rest, change):
            return data
    utf8 = added(rest, change) if is_wanted else rest.utf8
    check_same(text.utf8, utf8)
    return text.encode(utf8)


def with_words(data: bytes, words: Iterable[str]) -> bytes:
    """Return a packet with words in ``dc:subject`` that do not count as ours: nothing is recorded.

    Args:
        data: The packet, which has no record of ours; empty to make a new one.
        words: The words; those that it has already are not added.

    Raises:
        XmpError: The packet cannot be read, or its ``dc:subject`` is not a list.
    """
    known = parse(decode(data).utf8).items("subject") if data else []
    lacking = missing(distinct(words), [item.text for item in known])
    if not lacking:
        return data
    made = edit(data, Change(Tags(lacking)))
    assert made
    text = decode(made)
    return text.encode(removed(parse(text.utf8), Record({})))


def _new(change: Change) -> bytes:
    """Return a new packet."""
    assert change.tags
    keys = LISTS if change.hierarchy else ("subject",)
    words = {key: words_of(change.tags, key) for key in keys}
    return new_packet(new_record(change, words), keys).encode()


def _is_current(packet: Packet, record: Record, rest: Packet, change: Change) -> bool:
    """Check that a packet has the keywords and the record that a change leads to.

    Args:
        packet: The packet.
        record: Its record.
        rest: The packet without ours.
        change: The change.
    """
    if not planned(rest, change)[0].says_the_same_as(record):
        return False
    return all(
        not missing(record.words.get(key, ()), [item.text for item in packet.items(key)])
        for key in LISTS
    )
