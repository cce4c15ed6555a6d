"""Add keywords and our record to a packet that has neither."""

from __future__ import annotations

from dataclasses import dataclass, replace

from mnv2cli.tagging.xmp.keywords import Change, XmpError
from mnv2cli.tagging.xmp.layout import Layout, bag, description, items, layout_before
from mnv2cli.tagging.xmp.packet import (
    LISTS,
    RDF,
    Node,
    Packet,
    container_of,
    items_of,
)
from mnv2cli.tagging.xmp.record import Record, new_record
from mnv2cli.tagging.xmp.splices import Splice, opened, spliced
from mnv2cli.tagging.xmp.words import missing, words_of


@dataclass(frozen=True, slots=True)
class Place:
    """Where words of one list go.

    Attributes:
        state: How the list is now, as in the record; empty if it is to be made.
        node: The element of the list; None if it is to be made.
    """

    state: str = ""
    node: Node | None = None


def added(packet: Packet, change: Change) -> bytes:
    """Return the text of a packet, which has no record of ours, with the keywords of a change.

    Raises:
        XmpError: ``dc:subject`` is not a list.
    """
    record, places = planned(packet, change)
    if record.is_empty:
        return packet.utf8
    made = [key for key, place in places.items() if place.node is None and record.words[key]]
    used = {key: place for key, place in places.items() if place.node and record.words[key]}
    states = {key: place.state for key, place in used.items()}
    if packet.rdf.is_single_tag:
        states["rdf"] = "list"
    record = replace(record, states=states)
    splices = [_into_list(packet, place, record.words[key]) for key, place in used.items()]
    return spliced(packet.utf8, [*splices, _own_description(packet, record, made)])


def planned(packet: Packet, change: Change) -> tuple[Record, dict[str, Place]]:
    """Return the record that a change leads to, without states, and the place of each list."""
    assert change.tags
    words: dict[str, tuple[str, ...]] = {}
    places: dict[str, Place] = {}
    for key in LISTS:
        place = _place(packet, key)
        if place is None or (place.node is None and key != "subject" and not change.hierarchy):
            words[key] = ()
            continue
        present = [item.text for item in packet.items(key)]
        words[key] = missing(words_of(change.tags, key), present)
        places[key] = place
    return new_record(change, words), places


def _place(packet: Packet, key: str) -> Place | None:
    """Choose where words of a list go; None if a hierarchical one is not a list."""
    nodes = list(packet.properties(key))
    places = [place for place in map(_place_in, nodes) if place.state]
    if places:
        with_items = [place for place in places if place.state == "items"]
        return with_items[0] if with_items else places[0]
    if packet.attribute(key) is None and not nodes:
        return Place()
    if key != "subject":
        return None
    form = "not a list" if nodes else "an attribute instead of a list"
    raise XmpError(f"its dc:subject is {form}")


def _place_in(node: Node) -> Place:
    if f"{RDF}\nparseType" in node.attributes or f"{RDF}\nresource" in node.attributes:
        return Place()
    if node.is_single_tag:
        return Place("property", node)
    container = container_of(node)
    if container is None:
        is_blank = node.plain and not node.text.strip()
        return Place("content", node) if is_blank else Place()
    if any(item.name != f"{RDF}\nli" for item in container.children):
        return Place()
    return Place("list" if container.is_single_tag else "items", node)


def _into_list(packet: Packet, place: Place, words: tuple[str, ...]) -> Splice:
    """Return the insertion of words into a list that exists."""
    node, utf8 = place.node, packet.utf8
    assert node
    container = container_of(node)
    if container is not None:
        rdf = packet.prefix(container).decode()
        if found := items_of(node):
            rdf = packet.prefix(found[-1]).decode()
            before = layout_before(utf8, found[-1].start).before
            return _insertion(found[-1].end, items(rdf, words, before))
        layout = _layout(packet, container)
        content = items(rdf, words, layout.deeper())
        if container.is_single_tag:
            return opened(container, packet.raw_name(container), content + layout.before)
        return _insertion(container.inner, content)
    layout = _layout(packet, node)
    inside = Layout(layout.deeper(), layout.unit)
    rdf = packet.prefix(_parent(packet, node)).decode()
    content = inside.before + bag(rdf or "rdf:", words, inside)
    if not rdf:  # the default namespace in a property may be another one
        content = content.replace("<rdf:Bag>", f'<rdf:Bag xmlns:rdf="{RDF}">', 1)
    if node.is_single_tag:
        return opened(node, packet.raw_name(node), content + layout.before)
    return _insertion(node.inner, content)


def _insertion(position: int, text: str) -> Splice:
    return Splice(position, position, text.encode())


def _parent(packet: Packet, node: Node) -> Node:
    parent = next(found for found in packet.descriptions if node in found.children)
    return parent if parent.name.startswith(RDF) else packet.rdf


def _layout(packet: Packet, node: Node) -> Layout:
    """Return the layout of an element, with the additional indentation that the packet uses."""
    return replace(layout_before(packet.utf8, node.start), unit=_unit(packet))


def _unit(packet: Packet) -> str:
    """Return by how much the packet indents a description more than ``rdf:RDF``."""
    if packet.descriptions:
        outer = layout_before(packet.utf8, packet.rdf.start).before
        inner = layout_before(packet.utf8, packet.descriptions[0].start).before
        if outer and inner.startswith(outer) and inner != outer:
            return inner[len(outer) :]
    return " "


def _own_description(packet: Packet, record: Record, made: list[str]) -> Splice:
    """Return the insertion of our description at the end of ``rdf:RDF``."""
    utf8, rdf = packet.utf8, packet.rdf
    prefix = packet.prefix(rdf).decode()
    around = layout_before(utf8, rdf.start)
    if packet.descriptions:
        last = packet.descriptions[-1]
        layout = layout_before(utf8, last.start)
    else:
        layout = Layout(around.deeper())
    layout = replace(layout, unit=_unit(packet))
    own = layout.before + description(record, made, _about(packet), (prefix, layout))
    if rdf.is_single_tag:
        return opened(rdf, packet.raw_name(rdf), own + around.before)
    position = packet.descriptions[-1].end if packet.descriptions else rdf.inner
    return _insertion(position, own)


def _about(packet: Packet) -> str:
    for node in packet.descriptions:
        for name in (f"{RDF}\nabout", "about"):
            if name in node.attributes:
                return node.attributes[name]
    return ""
