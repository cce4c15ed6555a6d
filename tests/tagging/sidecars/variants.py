"""Sidecars that are valid and unusual: encodings, containers, prefixes and places of things."""

from __future__ import annotations

from collections.abc import Callable

from tests.tagging.sidecars.material import BOM, XPACKET_ID, Sidecar

PLAIN = """\
<x:xmpmeta xmlns:x="adobe:ns:meta/">
 <rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
  <rdf:Description rdf:about=""
    xmlns:dc="http://purl.org/dc/elements/1.1/">
   <dc:subject>
    <rdf:Bag>
     <rdf:li>Ostsee</rdf:li>
     <rdf:li>größer</rdf:li>
     <rdf:li>海</rdf:li>
    </rdf:Bag>
   </dc:subject>
  </rdf:Description>
 </rdf:RDF>
</x:xmpmeta>
"""
WORDS = ("Ostsee", "größer", "海")
_BAG = PLAIN[PLAIN.index("    <rdf:Bag>") : PLAIN.index("   </dc:subject>")]


def _packet(text: str) -> str:
    return f'<?xpacket begin="{BOM}" id="{XPACKET_ID}"?>\n{text}<?xpacket end="w"?>\n'


def _one_line(text: str) -> str:
    return "".join(line.strip() + " " * line.endswith('""') for line in text.splitlines())


def _prefix(text: str) -> str:
    return text.replace("rdf:", "R:").replace(":rdf=", ":R=")


def _rdf_only(text: str) -> str:
    return "".join(text.splitlines(keepends=True)[1:-1])


DEFAULT_NAMESPACE = """\
<xmpmeta xmlns="adobe:ns:meta/">
 <RDF xmlns="http://www.w3.org/1999/02/22-rdf-syntax-ns#" \
xmlns:r="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
  <Description r:about="">
   <subject xmlns="http://purl.org/dc/elements/1.1/">
    <r:Bag><r:li>Ostsee</r:li><r:li>größer</r:li><r:li>海</r:li></r:Bag>
   </subject>
  </Description>
 </RDF>
</xmpmeta>
"""

PREFIXES_THAT_MEAN_SOMETHING_ELSE = """\
<x:xmpmeta xmlns:x="adobe:ns:meta/">
 <rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
  <rdf:Description rdf:about=""
    xmlns:mnv2="http://example.org/not-ours/"
    xmlns:lr="http://example.org/not-lightroom/"
    xmlns:elements="http://purl.org/dc/elements/1.1/"
   mnv2:AddedKeywords="kept"
   lr:hierarchicalSubject="kept too">
   <elements:subject>
    <rdf:Bag>
     <rdf:li>Ostsee</rdf:li>
     <rdf:li>größer</rdf:li>
     <rdf:li>海</rdf:li>
    </rdf:Bag>
   </elements:subject>
  </rdf:Description>
 </rdf:RDF>
</x:xmpmeta>
"""

COMMENTS = """\
<?xml version="1.0" encoding="UTF-8"?>
<!-- <dc:subject><rdf:Bag><rdf:li>not a keyword</rdf:li></rdf:Bag></dc:subject> -->
<x:xmpmeta xmlns:x="adobe:ns:meta/">
 <rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
  <rdf:Description rdf:about="" xmlns:dc="http://purl.org/dc/elements/1.1/"
    xmlns:ext="http://example.org/unknown/" ext:a='">' ext:b="1 > 0">
   <!-- a > b -->
   <dc:subject><!-- words -->
    <rdf:Bag><?note two ?>
     <rdf:li>Ostsee</rdf:li><!-- the sea -->
     <rdf:li><![CDATA[größer]]></rdf:li>
     <rdf:li>&#x6d77;</rdf:li>
     <!-- the last one -->
    </rdf:Bag>
   </dc:subject>
   <ext:unknown rdf:parseType="Resource"><ext:part>1</ext:part><ext:kind>x</ext:kind></ext:unknown>
  </rdf:Description>
 </rdf:RDF>
</x:xmpmeta>
<!-- the end -->
"""

TAGS_IN_COMMENTS = COMMENTS.replace("words", "</rdf:Bag>").replace("two", "</rdf:Bag>")
"""ExifTool reads the keywords, but moves them out of the list when it rewrites the file."""

NESTED = """\
<x:xmpmeta xmlns:x="adobe:ns:meta/">
 <rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
  <rdf:Description rdf:about="" xmlns:ext="http://example.org/unknown/"
    xmlns:dc="http://purl.org/dc/elements/1.1/">
   <ext:original rdf:parseType="Resource">
    <dc:subject>
     <rdf:Bag>
      <rdf:li>of the original</rdf:li>
     </rdf:Bag>
    </dc:subject>
   </ext:original>
   <dc:subject>
    <rdf:Bag>
     <rdf:li>Ostsee</rdf:li>
     <rdf:li>größer</rdf:li>
     <rdf:li>海</rdf:li>
    </rdf:Bag>
   </dc:subject>
  </rdf:Description>
 </rdf:RDF>
</x:xmpmeta>
"""

ATTRIBUTES_ONLY = """\
<x:xmpmeta xmlns:x="adobe:ns:meta/">
<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
<rdf:Description rdf:about="" xmlns:xmp="http://ns.adobe.com/xap/1.0/" xmp:Rating="2" />
</rdf:RDF>
</x:xmpmeta>
"""


def _variant(
    name: str,
    change: Callable[[str], str] = str,
    encoding: str = "utf-8",
    *unread_by: str,
    subjects: tuple[str, ...] = WORDS,
) -> Sidecar:
    data = change(PLAIN).encode(encoding)
    return Sidecar(name, data, subjects=subjects, encoding=encoding, unread_by=frozenset(unread_by))


VARIANTS = (
    _variant("no xpacket"),
    _variant("with an xpacket", _packet),
    _variant("a BOM", lambda text: BOM + text),
    _variant("UTF-16, little-endian", lambda text: BOM + text, "utf-16-le", "exiv2", "exiftool"),
    _variant("UTF-16, big-endian", lambda text: BOM + text, "utf-16-be", "exiv2", "exiftool"),
    _variant("UTF-16 packet", lambda text: BOM + _packet(text), "utf-16-le", "exiv2"),
    _variant("CRLF", lambda text: text.replace("\n", "\r\n")),
    _variant("tabs", lambda text: text.replace(" <", "\t<")),
    _variant("one line", _one_line),
    _variant("no line end at the end", str.rstrip),
    _variant("single quotes", lambda text: text.replace('"', "'")),
    _variant("a Seq", lambda text: text.replace("rdf:Bag", "rdf:Seq")),
    _variant("an Alt", lambda text: text.replace("rdf:Bag", "rdf:Alt")),
    _variant("an empty Bag", lambda text: text.replace(_BAG, "    <rdf:Bag/>\n"), subjects=()),
    _variant(
        "a Bag of nothing",
        lambda text: text.replace(_BAG, "    <rdf:Bag>\n    </rdf:Bag>\n"),
        subjects=(),
    ),
    _variant("another prefix for RDF", _prefix, "utf-8", "exiv2"),
    _variant("no x:xmpmeta", _rdf_only, "utf-8", "exiv2", "exiftool"),
    _variant("a default namespace", lambda _: DEFAULT_NAMESPACE, "utf-8", "exiv2", "exiftool"),
    _variant("prefixes of others", lambda _: PREFIXES_THAT_MEAN_SOMETHING_ELSE, "utf-8", "exiv2"),
    _variant("comments", lambda _: COMMENTS, "utf-8", "exiv2"),
    _variant("comments with tags", lambda _: TAGS_IN_COMMENTS, "utf-8", "exiv2", "exiftool"),
    _variant("a nested dc:subject", lambda _: NESTED),
    _variant("attributes only", lambda _: ATTRIBUTES_ONLY, subjects=()),
)
