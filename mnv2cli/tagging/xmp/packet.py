"""UTF-8 text of a packet -> its descriptions, with the position of every tag that matters."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from xml.parsers import expat

from mnv2cli.tagging.xmp.keywords import NAMESPACE, XmpError

MAX_DEPTH = 200
"""Elements nested deeper are refused."""

MAX_ELEMENTS = 500_000
"""Packets with more elements and attributes are refused, as each costs memory."""

MAX_ATTRIBUTES = 2_000
"""Elements with more attributes are refused, as their cost grows with the square."""

RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
DC = "http://purl.org/dc/elements/1.1/"
LR = "http://ns.adobe.com/lightroom/1.0/"
DIGIKAM = "http://www.digikam.org/ns/1.0/"

LISTS = {
    "subject": f"{DC}\nsubject",
    "hierarchy": f"{LR}\nhierarchicalSubject",
    "tags_list": f"{DIGIKAM}\nTagsList",
}
"""The names of the lists of keywords, as the parser gives them, by their name in this package."""

_OURS = f"{NAMESPACE}\n"
_BY_NAME = {name: key for key, name in LISTS.items()}
_CONTAINERS = {f"{RDF}\n{local}" for local in ("Bag", "Seq", "Alt")}
_ITEM = f"{RDF}\nli"
_ITEMS = re.compile(rf"{re.escape(RDF)}\n(li|_[0-9]+)")
_TAG = re.compile(rb"<[^>\"']*(?:(?:\"[^\"]*\"|'[^']*')[^>\"']*)*>")
_RAW_NAME = re.compile(rb"<([^\s/>]+)")


_NO_ATTRIBUTES: dict[str, str] = {}
_NO_CHILDREN: list[Node] = []


class Node:
    """An element, with its positions in the text.

    Attributes:
        name: Namespace and local name with a line feed between them.
        attributes: Values by names of the same form.
        raw_names: Names of attributes as written, by names of that form.
        children: The elements in it, as far as they matter here.
        text: Its text without that of its children.
        plain: It has text only: no element, comment or instruction.
        start, inner, close, end: Where its start tag begins and ends, where its end tag begins and
            ends; the last three are equal for an element of one tag such as ``<rdf:Bag/>``.
    """

    __slots__ = ("attributes", "children", "close", "end", "inner", "name", "plain", "raw_names",
                 "start", "text")  # fmt: skip

    def __init__(self, name: str, start: int) -> None:
        self.name = name
        self.start = start
        self.inner = self.close = self.end = start
        self.attributes = self.raw_names = _NO_ATTRIBUTES
        self.children = _NO_CHILDREN
        self.text = ""
        self.plain = True

    @property
    def is_single_tag(self) -> bool:
        """The element is written as one tag."""
        return self.inner == self.end

    @property
    def is_ours(self) -> bool:
        """The element is in the namespace of our record."""
        return self.name.startswith(_OURS)

    def own_attributes(self) -> list[str]:
        """Return the names of its attributes in the namespace of our record."""
        return [name for name in self.attributes if name.startswith(_OURS)]


_REASONS = {4: "invalid token"}  # its text repeats that the XML is not well-formed


class Packet:
    """The parts of a packet that matter for keywords.

    Attributes:
        utf8: The text.
        rdf: The element ``rdf:RDF``.
        toolkit: The attribute ``x:xmptk`` of the outermost element; may be empty.
    """

    __slots__ = ("rdf", "toolkit", "utf8")

    def __init__(self, utf8: bytes, rdf: Node, toolkit: str) -> None:
        self.utf8 = utf8
        self.rdf = rdf
        self.toolkit = toolkit

    @property
    def descriptions(self) -> list[Node]:
        """The descriptions, as typed nodes too."""
        return self.rdf.children

    def properties(self, key: str) -> Iterator[Node]:
        """Yield the elements of one list of keywords, by its key in ``LISTS``."""
        name = LISTS[key]
        for description in self.rdf.children:
            for child in description.children:
                if child.name == name:
                    yield child

    def attribute(self, key: str) -> str | None:
        """Return the value of a list of keywords that is written as an attribute."""
        name = LISTS[key]
        found = (node.attributes.get(name) for node in self.rdf.children)
        return next((value for value in found if value is not None), None)

    def items(self, key: str) -> list[Node]:
        """Return the items of one list of keywords, of all its elements."""
        return [item for node in self.properties(key) for item in items_of(node)]

    def raw_name(self, node: Node) -> bytes:
        """Return the name of an element as written, with its prefix."""
        found = _RAW_NAME.match(self.utf8, node.start)
        assert found
        return found[1]

    def prefix(self, node: Node) -> bytes:
        """Return the prefix of an element, with its colon; empty for none."""
        before, colon, _ = self.raw_name(node).rpartition(b":")
        return before + colon


def container_of(node: Node) -> Node | None:
    """Return the list in an element: its only child, an ``rdf:Bag``, ``Seq`` or ``Alt``."""
    if len(node.children) == 1 and node.children[0].name in _CONTAINERS:
        return node.children[0]
    return None


def items_of(node: Node) -> list[Node]:
    """Return the items of the list in an element; none if there is no list."""
    container = container_of(node)
    if container is None:
        return []
    return [child for child in container.children if _ITEMS.fullmatch(child.name)]


def is_plain_item(node: Node) -> bool:
    """Check that an item is an ``rdf:li`` with text only, without attributes."""
    return node.name == _ITEM and node.plain and not node.attributes


def parse(utf8: bytes, with_positions: bool = True) -> Packet:
    """Parse the text of a packet.

    Args:
        utf8: The text.
        with_positions: Find where elements end too, which takes time that reading can save.

    Raises:
        XmpError: It is not well-formed XML, is not XMP, has a DOCTYPE, is nested too deep, or has
            too many elements.
    """
    reader = _Reader(utf8, with_positions)
    try:
        reader.parser.Parse(utf8, True)
    except expat.ExpatError as error:
        reason = _REASONS.get(error.code) or expat.ErrorString(error.code)
        raise XmpError(f"the XMP is not well-formed: {reason} in line {error.lineno}") from None
    if reader.rdf is None:
        raise XmpError("it is not XMP: it has no rdf:RDF")
    return Packet(utf8, reader.rdf, reader.toolkit)


class _Reader:
    """Handlers of the parser; elements below those that matter are only counted."""

    def __init__(self, utf8: bytes, with_positions: bool) -> None:
        self.utf8 = utf8
        self.with_positions = with_positions
        self.rdf: Node | None = None
        self.toolkit = ""
        self.stack: list[Node] = []
        self.depth = self.count = 0
        self.ignored = 0  # elements open below the innermost one of the stack
        self.texts: list[str] = []
        parser = expat.ParserCreate("utf-8", "\n")
        parser.namespace_prefixes = True
        parser.buffer_text = True
        parser.StartElementHandler = self.started
        parser.EndElementHandler = self.ended
        parser.StartDoctypeDeclHandler = _refuse_doctype
        self.parser = parser

    def started(self, name: str, attributes: dict[str, str]) -> None:
        self.depth += 1
        self.count += 1 + len(attributes)
        if self.count > MAX_ELEMENTS:
            raise XmpError(f"the XMP has more than {MAX_ELEMENTS:,} elements and attributes")
        if len(attributes) > MAX_ATTRIBUTES:
            raise XmpError(f"the XMP has an element with over {MAX_ATTRIBUTES:,} attributes")
        if self.depth > MAX_DEPTH:
            raise XmpError(f"the XMP is nested deeper than {MAX_DEPTH} elements")
        if self.ignored:
            self.ignored += 1
            return
        name, _ = _split(name)
        stack = self.stack
        if not stack:
            if name == f"{RDF}\nRDF":
                if self.rdf is not None:
                    raise XmpError("the XMP has more than one rdf:RDF")
                self.rdf = self._opened(name, attributes)
            elif self.depth == 1:
                self.toolkit = attributes.get("adobe:ns:meta/\nxmptk\nx", "")
            return
        parent = stack[-1]
        parent.plain = False
        if (len(stack) == 2 and name not in _BY_NAME and not name.startswith(_OURS)) or len(
            stack
        ) == 5:
            self.ignored = 1
        else:
            if parent.children is _NO_CHILDREN:
                parent.children = []
            parent.children.append(self._opened(name, attributes))

    def _opened(self, name: str, attributes: dict[str, str]) -> Node:
        node = Node(name, self.parser.CurrentByteIndex)
        if attributes:
            node.attributes, node.raw_names = {}, {}
            for raw, value in attributes.items():
                attribute, written = _split(raw)
                node.attributes[attribute] = value
                node.raw_names[attribute] = written
        self.stack.append(node)
        if len(self.stack) == 3:
            self._listen(True)
        self.texts = []
        return node

    def ended(self, name: str) -> None:
        self.depth -= 1
        if self.ignored:
            self.ignored -= 1
            return
        if not self.stack:
            return
        node = self.stack.pop()
        if len(self.stack) == 2:
            self._listen(False)
        if self.texts:
            node.text = "".join(self.texts) if not node.children else ""
            self.texts = []
        if not self.with_positions:
            return
        found = _TAG.match(self.utf8, node.start)
        assert found
        node.inner = found.end()
        if self.utf8[node.inner - 2] == 0x2F:  # "/>"
            node.close = node.end = node.inner
        else:
            node.close = self.parser.CurrentByteIndex
            node.end = self.utf8.index(b">", node.close) + 1

    def _listen(self, is_on: bool) -> None:
        """Receive text and comments only inside of the elements that matter."""
        self.parser.CharacterDataHandler = self.texts_found if is_on else None
        self.parser.CommentHandler = self.mixed if is_on else None
        self.parser.ProcessingInstructionHandler = self.mixed if is_on else None

    def texts_found(self, text: str) -> None:
        if not self.ignored:
            self.texts.append(text)

    def mixed(self, *_: str) -> None:
        if self.stack:
            self.stack[-1].plain = False


@lru_cache(maxsize=4096)
def _split(name: str) -> tuple[str, str]:
    """Return a name of the parser without its prefix, and the name as written."""
    parts = name.split("\n")
    if len(parts) == 3:
        return f"{parts[0]}\n{parts[1]}", f"{parts[2]}:{parts[1]}"
    return name, parts[-1]


def _refuse_doctype(*_: object) -> None:
    raise XmpError("the XMP has a DOCTYPE, which is not allowed")
