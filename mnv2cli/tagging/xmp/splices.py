"""Replacements of parts of a text."""

from __future__ import annotations

from typing import NamedTuple

from mnv2cli.tagging.xmp.packet import Node

_SPACE = b" \t\r\n"


class Splice(NamedTuple):
    """A replacement of the bytes from ``start`` to ``end``."""

    start: int
    end: int
    text: bytes = b""


def spliced(utf8: bytes, splices: list[Splice], start: int = 0, end: int | None = None) -> bytes:
    """Return the bytes from ``start`` to ``end`` with replacements, which must not overlap.

    Replacements at the same place are made in their order.
    """
    end = len(utf8) if end is None else end
    parts, position = [], start
    for splice in sorted(splices, key=lambda splice: splice[:2]):
        if splice.start < position or splice.end > end:
            raise ValueError("replacements overlap")
        parts += [utf8[position : splice.start], splice.text]
        position = splice.end
    return b"".join([*parts, utf8[position:end]])


def cut(utf8: bytes, node: Node) -> Splice:
    """Return the removal of an element and of the white space before it."""
    return Splice(space_before(utf8, node.start), node.end)


def space_before(utf8: bytes, position: int) -> int:
    """Return where the white space before a position begins."""
    while position and utf8[position - 1] in _SPACE:
        position -= 1
    return position


def closed(node: Node) -> Splice:
    """Return the replacement that makes an element one tag, as ``opened`` made two of it."""
    return Splice(node.inner - 1, node.end, b"/>")


def opened(node: Node, name: bytes, content: str) -> Splice:
    """Return the replacement that puts content into an element of one tag."""
    return Splice(node.inner - 2, node.end, b">%s</%s>" % (content.encode(), name))


def is_blank(utf8: bytes, node: Node, splices: list[Splice]) -> bool:
    """Check that only white space is in an element after replacements."""
    if node.is_single_tag:
        return True
    inside = [splice for splice in splices if node.inner <= splice.start < node.close]
    return not spliced(utf8, inside, node.inner, node.close).strip(_SPACE)
