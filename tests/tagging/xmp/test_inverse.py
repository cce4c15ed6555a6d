"""Properties of edits over packets of every layout."""

from __future__ import annotations

from collections import Counter

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lxml import etree

from mnv2cli.tagging.xmp.edit import edit
from mnv2cli.tagging.xmp.keywords import NAMESPACE, Change, XmpError
from mnv2cli.tagging.xmp.packet import RDF
from mnv2cli.tagging.xmp.read import read_keywords
from mnv2cli.tagging.xmp.text import decode
from mnv2cli.tagging.xmp.words import fold
from tests.tagging.xmp.layouts import changes, packets

REMOVE = Change(None)
quick = settings(
    max_examples=50,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)


@quick
@given(packets(), changes)
def test_removal_gives_back_every_byte(data: bytes, change: Change) -> None:
    made = edit(data, change)
    assert made and made != data
    assert edit(made, change) == made
    assert edit(made, REMOVE) == data


@quick
@given(packets(), changes, changes)
def test_refresh_is_the_same_as_adding_to_the_packet_from_before(
    data: bytes, first: Change, second: Change
) -> None:
    made = edit(data, first)
    assert made
    refreshed = edit(made, second)
    assert refreshed
    # With the same words, model and score, the first result stays.
    assert refreshed == edit(data, second) or refreshed == made
    assert edit(refreshed, REMOVE) == data


@quick
@given(packets(), changes)
def test_every_keyword_is_present_and_only_added_ones_are_recorded(
    data: bytes, change: Change
) -> None:
    before = read_keywords(data)
    made = edit(data, change)
    assert made and change.tags
    after = read_keywords(made)
    assert after.ours
    assert {fold(word) for word in change.tags.keywords} <= {fold(word) for word in after.subjects}
    for old, new, ours in (
        (before.subjects, after.subjects, after.ours.keywords),
        (before.hierarchy, after.hierarchy, after.ours.hierarchy),
        (before.tags_list, after.tags_list, after.ours.tags_list),
    ):
        assert Counter(new) == Counter(old) + Counter(ours)
        assert not {fold(word) for word in old} & {fold(word) for word in ours}


def rewritten(data: bytes, merged: bool) -> bytes:
    """Return a packet as another program writes it: other prefixes, attributes, no white space."""
    old = etree.fromstring(decode(data).utf8, etree.XMLParser(encoding="utf-8"))
    rdf = etree.Element(f"{{{RDF}}}RDF")
    node = None
    for description in old.iter(f"{{{RDF}}}Description"):
        if node is None or not merged:
            node = etree.SubElement(rdf, f"{{{RDF}}}Description")
        for name, value in description.attrib.items():
            node.set(name, value)
        for child in description.iterchildren("*"):
            if len(child) or not (child.text or "").strip() or child.attrib:
                node.append(etree.fromstring(etree.tostring(child, with_tail=False)))
            else:
                node.set(child.tag, child.text)
    return etree.tostring(rdf)


@quick
@given(packets(), changes, changes, st.booleans())
def test_packet_that_another_program_rewrote_is_refreshed_and_removed(
    data: bytes, first: Change, second: Change, merged: bool
) -> None:
    before = read_keywords(data)
    made = edit(data, first)
    assert made
    other = rewritten(made, merged)
    assert read_keywords(other) == read_keywords(made)
    assert edit(other, first) == other
    refreshed = edit(other, second)
    assert refreshed
    for packet in (other, refreshed):
        removed = edit(packet, REMOVE)
        assert removed
        assert read_keywords(removed) == before
        assert NAMESPACE.encode() not in removed


PIECES = (b"", b"<", b">", b"/", b"<rdf:li>", b"\0", b"\xff", b"&")


@quick
@given(packets(), changes, st.data())
def test_damaged_packet_is_edited_or_refused(
    data: bytes, change: Change, draw: st.DataObject
) -> None:
    made = edit(data, change)
    assert made
    for _ in range(draw.draw(st.integers(1, 3))):
        start = draw.draw(st.integers(0, len(made) - 1))
        length = draw.draw(st.integers(0, 40))
        piece = draw.draw(st.sampled_from(PIECES))
        made = made[:start] + piece + made[start + length :]
    try:
        read_keywords(made)
        edit(made, REMOVE)
        edit(made, change)
    except XmpError:
        pass
