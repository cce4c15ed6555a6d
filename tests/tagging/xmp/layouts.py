"""Strategies: packets in every layout that programs write, and changes of them."""

from __future__ import annotations

from hypothesis import strategies as st

from mnv2cli.tagging.tags import Tags
from mnv2cli.tagging.xmp.keywords import Change
from mnv2cli.tagging.xmp.packet import DC, DIGIKAM, LR, RDF

WORDS = ("cat", "Tiger Cat", "caf\u00e9", "R&amp;D", "dog", "\u732b", "a|b", "x/y")
_OWN_WORDS = (
    "cat",
    "tiger cat",
    "CAF\u00c9",
    "R&D",
    "dog",
    "\u732b",
    "<b>",
    "new one",
    "\U0001f431",
)

names = st.sampled_from(_OWN_WORDS)
tags = st.builds(
    Tags,
    st.lists(names, min_size=1, max_size=4).map(tuple),
    st.lists(st.lists(names, min_size=1, max_size=3).map(tuple), max_size=3).map(tuple),
    st.sampled_from(["", "mobilenet_v2", "m\u00fc<&>"]),
    st.sampled_from([0.0, 0.5, 0.98765]),
)
changes = st.builds(
    Change,
    tags,
    st.booleans(),
    st.just("2026-11-30T12:00:00+01:00"),
    st.sampled_from([(), ("cat",), ("cat", "dog")]),
)

_FOREIGN = (
    "<xmp:Rating>4</xmp:Rating>",
    '<q:unknown xmlns:q="urn:q"><q:deep a="1"><q:er/></q:deep></q:unknown>',
    "<!-- a comment with <dc:subject> in it -->",
    "<xmp:Label><![CDATA[<rdf:RDF> & more]]></xmp:Label>",
    "<?program do='this'?>",
    '<xmp:History><rdf:Seq><rdf:li rdf:parseType="Resource"><xmp:a>1</xmp:a></rdf:li>\n</rdf:Seq>'
    "</xmp:History>",
    '<xmp:Empty><rdf:Seq/></xmp:Empty><xmp:Text xml:lang="x-default">a > b</xmp:Text>',
)


@st.composite
def lists(draw: st.DrawFn, name: str, rdf: str, around: tuple[str, str]) -> str:
    """Draw one list of keywords, of any form that can be added to."""
    form = draw(st.sampled_from(["property", "content", "list", "items", "items", "items"]))
    line, unit = around
    tag = draw(st.sampled_from([name, f"{name} ", f'{name} xml:lang="a>b"']))
    if form == "property":
        return f"{line}<{tag}/>"
    container = rdf + draw(st.sampled_from(["Bag", "Seq", "Alt"]))
    inner = ""
    if form == "list":
        inner = f"{line}{unit}<{container}{draw(st.sampled_from(['', ' ']))}/>"
    elif form == "items":
        items = draw(st.sampled_from(["", "", "<?note </rdf:Bag> ?>", "<!-- <rdf:li> -->"]))
        for word in draw(st.lists(st.sampled_from(WORDS), max_size=3)):
            attribute = draw(st.sampled_from(["", "", ' xml:lang="x-default"', " "]))
            text = draw(
                st.sampled_from([word, f"<![CDATA[{word}]]>", f" {word}\n", f"{word}<!---->"])
            )
            items += f"{line}{unit}{unit}<{rdf}li{attribute}>{text}</{rdf}li>"
        items += draw(st.sampled_from(["", "", "<!-- end -->", f"{line}\n  "]))
        inner = f"{line}{unit}<{container}>{items}{line}{unit}</{container}>"
    if inner:
        inner = (
            draw(st.sampled_from(["", "", "<!-- </rdf:Bag> -->", "<?note <rdf:Bag> ?>"])) + inner
        )
    return f"{line}<{tag}>{inner}{draw(st.sampled_from([line, '']))}</{name}>"


@st.composite
def texts(draw: st.DrawFn) -> str:
    """Draw the text of a packet."""
    rdf = draw(st.sampled_from(["rdf:", "rdf:", "r:", "dc:", ""]))
    dc = draw(st.sampled_from(["dc:", "d:", "mnv2:"])) if rdf != "dc:" else "d:"
    unit = draw(st.sampled_from([" ", "  ", "\t", ""]))
    newline = draw(st.sampled_from(["\n", "\n", ""]))
    lines = [newline + unit * level if newline else "" for level in range(5)]
    about = draw(st.sampled_from(["", "uuid:1&amp;2", "x > y"]))
    attribute = f"{rdf}about" if rdf else "about"
    spaces = f'xmlns:xmp="http://ns.adobe.com/xap/1.0/" xmlns:{dc[:-1]}="{DC}" '
    spaces += f"xmlns:lr='{LR}' xmlns:g=\"{DIGIKAM}\""
    default = f'xmlns:{rdf[:-1]}="{RDF}"' if rdf else f'xmlns="{RDF}"'
    if rdf != "rdf:":  # for lists of others below
        default += f' xmlns:rdf="{RDF}"'
    body = ""
    for _ in range(draw(st.integers(0, 2))):
        extra = draw(st.sampled_from(["", ' xmp:Label="a>b"', "\n  xmp:Label='\"'"]))
        content = ""
        for name in (f"{dc}subject", "lr:hierarchicalSubject", "g:TagsList"):
            content += "".join(
                lines[3] + foreign
                for foreign in draw(st.lists(st.sampled_from(_FOREIGN), max_size=2))
            )
            if draw(st.integers(0, 2)):
                content += draw(lists(name, rdf, (lines[3], unit)))
        start = f'{lines[2]}<{rdf}Description {attribute}="{about}" {spaces}{extra}'
        body += f"{start}>{content}{lines[2]}</{rdf}Description>" if content else f"{start}/>"
    tail = draw(st.sampled_from(["", "<!-- last -->", "\n\n"]))
    if body or draw(st.booleans()):
        body = f"{lines[1]}<{rdf}RDF {default}>{body}{tail}{lines[1]}</{rdf}RDF>"
    else:
        body = f"{lines[1]}<{rdf}RDF {default}/>"
    wrapper = draw(st.sampled_from(["x:xmpmeta", "x:xapmeta", ""]))
    if wrapper:
        body = f'<{wrapper} xmlns:x="adobe:ns:meta/" x:xmptk="T">{body}{newline}</{wrapper}>'
    else:
        body = body.lstrip()
    if draw(st.booleans()):
        body = f'<?xpacket begin="" id="W5M0MpCehiHzreSzNTczkc9d"?>{newline}{body}{newline}'
        body += draw(st.sampled_from(["", " " * 50 + "\n"])) + '<?xpacket end="w"?>'
    return body + draw(st.sampled_from(["", "\n", "<!-- end -->"]))


@st.composite
def packets(draw: st.DrawFn) -> bytes:
    """Draw the bytes of a packet: encodings, byte order marks, declarations and new lines."""
    text = draw(texts())
    if draw(st.booleans()):
        text = text.replace("\n", "\r\n")
    encoding = draw(st.sampled_from(["utf-8", "utf-8", "utf-16-le", "utf-16-be", "ascii", "latin-1",
                                     "windows-1252"]))  # fmt: skip
    mark = ""
    if encoding.startswith("utf"):
        mark = draw(st.sampled_from(["", "\ufeff"]))
        declared = draw(st.sampled_from(["", encoding[:6].rstrip("-")]))
    else:
        declared = encoding
    if declared:
        name = declared if declared != "latin-1" else "iso-8859-1"
        text = f'<?xml version="1.0" encoding="{name.upper()}"?>\n{text}'
    # A character reference in CDATA is text, but the same text before and after.
    data = (mark + text).encode(encoding, "xmlcharrefreplace")
    padding = draw(st.sampled_from([b"", b"", b"\0", b"\0\0\0\0"]))
    return data + (padding if not encoding.startswith("utf-16") else padding * 2)
