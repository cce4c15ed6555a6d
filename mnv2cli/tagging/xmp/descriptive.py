"""What a packet says about the contents of a photo, as another packet."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mnv2cli.tagging.xmp.keywords import XmpError
from mnv2cli.tagging.xmp.layout import packet_of
from mnv2cli.tagging.xmp.packet import RDF, parse
from mnv2cli.tagging.xmp.text import decode

if TYPE_CHECKING:
    from lxml.etree import _Element as Element

_RDF = f"{{{RDF}}}"
_ABOUT = {f"{_RDF}about", "about"}

_NAMESPACES = (
    "http://purl.org/dc/elements/1.1/",
    "http://ns.adobe.com/xap/1.0/",
    "http://ns.adobe.com/xap/1.0/rights/",
    "http://ns.adobe.com/photoshop/1.0/",
    "http://ns.adobe.com/lightroom/1.0/",
    "http://iptc.org/std/Iptc4xmpCore/1.0/xmlns/",
    "http://iptc.org/std/Iptc4xmpExt/2008-02-29/",
    "http://www.digikam.org/ns/1.0/",
    "http://ns.microsoft.com/photo/1.0/",
    "http://ns.acdsee.com/iptc/1.0/",
    "http://ns.iview-multimedia.com/mediapro/1.0/",
)
"""Keywords, titles, ratings, people and rights.

Others are not copied: what a raw developer did (``crs``, ``darktable``) would be done again to a
photo that shows it already, and what describes the file (``tiff``, ``xmpMM``, ``xmpNote``) is not
true of another file.
"""


def descriptive(data: bytes) -> bytes:
    """Return a new packet with the descriptive properties of a packet; empty if it has none.

    Raises:
        XmpError: The packet cannot be read.
    """
    from lxml import etree

    utf8 = decode(data).utf8
    parse(utf8)  # refuses what must not reach another parser
    parser = etree.XMLParser(
        encoding="utf-8",
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        remove_comments=True,
        remove_pis=True,
        remove_blank_text=True,
    )
    try:
        root = etree.fromstring(utf8, parser)
    except etree.XMLSyntaxError as error:
        raise XmpError(f"the XMP cannot be read: {error.msg}") from None
    rdf = next(root.iter(f"{_RDF}RDF"))
    kept = [node for node in rdf.iterchildren(f"{_RDF}Description") if _strip(node)]
    for node in kept:
        etree.cleanup_namespaces(node)
    texts = [
        etree.tostring(node, encoding="unicode", pretty_print=True, with_tail=False)
        for node in kept
    ]
    return packet_of(texts).encode() if texts else b""


def _strip(description: Element) -> bool:
    """Remove what is not descriptive; return whether anything remains."""
    for name in description.attrib:
        if str(name) not in _ABOUT and _namespace(str(name)) not in _NAMESPACES:
            del description.attrib[name]
    for child in list(description):
        if _namespace(str(child.tag)) not in _NAMESPACES:
            description.remove(child)
    return len(description) > 0 or bool(set(map(str, description.attrib)) - _ABOUT)


def _namespace(name: str) -> str:
    return name[1:].partition("}")[0] if name.startswith("{") else ""
