"""Changes of packets: new ones, existing lists, refresh, and what is ours and theirs."""

from __future__ import annotations

import pytest

from mnv2cli.tagging.tags import Tags
from mnv2cli.tagging.xmp.edit import edit
from mnv2cli.tagging.xmp.keywords import Change, Ours, XmpError
from mnv2cli.tagging.xmp.read import read_keywords

CAT = Tags(
    ("animal", "tiger cat"), (("animal",), ("animal", "tiger cat")), "mobilenet_v2", score=0.87341
)
DOG = Tags(("dog",), (("dog",),), "mine.keras", score=0.5)
DATE = "2026-11-30T12:00:00+01:00"
REMOVE = Change(None)


def adding(tags: Tags = CAT, hierarchy: bool = False) -> Change:
    return Change(tags, hierarchy, DATE)


def packet(
    properties: str = "", attributes: str = 'rdf:about=""', toolkit: str = "XMP Core 5.6"
) -> bytes:
    """Return a packet with one description, as Adobe's programs write it."""
    return f"""<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>
<x:xmpmeta xmlns:x="adobe:ns:meta/" x:xmptk="{toolkit}">
 <rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
  <rdf:Description {attributes}
    xmlns:dc="http://purl.org/dc/elements/1.1/"
    xmlns:lr="http://ns.adobe.com/lightroom/1.0/"
    xmlns:digiKam="http://www.digikam.org/ns/1.0/"
    xmlns:xmp="http://ns.adobe.com/xap/1.0/">
   <xmp:Rating>4</xmp:Rating>{properties}
  </rdf:Description>
 </rdf:RDF>
</x:xmpmeta>
<?xpacket end="w"?>""".encode()


def subjects(*words: str, container: str = "Bag") -> str:
    items = "".join(f"\n     <rdf:li>{word}</rdf:li>" for word in words)
    return (
        f"\n   <dc:subject>\n    <rdf:{container}>{items}\n    </rdf:{container}>\n   </dc:subject>"
    )


def changed(data: bytes, change: Change) -> bytes:
    found = edit(data, change)
    assert found is not None
    return found


def test_new_packet_has_the_keywords_and_the_record() -> None:
    made = changed(b"", adding())
    found = read_keywords(made)
    assert made.startswith(b'<?xpacket begin="\xef\xbb\xbf" id="W5M0MpCehiHzreSzNTczkc9d"?>\n')
    assert b'x:xmptk="mnv2"' in made
    assert found.subjects == ("animal", "tiger cat")
    assert found.hierarchy == found.tags_list == ()
    assert found.ours == Ours(
        keywords=("animal", "tiger cat"), model="mobilenet_v2", score=0.8734, date=DATE
    )


def test_new_packet_with_hierarchy_has_all_three_lists() -> None:
    found = read_keywords(changed(b"", adding(hierarchy=True)))
    assert found.hierarchy == ("animal", "animal|tiger cat")
    assert found.tags_list == ("animal", "animal/tiger cat")
    assert found.ours and found.ours.hierarchy == found.hierarchy
    assert found.ours.tags_list == found.tags_list


def test_nothing_remains_of_a_packet_that_only_this_tool_made() -> None:
    made = changed(b"", adding(hierarchy=True))
    assert edit(made, REMOVE) is None
    assert edit(made, adding(Tags(()))) is None


@pytest.mark.parametrize("change", [REMOVE, adding(Tags(())), adding(Tags((" \n", "\x07")))])
def test_nothing_is_made_for_no_keywords(change: Change) -> None:
    assert edit(b"", change) == b""
    data = packet(subjects("cat"))
    assert edit(data, change) == data


def test_words_are_added_after_the_last_item_of_an_existing_list() -> None:
    data = packet(subjects("holiday", container="Seq"))
    made = changed(data, adding())
    assert (
        b"\n     <rdf:li>holiday</rdf:li>\n     <rdf:li>animal</rdf:li>"
        b"\n     <rdf:li>tiger cat</rdf:li>\n    </rdf:Seq>" in made
    )
    assert made.count(b"<dc:subject>") == 1
    assert edit(made, REMOVE) == data


@pytest.mark.parametrize("word", ["Tiger Cat", "TIGER CAT ", "tiger cat"])
def test_word_that_exists_already_is_neither_added_nor_removed(word: str) -> None:
    data = packet(subjects(word))
    made = changed(data, adding())
    found = read_keywords(made)
    assert found.subjects == (word.strip(), "animal")
    assert found.ours and found.ours.keywords == ("animal",)
    assert edit(made, REMOVE) == data


def test_word_that_exists_in_another_normal_form_is_not_added() -> None:
    data = packet(subjects("cafe\u0301"))
    made = changed(data, adding(Tags(("CAF\u00c9",), model="m")))
    assert read_keywords(made).subjects == ("cafe\u0301",)
    assert edit(made, REMOVE) == data


def test_refresh_with_the_same_tags_keeps_every_byte() -> None:
    for data in (b"", packet(), packet(subjects("holiday", "animal"))):
        made = changed(data, adding())
        later = Change(CAT, False, "2030-01-01T00:00:00+00:00")
        assert edit(made, later) == made


def test_refresh_replaces_ours_and_keeps_theirs() -> None:
    data = packet(subjects("holiday"))
    made = changed(changed(data, adding()), adding(DOG))
    found = read_keywords(made)
    assert found.subjects == ("holiday", "dog")
    assert found.ours and found.ours.model == "mine.keras"
    assert edit(made, REMOVE) == data


def test_refresh_of_a_new_packet_is_the_new_packet_of_the_other_tags() -> None:
    assert edit(changed(b"", adding(hierarchy=True)), adding(DOG)) == edit(b"", adding(DOG))


def test_same_word_that_a_person_adds_later_stays() -> None:
    made = changed(packet(subjects("holiday")), adding(DOG))
    edited = made.replace(b"</rdf:Bag>", b" <rdf:li>dog</rdf:li>\n    </rdf:Bag>", 1)
    assert read_keywords(edited).subjects == ("holiday", "dog", "dog")
    assert read_keywords(changed(edited, REMOVE)).subjects == ("holiday", "dog")
    refreshed = read_keywords(changed(edited, adding(CAT)))
    assert refreshed.subjects == ("holiday", "dog", "animal", "tiger cat")
    kept = read_keywords(changed(edited, adding(Tags(("dog", "cat"), model="m"))))
    assert kept.subjects == ("holiday", "dog", "cat")
    assert kept.ours and kept.ours.keywords == ("cat",)


def test_hierarchical_lists_that_exist_are_added_to_without_asking() -> None:
    lists = "\n   <lr:hierarchicalSubject/>\n   <digiKam:TagsList><rdf:Seq /></digiKam:TagsList>"
    data = packet(lists)
    made = changed(data, adding())
    found = read_keywords(made)
    assert found.hierarchy == ("animal", "animal|tiger cat")
    assert found.tags_list == ("animal", "animal/tiger cat")
    assert edit(made, REMOVE) == data


def test_separators_inside_of_words_become_hyphens() -> None:
    tags = Tags(("a|b/c",), (("a|b/c", "d/e"),), "m")
    found = read_keywords(changed(b"", adding(tags, hierarchy=True)))
    assert found.subjects == ("a|b/c",)
    assert found.hierarchy == ("a-b/c|d/e",)
    assert found.tags_list == ("a|b-c/d-e",)


def test_flat_tags_are_paths_of_one_name() -> None:
    found = read_keywords(changed(b"", adding(Tags(("x", "y"), model="m"), hierarchy=True)))
    assert found.hierarchy == found.tags_list == ("x", "y")


def test_control_characters_are_cleaned() -> None:
    tags = Tags(("a\x00b\x1b\ufffe", "line\r\nbreak", "\ud800x", "<&>\"'"), model="m\x01")
    found = read_keywords(changed(b"", adding(tags)))
    assert found.subjects == ("ab", "line break", "x", "<&>\"'")
    assert found.ours and found.ours.model == "m"


def test_words_added_to_iptc_are_recorded() -> None:
    made = changed(packet(), Change(CAT, iptc=("animal",), date=DATE))
    found = read_keywords(made)
    assert found.ours and found.ours.iptc == ("animal",)
    assert read_keywords(changed(made, adding())).ours != found.ours
    assert edit(made, REMOVE) == packet()


@pytest.mark.parametrize(
    ("properties", "reason"),
    [
        ("<dc:subject>cat, dog</dc:subject>", "its dc:subject is not a list"),
        ('<dc:subject rdf:resource="x"/>', "its dc:subject is not a list"),
    ],
)
def test_subject_that_is_not_a_list_is_refused(properties: str, reason: str) -> None:
    with pytest.raises(XmpError, match=reason):
        edit(packet(properties), adding())


def test_subject_that_is_an_attribute_is_read_and_refused() -> None:
    data = packet(attributes='rdf:about="" dc:subject="cat"')
    assert read_keywords(data).subjects == ("cat",)
    with pytest.raises(XmpError, match="an attribute instead of a list"):
        edit(data, adding())


def test_description_gets_the_about_of_the_others() -> None:
    data = packet(attributes='rdf:about="uuid:a&amp;b"')
    made = changed(data, adding())
    assert made.count(b'rdf:about="uuid:a&amp;b"') == 2
    assert edit(made, REMOVE) == data


def test_nothing_is_written_when_there_is_nothing_to_record() -> None:
    data = packet(subjects("Cat"))
    assert edit(data, Change(Tags(("cat",)))) == data


def test_record_without_words_marks_a_photo_that_has_all_of_them() -> None:
    data = packet(subjects("Dog"))
    made = changed(data, adding(DOG))
    assert read_keywords(made).ours == Ours(model="mine.keras", score=0.5, date=DATE)
    assert edit(made, adding(DOG)) == made
    assert edit(made, REMOVE) == data


def test_word_that_a_person_removed_comes_back_with_a_refresh_only() -> None:
    made = changed(packet(subjects("holiday")), adding())
    edited = made.replace(b"\n     <rdf:li>animal</rdf:li>", b"", 1)
    assert read_keywords(edited).subjects == ("holiday", "tiger cat")
    assert read_keywords(changed(edited, adding())).subjects == ("holiday", "animal", "tiger cat")
    assert edit(edited, REMOVE) == packet(subjects("holiday"))


@pytest.mark.parametrize("tail", ["<!-- mine -->", "<rdf:Description xmlns:q='urn:q' q:a='1'/>"])
def test_new_packet_with_something_of_others_remains(tail: str) -> None:
    made = changed(b"", adding()).replace(b"\n </rdf:RDF>", f"{tail}\n </rdf:RDF>".encode())
    removed = changed(made, REMOVE)
    assert tail.encode() in removed
    assert read_keywords(removed).ours is None


def test_words_that_a_person_adds_to_our_list_keep_it() -> None:
    made = changed(packet(), adding())
    edited = made.replace(
        b"<rdf:li>animal</rdf:li>", b"<rdf:li>typed</rdf:li><rdf:li>animal</rdf:li>", 1
    )
    removed = changed(edited, REMOVE)
    assert read_keywords(removed).subjects == ("typed",)
    assert b"mnv2" not in removed
    again = changed(removed, adding(DOG))
    assert edit(again, REMOVE) == removed


@pytest.mark.parametrize("encoding", ["ascii", "iso-8859-1", "windows-1252"])
def test_characters_that_the_encoding_lacks_become_references(encoding: str) -> None:
    text = packet(subjects("caf&#233;")).decode().partition("?>\n")[2]
    data = f'<?xml version="1.0" encoding="{encoding}"?>\n{text}'.encode(encoding)
    made = changed(data, adding(Tags(("\u732b", "\xfc"), model="m")))
    assert b"<rdf:li>&#29483;</rdf:li>" in made
    assert read_keywords(made).subjects == ("caf\xe9", "\u732b", "\xfc")
    assert edit(made, REMOVE) == data


def test_namespaces_that_are_not_addresses_are_kept() -> None:
    data = packet('<a:b xmlns:a="MicrosoftPhoto"/><c:d xmlns:c="x-y:z,1"/>')
    assert edit(changed(data, adding()), REMOVE) == data
