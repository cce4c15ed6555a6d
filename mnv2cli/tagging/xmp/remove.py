"""Remove our keywords and our record from a packet."""

from __future__ import annotations

import re

from mnv2cli.tagging.xmp.keywords import NAMESPACE
from mnv2cli.tagging.xmp.packet import LISTS, RDF, Node, Packet, container_of, is_plain_item
from mnv2cli.tagging.xmp.record import Record
from mnv2cli.tagging.xmp.splices import Splice, closed, cut, is_blank, spliced
from mnv2cli.tagging.xmp.words import occurrences

_ATTRIBUTE = re.compile(rb"\s+([^\s=<>\"'/]+)\s*=\s*(?:\"([^\"]*)\"|'([^']*)')")
_ABOUT = {f"{RDF}\nabout", "about"}


def removed(packet: Packet, record: Record) -> bytes:
    """Return the text of a packet without what its record claims, and without the record.

    One occurrence of each recorded word is removed. Lists, descriptions and tags that become empty
    are removed or closed if they were made or opened for our words.
    """
    utf8, rdf = packet.utf8, packet.rdf
    items: list[Splice] = []
    for key in LISTS:
        items += _items(packet, key, record)
    splices: list[Splice] = []
    for description in packet.descriptions:
        splices += _description(packet, description, record, items)
    if record.states.get("rdf") == "list" and is_blank(utf8, rdf, splices):
        return spliced(utf8, [closed(rdf)]) if not rdf.is_single_tag else utf8
    return spliced(utf8, splices)


def _items(packet: Packet, key: str, record: Record) -> list[Splice]:
    """Return the removals of our items in one list, wherever it is."""
    words = record.words.get(key)
    if not words:
        return []
    nodes = packet.items(key)
    texts = [node.text if is_plain_item(node) else None for node in nodes]
    return [cut(packet.utf8, nodes[position]) for position in occurrences(texts, words)]


def _description(
    packet: Packet, node: Node, record: Record, items: list[Splice]
) -> list[Splice]:  # fmt: skip
    """Return the replacements in one description, or its removal if nothing remains in it."""
    utf8 = packet.utf8
    splices = []
    for child in node.children:
        if child.is_ours:
            splices.append(cut(utf8, child))
            continue
        key = next(key for key, name in LISTS.items() if name == child.name)
        if record.words.get(key):
            inside = [splice for splice in items if child.inner <= splice.start < child.close]
            splices += _list(utf8, child, record.states.get(key, ""), inside)
    is_changed = bool(splices or node.own_attributes())
    if not is_changed:
        return []
    if set(node.attributes) - set(node.own_attributes()) <= _ABOUT and is_blank(
        utf8, node, splices
    ):
        return [cut(utf8, node)]
    return splices + _attributes(utf8, node, splices)


def _list(utf8: bytes, node: Node, state: str, splices: list[Splice]) -> list[Splice]:
    """Return the replacements for one list, of which items are removed.

    Args:
        utf8: The text.
        node: The element, such as ``dc:subject``.
        state: How it was before, from the record.
        splices: The removals of its items.
    """
    container = container_of(node)
    is_empty = is_blank(utf8, container or node, splices)
    if not is_empty or state == "items":
        return splices
    if not state:
        return [cut(utf8, node)]
    if state == "property":
        return [] if node.is_single_tag else [closed(node)]
    if container is None or container.is_single_tag:
        return splices
    return [closed(container)] if state == "list" else [cut(utf8, container)]


def _attributes(utf8: bytes, node: Node, splices: list[Splice]) -> list[Splice]:
    """Return the removals of attributes of our record, and of a prefix that only it needed."""
    own = {node.raw_names[name].encode() for name in node.own_attributes()}
    found, declared = [], []
    tag_end = node.inner
    start = node.start + 1
    for match in _ATTRIBUTE.finditer(utf8, start, tag_end):
        name = match[1]
        if name in own:
            found.append(Splice(match.start(), match.end()))
        elif name.startswith(b"xmlns:") and (match[2] or match[3]) == NAMESPACE.encode():
            declared.append((name[6:] + b":", Splice(match.start(), match.end())))
    inside = [splice for splice in splices if splice.start >= tag_end]
    rest = spliced(utf8, found, node.start, tag_end) + spliced(utf8, inside, tag_end, node.end)
    return found + [splice for prefix, splice in declared if prefix not in rest]
