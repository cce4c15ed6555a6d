"""What an XMP packet says about keywords, and what to change in it."""

from __future__ import annotations

from dataclasses import dataclass

from mnv2cli.tagging.tags import Tags

NAMESPACE = "urn:x-mnv2cli:xmp:1.0/"
"""The namespace of our record in a packet; its usual prefix is ``mnv2``."""


class XmpError(ValueError):
    """A packet cannot be read or changed; the message is the reason, for one line."""


@dataclass(frozen=True, slots=True)
class Ours:
    """Our record in a packet: which words this tool added to which list.

    Attributes:
        keywords: Words added to ``dc:subject``.
        hierarchy: Added to ``lr:hierarchicalSubject``, such as ``cat|tiger cat``.
        tags_list: Added to ``digiKam:TagsList``, such as ``cat/tiger cat``.
        iptc: Added to the IPTC Keywords of the photo around the packet.
        model: The model that produced them.
        score: The score of the best label in [0, 1].
        date: When they were written, ISO 8601.
        start: The SHA-256 of the packet that this sidecar started with; empty if another program
            made it, or if it started with nothing.
    """

    keywords: tuple[str, ...] = ()
    hierarchy: tuple[str, ...] = ()
    tags_list: tuple[str, ...] = ()
    iptc: tuple[str, ...] = ()
    model: str = ""
    score: float = 0.0
    date: str = ""
    start: str = ""


@dataclass(frozen=True, slots=True)
class Keywords:
    """The keywords of a packet, everybody's and ours together, in its order.

    Attributes:
        subjects: The items of ``dc:subject``.
        hierarchy: The items of ``lr:hierarchicalSubject``.
        tags_list: The items of ``digiKam:TagsList``.
        ours: Our record; None if there is none.
    """

    subjects: tuple[str, ...] = ()
    hierarchy: tuple[str, ...] = ()
    tags_list: tuple[str, ...] = ()
    ours: Ours | None = None


@dataclass(frozen=True, slots=True)
class Change:
    """What to do to the keywords of a packet.

    Attributes:
        tags: What our keywords are to be; None to remove them.
        hierarchy: Write hierarchical keywords also where the packet has no list of them.
        date: The time for our record, ISO 8601 with the offset, to the second.
        iptc: Words that are added to the IPTC Keywords of the photo, to be recorded.
        start: The SHA-256 of the packet that a new sidecar starts with, to be recorded.
    """

    tags: Tags | None
    hierarchy: bool = False
    date: str = ""
    iptc: tuple[str, ...] = ()
    start: str = ""
