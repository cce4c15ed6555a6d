"""Packets that are refused, and records that claim what is not ours."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from mnv2cli.tagging.tags import Tags
from mnv2cli.tagging.xmp import packet as parser
from mnv2cli.tagging.xmp import text
from mnv2cli.tagging.xmp.edit import edit
from mnv2cli.tagging.xmp.keywords import NAMESPACE, Change, XmpError
from mnv2cli.tagging.xmp.read import read_keywords
from tests.tagging.xmp.test_edit import adding, changed, packet, subjects

REMOVE = Change(None)
LAUGHS = "".join(f'<!ENTITY l{i} "{f"&l{i - 1};" * 10}">' for i in range(1, 10))
BODY = packet(subjects("holiday")).decode().partition("?>\n")[2]
NOT_NESTED = "<rdf:RDF xmlns:rdf='http://www.w3.org/1999/02/22-rdf-syntax-ns#'/>"


def hostile(doctype: str, word: str = "&l9;") -> bytes:
    return f'<?xml version="1.0"?>{doctype}{BODY.replace("holiday", word)}'.encode()


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (hostile(f'<!DOCTYPE x [<!ENTITY l0 "ha">{LAUGHS}]>'), "DOCTYPE"),
        (hostile('<!DOCTYPE x [<!ENTITY l9 SYSTEM "file:///etc/passwd">]>'), "DOCTYPE"),
        (hostile('<!DOCTYPE x SYSTEM "http://127.0.0.1:9/x.dtd">', "a"), "DOCTYPE"),
        (hostile('<!DOCTYPE x [<!ENTITY % p SYSTEM "http://127.0.0.1:9/"> %p;]>'), "DOCTYPE"),
        (hostile("", "&undefined;"), "not well-formed: undefined entity in line 11"),
        (packet().replace(b"</rdf:Description>", b""), "mismatched tag in line 11"),
        (packet()[:300], "not well-formed"),
        (packet() + b"<more/>", "not well-formed: junk after document element"),
        (packet().replace(b"4</xmp", b"\0</xmp"), "not well-formed"),
        (packet(subjects("\x01")), "not well-formed: invalid token in line 12"),
        (b"\0" * 100, "not well-formed"),
        (b" \n", "not well-formed"),
        (b"\xff\xd8\xff\xe0 a photo", "not valid UTF-8"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "no rdf:RDF"),
        (packet("<a>" * 300 + "</a>" * 300), "nested deeper than 200"),
        (b"<a>" * 100_000, "nested deeper than 200"),
        (b"<a>" + NOT_NESTED.encode() * 2 + b"</a>", "more than one rdf:RDF"),
        (packet("<a " + " ".join(f"b{i}=''" for i in range(2001)) + "/>"), "over 2,000 attributes"),
        (packet("<undeclared:x/>"), "unbound prefix"),
        (packet('<a b="1" b="2"/>'), "duplicate attribute"),
        (packet(subjects("\u00e9")).decode().encode("latin-1", "replace"), "not valid UTF-8"),
        (b"\xff\xfe" + BODY.encode("utf-16-le")[:-1], "not valid UTF-16-LE"),
        (b"\xff\xfe\0\0" + BODY.encode("utf-32-le"), "UTF-32"),
        (b"<?xml version='1.0' encoding='utf-7'?>" + BODY.encode(), "encoding 'utf-7'"),
        (b"<?xml version='1.0' encoding='UTF-16'?>" + BODY.encode(), "encoding 'UTF-16'"),
        (b"<?xml version='1.0' encoding='ascii'?>" + packet("\u00e9"), "not valid ASCII"),
        (b"\xef\xbb\xbf<?xml version='1.0' encoding='latin1'?>" + BODY.encode(), "byte order mark"),
    ],
)  # fmt: skip
def test_hostile_packet_is_refused_with_the_reason(data: bytes, reason: str) -> None:
    for call in (lambda: read_keywords(data), lambda: edit(data, adding())):
        with pytest.raises(XmpError, match=re.escape(reason)) as caught:
            call()
        assert "\n" not in str(caught.value)
        assert len(str(caught.value)) < 120


def test_packet_over_the_limit_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(text, "MAX_BYTES", 1 << 20)
    data = packet(subjects("x" * (1 << 20)))
    with pytest.raises(XmpError, match="larger than 1 MB"):
        read_keywords(data)


def test_packet_with_too_many_elements_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parser, "MAX_ELEMENTS", 1000)
    assert read_keywords(packet("<a/>" * 900)).subjects == ()
    with pytest.raises(XmpError, match="more than 1,000 elements"):
        read_keywords(packet("<a/>" * 1000))


def test_text_that_the_second_parser_refuses_is_not_changed() -> None:
    data = packet(f"<xmp:Thumbnail>{'A' * 10_000_001}</xmp:Thumbnail>{subjects('holiday')}")
    assert read_keywords(data).subjects == ("holiday",)
    with pytest.raises(XmpError, match=r"cannot be checked: .*too long$"):
        edit(data, adding())


def test_local_files_are_not_included(tmp_path: Path) -> None:
    (tmp_path / "secret.txt").write_text("secret")
    path = (tmp_path / "secret.txt").as_uri()
    include = f'<i:include xmlns:i="http://www.w3.org/2001/XInclude" href="{path}" parse="text"/>'
    data = packet(subjects(include))
    assert read_keywords(data).subjects == ()
    assert b"secret<" not in changed(data, adding())


def record(*words: str, more: str = "") -> str:
    items = "".join(f"<rdf:li>{word}</rdf:li>" for word in words)
    return (
        f'\n   <m:Keywords xmlns:m="{NAMESPACE}"><rdf:Bag>{items}</rdf:Bag></m:Keywords>'
        f'<m:Model xmlns:m="{NAMESPACE}">m</m:Model>{more}'
    )


def test_forged_record_costs_one_occurrence_of_each_word_it_names() -> None:
    words = ("holiday", "cat", "holiday", "dog", "cat", "Cat")
    data = packet(subjects(*words) + record("holiday", "holiday", "cat", "bird", "HOLIDAY"))
    found = read_keywords(changed(data, REMOVE))
    assert found.subjects == ("holiday", "dog", "cat", "Cat")
    assert found.ours is None


def test_forged_record_does_not_reach_items_that_this_tool_cannot_write() -> None:
    items = '<rdf:li xml:lang="de">cat</rdf:li><rdf:li>cat<!-- mine --></rdf:li>'
    data = packet(f"<dc:subject><rdf:Bag>{items}</rdf:Bag></dc:subject>{record('cat')}")
    assert items.encode() in changed(data, REMOVE)


@pytest.mark.parametrize(
    "state",
    ["subject=list", "subject=property", "subject=nonsense", "rdf=list", "subject=content rdf=list",
     "a=b=c", "", "<rdf:li/>"],
)  # fmt: skip
def test_forged_states_remove_no_word_that_is_not_recorded(state: str) -> None:
    more = f'<m:Lists xmlns:m="{NAMESPACE}">{state}</m:Lists>'
    found = changed(packet(subjects("holiday", "cat") + record("cat", more=more)), REMOVE)
    assert read_keywords(found).subjects == ("holiday",)
    assert b"<xmp:Rating>4</xmp:Rating>" in found
    assert NAMESPACE.encode() not in found


def test_several_records_are_removed_as_one() -> None:
    data = packet(subjects("cat", "dog", "holiday", "cat") + record("cat") + record("dog", "cat"))
    ours = read_keywords(data).ours
    assert ours and ours.keywords == ("cat", "dog")
    found = read_keywords(changed(data, REMOVE))
    assert (found.subjects, found.ours) == (("holiday", "cat"), None)


@pytest.mark.parametrize(
    "value", ["nan", "1e999", "-1", "2", "0,5", "<rdf:Seq/>", "<q xmlns='urn:q'>1</q>", "1" * 5000]
)
def test_score_that_is_no_share_is_read_as_unknown(value: str) -> None:
    data = packet(f'<m:Score xmlns:m="{NAMESPACE}">{value}</m:Score>')
    ours = read_keywords(data).ours
    assert ours is None or ours.score == 0
    assert edit(data, REMOVE) == packet()


def test_many_words_of_a_forged_record_take_linear_time() -> None:
    many = [f"w\u00e9{number}" for number in range(5_000)]
    data = packet(subjects(*many) + record(*(f"{word}x" for word in many)))
    assert len(read_keywords(changed(data, REMOVE)).subjects) == 5_000


def test_edit_of_hostile_words_is_undone() -> None:
    words = ("</rdf:li>", "]]>", "<!--", "&amp;", "\U0001f431", "a" * 5000, "\u202e", "'\"", "&#0;")
    data = packet(subjects("holiday"))
    made = changed(data, adding(Tags(words, tuple((word,) for word in words), "m"), True))
    assert read_keywords(made).subjects == ("holiday", *words)
    assert edit(made, REMOVE) == data
