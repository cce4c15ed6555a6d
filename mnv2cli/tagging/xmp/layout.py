"""The text of what this tool adds to a packet, in the layout of its surroundings."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from mnv2cli.tagging.xmp.keywords import NAMESPACE
from mnv2cli.tagging.xmp.packet import DC, DIGIKAM, LR, RDF
from mnv2cli.tagging.xmp.record import BAGS, VALUES, Record
from mnv2cli.tagging.xmp.words import escape

PROPERTIES = {
    "subject": ("dc", DC, "subject"),
    "hierarchy": ("lr", LR, "hierarchicalSubject"),
    "tags_list": ("digiKam", DIGIKAM, "TagsList"),
}
"""The usual prefix, the namespace and the local name of each list."""

_SPACE = re.compile(r"[ \t\r\n]*\Z")
_MAX_INDENT = 200


@dataclass(frozen=True, slots=True)
class Layout:
    """White space around tags.

    Attributes:
        before: The white space before a tag: a new line and its indentation, or less.
        unit: The additional indentation of a tag inside of it.
    """

    before: str = "\n  "
    unit: str = " "

    def deeper(self, levels: int = 1) -> str:
        """Return the white space before a tag that is nested deeper by some levels."""
        return self.before + self.unit * levels if self.before else ""


def layout_before(utf8: bytes, position: int) -> Layout:
    """Return the layout of the tag at a position: its new line and indentation."""
    before = utf8[max(0, position - _MAX_INDENT) : position].decode("utf-8", "ignore")
    found = _SPACE.search(before)
    space = found[0] if found else ""
    line = max(space.rfind("\n"), space.rfind("\r"))
    if line < 0:
        return Layout("", "")
    if space[max(0, line - 1) : line + 1] == "\r\n":
        line -= 1
    return Layout(space[line:])


def bag(rdf: str, words: Iterable[str], layout: Layout) -> str:
    """Return an ``rdf:Bag`` with words; its start tag is not preceded by white space.

    Args:
        rdf: The prefix of RDF with its colon; may be empty.
        words: The words.
        layout: The layout of the start tag.
    """
    return f"<{rdf}Bag>{items(rdf, words, layout.deeper())}{layout.before}</{rdf}Bag>"


def items(rdf: str, words: Iterable[str], before: str) -> str:
    """Return ``rdf:li`` elements, each after some white space."""
    return "".join([f"{before}<{rdf}li>{escape(word)}</{rdf}li>" for word in words])


def description(record: Record, made: Iterable[str], about: str, place: tuple[str, Layout]) -> str:
    """Return an ``rdf:Description`` with the lists that do not exist yet and our record.

    Args:
        record: The record; its words are those of the lists too.
        made: The keys of the lists to make.
        about: The value of ``rdf:about``.
        place: The prefix of RDF with its colon, and the layout of the start tag.
    """
    rdf, layout = place
    declared = ""
    if rdf in ("", "dc:", "lr:", "digiKam:", "mnv2:"):  # unusable for an attribute, or needed
        rdf, declared = "rdf:", f' xmlns:rdf="{RDF}"'
    names = layout.deeper(2) or " "
    line, inside = layout.deeper(), Layout(layout.deeper(2), layout.unit)
    parts = [f'<{rdf}Description{declared} {rdf}about="{escape(about)}"']
    content = []
    for key in made:
        prefix, namespace, local = PROPERTIES[key]
        parts.append(f'{names}xmlns:{prefix}="{namespace}"')
        content.append(_list(rdf, f"{prefix}:{local}", record.words[key], (line, inside)))
    parts.append(f'{names}xmlns:mnv2="{NAMESPACE}">')
    for key, name in BAGS.items():
        if words := record.words.get(key):
            content.append(_list(rdf, f"mnv2:{name}", words, (line, inside)))
    states = " ".join(f"{key}={state}" for key, state in record.states.items())
    values = (record.model, record.score, record.date, states, record.start)
    for name, value in zip(VALUES, values, strict=True):
        if value:
            content.append(f"{line}<mnv2:{name}>{escape(value)}</mnv2:{name}>")
    return f"{''.join(parts)}{''.join(content)}{layout.before}</{rdf}Description>"


def _list(rdf: str, name: str, words: Iterable[str], place: tuple[str, Layout]) -> str:
    line, inside = place
    return f"{line}<{name}>{inside.before}{bag(rdf, words, inside)}{line}</{name}>"


def new_packet(record: Record, made: Iterable[str]) -> str:
    """Return a whole packet with the lists and our record."""
    own = description(record, made, "", ("rdf:", Layout("\n  ", " ")))
    return f"{_HEAD}\n  {own}{_TAIL}"


def packet_of(descriptions: Iterable[str]) -> str:
    """Return a whole packet with descriptions, which declare all their prefixes."""
    lines = [line for each in descriptions for line in each.strip().splitlines()]
    return _HEAD + "".join(f"\n  {line}" for line in lines) + _TAIL


_HEAD = (
    '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>\n'
    '<x:xmpmeta xmlns:x="adobe:ns:meta/" x:xmptk="mnv2">\n'
    f' <rdf:RDF xmlns:rdf="{RDF}">'
)
_TAIL = '\n </rdf:RDF>\n</x:xmpmeta>\n<?xpacket end="w"?>\n'
_EMPTY = "".join(f"{_HEAD}{_TAIL}".split()).encode()


def is_empty_packet(utf8: bytes) -> bool:
    """Check that a text is what remains of a packet of this tool without its description."""
    return len(utf8) < 1000 and b"".join(utf8.split()) == _EMPTY
