"""The check by a second parser: what it lets through and what it refuses."""

from __future__ import annotations

import pytest

from mnv2cli.tagging.xmp.check import check_same
from mnv2cli.tagging.xmp.keywords import XmpError
from tests.tagging.xmp.test_edit import adding, changed, packet, subjects

BEFORE = packet("<!-- note -->" + subjects("holiday"), 'rdf:about="" xmp:Label="Red"')
AFTER = changed(BEFORE, adding(hierarchy=True))


def test_our_own_changes_pass_both_ways() -> None:
    check_same(BEFORE, AFTER)
    check_same(AFTER, BEFORE)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"<rdf:li>holiday", b"<rdf:li>holidays"),
        (b"<rdf:li>holiday</rdf:li>", b""),
        (b"<rdf:li>holiday</rdf:li>", b"<rdf:li>holiday</rdf:li><rdf:li>holiday</rdf:li>"),
        (b"<rdf:li>animal</rdf:li>", b"<rdf:li>animal</rdf:li><rdf:li>unrecorded</rdf:li>"),
        (b"<!-- note -->", b""),
        (b"<xmp:Rating>4", b"<xmp:Rating>5"),
        (b'xmp:Label="Red"', b""),
        (b'x:xmptk="XMP', b'x:xmptk="xmp'),
        (b'<?xpacket end="w"?>', b""),
        (b"</rdf:Bag>", b"text</rdf:Bag>"),
    ],
)
def test_change_of_an_entry_of_others_is_refused(old: bytes, new: bytes) -> None:
    assert old in AFTER
    with pytest.raises(XmpError, match="without changing entries of other programs"):
        check_same(BEFORE, AFTER.replace(old, new, 1))


def test_result_that_is_not_well_formed_is_refused() -> None:
    with pytest.raises(XmpError, match="cannot be checked"):
        check_same(BEFORE, AFTER[:-30])
