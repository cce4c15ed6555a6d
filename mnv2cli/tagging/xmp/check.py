"""Check by a second parser that a change of a packet left everything of others as it was."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import zip_longest
from typing import TYPE_CHECKING, Any

from mnv2cli.tagging.xmp.keywords import NAMESPACE, XmpError
from mnv2cli.tagging.xmp.packet import LISTS, RDF
from mnv2cli.tagging.xmp.record import BAGS
from mnv2cli.tagging.xmp.words import occurrences

if TYPE_CHECKING:
    from lxml.etree import _Element as Element

_RDF = f"{{{RDF}}}"
_OURS = f"{{{NAMESPACE}}}"
_LISTS = {key: f"{{{name.replace(chr(10), '}')}" for key, name in LISTS.items()}
_CONTAINERS = {f"{_RDF}{local}" for local in ("Bag", "Seq", "Alt")}


def check_same(before: bytes, after: bytes) -> None:
    """Check that two texts of a packet are the same tree but for what is ours in each.

    Raises:
        XmpError: They differ, or one of them cannot be parsed.
    """
    if any(one != other for one, other in zip_longest(_theirs(before), _theirs(after))):
        raise XmpError("the XMP cannot be changed without changing entries of other programs")


def _theirs(utf8: bytes) -> Iterator[tuple[Any, ...]]:
    """Yield all nodes of a packet, comments and instructions too, without ours."""
    from lxml import etree

    parser = etree.XMLParser(
        encoding="utf-8", resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False
    )
    try:
        root = etree.fromstring(utf8, parser)
    except etree.XMLSyntaxError as error:
        reason = (error.msg or "").partition(",")[0]
        raise XmpError(f"the XMP cannot be checked: {reason}") from None
    rdf = next(root.iter(f"{_RDF}RDF"), None)
    if rdf is not None:
        _strip(rdf)
    for node in (*_outside(root, True), root, *_outside(root, False)):
        for element in node.iter():
            yield (
                element.tag,
                sorted(element.attrib.items()),
                _text(element.text),
                _text(element.tail),
                len(element),
            )


def _outside(root: Element, preceding: bool) -> list[Element]:
    return list(root.itersiblings(preceding=preceding))


def _text(text: str | None) -> str:
    return "" if text is None or text.isspace() else text


def _strip(rdf: Element) -> None:
    """Remove our record and our words, and what is empty where they can be."""
    descriptions = [node for node in rdf if isinstance(node.tag, str)]
    words = _recorded(descriptions)
    for key, name in _LISTS.items():
        lists = [child for node in descriptions for child in node if child.tag == name]
        items = [
            item
            for child in lists
            for item in _container(child)
            if item.tag == f"{_RDF}li" or str(item.tag).startswith(f"{_RDF}_")
        ]
        texts = [
            (item.text or "") if item.tag == f"{_RDF}li" and _is_plain(item) else None
            for item in items
        ]
        for position in occurrences(texts, words.get(BAGS[key], [])):
            _drop(items[position])
        for child in lists:
            for container in child.iterchildren(*_CONTAINERS):
                _drop_if_empty(container)
            _drop_if_empty(child)
    for node in descriptions:
        for attribute in [name for name in node.attrib if str(name).startswith(_OURS)]:
            del node.attrib[attribute]
        for child in [child for child in node if str(child.tag).startswith(_OURS)]:
            _drop(child)
        if set(node.attrib) <= {f"{_RDF}about", "about"}:
            _drop_if_empty(node, but_for_attributes=True)


def _container(node: Element) -> list[Element]:
    """Return the children of the only element in an element, if that is a list."""
    elements = list(node.iterchildren("*"))
    return list(elements[0]) if len(elements) == 1 and elements[0].tag in _CONTAINERS else []


def _recorded(descriptions: list[Element]) -> dict[str, list[str]]:
    words: dict[str, list[str]] = {}
    for node in descriptions:
        for child in node:
            if str(child.tag).startswith(_OURS):
                texts = [item.text or "" for item in child.iter(f"{_RDF}li")] or [child.text or ""]
                words.setdefault(str(child.tag).removeprefix(_OURS), []).extend(texts)
    return words


def _is_plain(node: Element) -> bool:
    return not len(node) and not node.attrib


def _drop_if_empty(node: Element, but_for_attributes: bool = False) -> None:
    """Remove an element without content and without attributes, unless these may remain."""
    if not len(node) and not _text(node.text) and (but_for_attributes or not node.attrib):
        _drop(node)


def _drop(node: Element) -> None:
    """Remove an element, but keep the text behind it."""
    parent = node.getparent()
    assert parent is not None
    if tail := _text(node.tail):
        previous = node.getprevious()
        if previous is None:
            parent.text = (parent.text or "") + tail
        else:
            previous.tail = (previous.tail or "") + tail
    parent.remove(node)
