"""Our record in a packet: what it says, and its text.

It is a set of properties in a namespace of this tool: the words added to each list, the model, the
score, the date, and ``mnv2:AddedTo``, which names the lists that existed before: ``subject=items``
(it existed), ``subject=list`` (a list of one tag such as ``<rdf:Bag/>`` was opened),
``subject=property`` (``<dc:subject/>`` was opened) or ``subject=content`` (``<dc:subject>`` was
empty); ``rdf=list`` if ``<rdf:RDF/>`` was opened. A list without a word here is one that this tool
made. ``mnv2:AddedAfter`` is the digest of the packet that a new sidecar started with.

The names of the properties are in no schema that ExifTool knows: programs that ask it for short
names, such as Immich, would take a ``Model`` in a sidecar for the camera.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from mnv2cli.tagging.xmp.keywords import NAMESPACE, Change, Ours
from mnv2cli.tagging.xmp.packet import Node, Packet, items_of
from mnv2cli.tagging.xmp.words import clean, distinct

BAGS = {
    "subject": "AddedKeywords",
    "hierarchy": "AddedHierarchy",
    "tags_list": "AddedTagsList",
    "iptc": "AddedIptc",
}
"""Properties of the record that are lists, by the list that their words were added to."""

VALUES = ("AddedByModel", "AddedScore", "AddedDate", "AddedTo", "AddedAfter")
"""Properties of the record that are text: the model, score, date, states and start."""

_STATES = ("items", "list", "property", "content")


@dataclass(frozen=True, slots=True)
class Record:
    """Our record.

    Attributes:
        words: The words added, by the list; the keys of ``BAGS``.
        model: The model.
        score: The score as written; empty if unknown.
        date: The date.
        states: How each list was before; one without a state did not exist.
        start: The SHA-256 of the packet that the sidecar started with; mostly empty.
    """

    words: dict[str, tuple[str, ...]]
    model: str = ""
    score: str = ""
    date: str = ""
    states: dict[str, str] = field(default_factory=dict)
    start: str = ""

    @property
    def is_empty(self) -> bool:
        """It has nothing to say: no words, model, score or date."""
        return not (any(self.words.values()) or self.model or self.score or self.date)

    def says_the_same_as(self, other: Record) -> bool:
        """Check that two records have the same words, model and score."""
        words = {key: found for key, found in self.words.items() if found}
        others = {key: found for key, found in other.words.items() if found}
        return (words, self.model, self.score) == (others, other.model, other.score)

    def ours(self) -> Ours:
        """Return the record for other parts of this tool."""
        words = {key: self.words.get(key, ()) for key in BAGS}
        return Ours(
            keywords=words["subject"],
            hierarchy=words["hierarchy"],
            tags_list=words["tags_list"],
            iptc=words["iptc"],
            model=self.model,
            score=_number(self.score),
            date=self.date,
            start=self.start,
        )


def _number(text: str) -> float:
    try:
        score = float(text)
    except ValueError:
        return 0.0
    return score if 0 <= score <= 1 else 0.0


def new_record(change: Change, words: dict[str, tuple[str, ...]]) -> Record:
    """Return the record of a change, for the words that it adds to each list."""
    tags = change.tags
    assert tags
    words = {**words, "iptc": distinct(change.iptc)}
    score = f"{tags.score:.4f}" if 0 < tags.score <= 1 else ""
    return Record(words, clean(tags.model), score, clean(change.date), start=change.start)


def read_record(packet: Packet) -> Record | None:
    """Read our record; several, as after programs merged packets, become one. None if none."""
    values: dict[str, list[str]] = {}
    for description in packet.descriptions:
        for name in description.own_attributes():
            values.setdefault(_local(name), []).append(description.attributes[name])
        for child in description.children:
            if child.is_ours:
                values.setdefault(_local(child.name), []).extend(_values(child))
    if not values:
        return None

    def first(name: str) -> str:
        return clean(next(iter(values.get(name, [])), ""))

    model, score, date, added_to, start = map(first, VALUES)
    states = dict(part.partition("=")[::2] for part in added_to.split())
    return Record(
        {key: distinct(values.get(name, [])) for key, name in BAGS.items()},
        model,
        score,
        date,
        {key: state for key, state in states.items() if state in _STATES},
        start,
    )


def _values(node: Node) -> list[str]:
    return [item.text for item in items_of(node)] or ([] if node.children else [node.text])


def _local(name: str) -> str:
    return name.removeprefix(f"{NAMESPACE}\n")
