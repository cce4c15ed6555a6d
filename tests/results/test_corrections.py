"""Corrections of labels as people, pages and spreadsheets write them."""

from __future__ import annotations

import os
import sys
import unicodedata
from collections.abc import Iterable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mnv2cli.errors import InputError
from mnv2cli.results.corrections import (
    REVIEWS,
    Correction,
    matched,
    read_corrections,
    unmatched_text,
)
from mnv2cli.system.csvtext import csv_line

PLAIN = (
    "path,label,review\na.jpg,dog,corrected\nb ü.jpg,crane,confirmed\n"
    '"c,1.jpg",,wrong\nd.jpg,,rejected\n'
)
FOUR = [
    Correction("a.jpg", "dog", "corrected"),
    Correction("b ü.jpg", "crane", "confirmed"),
    Correction("c,1.jpg", "", "wrong"),
    Correction("d.jpg", "", "rejected"),
]


def text(corrections: Iterable[Correction]) -> str:
    """Return the CSV that a page exports."""
    rows = [(each.path, each.label, each.review) for each in corrections]
    return "".join(map(csv_line, [("path", "label", "review"), *rows]))


def read(tmp_path: Path, content: bytes | str) -> list[Correction]:
    path = tmp_path / "corrections.csv"
    path.write_bytes(
        content.encode("utf-8", "surrogateescape") if isinstance(content, str) else content
    )
    found = read_corrections(str(path))
    assert list(found) == [each.path for each in found.values()]
    return list(found.values())


def refused(tmp_path: Path, content: bytes | str) -> InputError:
    with pytest.raises(InputError) as caught:
        read(tmp_path, content)
    assert caught.value.hint and "\n" not in str(caught.value.message)
    return caught.value


def test_corrections_are_read(tmp_path: Path) -> None:
    assert read(tmp_path, PLAIN) == FOUR
    assert text(FOUR) == PLAIN
    assert read(tmp_path, "path,label,review\n") == []


@pytest.mark.parametrize(
    "content",
    [
        "\ufeff" + PLAIN,
        PLAIN.replace("\n", "\r\n"),
        PLAIN.replace("\n", "\r"),
        PLAIN.rstrip("\n"),
        PLAIN.replace(",", ";").replace('"c;1.jpg"', "c,1.jpg"),
        PLAIN.replace(",", "\t").replace('"c\t1.jpg"', "c,1.jpg"),
        PLAIN.replace("path,label,review", '"path","label","review"'),
        PLAIN.replace("path,label,review", " Path , LABEL,Review"),
        PLAIN.replace("confirmed", " Confirmed "),
        PLAIN.replace("crane", '" crane "'),
        PLAIN + ",,\n\n" + "path,label,review\n" + "a.jpg,dog,corrected\n",
        "\n".join(f"x,{line}" if i else f"note,{line}" for i, line in enumerate(PLAIN.split("\n"))),
        "review;notes;label;path\n;x;dog;a.jpg\nconfirmed;;crane;b ü.jpg\nwrong;;;c,1.jpg\n"
        "rejected;;;d.jpg\n",
    ],
)  # fmt: skip
def test_corrections_saved_by_a_spreadsheet_are_read(tmp_path: Path, content: str) -> None:
    content = content.removesuffix("x,")
    assert read(tmp_path, content) == FOUR


def test_every_row_is_corrected_without_a_column_review(tmp_path: Path) -> None:
    rows = read(tmp_path, "label,path\ndog,a.jpg\ncat,b.jpg\n")
    assert [(each.label, each.review) for each in rows] == [
        ("dog", "corrected"),
        ("cat", "corrected"),
    ]


def test_paths_that_are_not_utf_8_are_kept(tmp_path: Path) -> None:
    (found,) = read(tmp_path, b"path,label\n\xff\xe9.jpg,dog\n")
    assert os.fsencode(found.path) == b"\xff\xe9.jpg" if sys.platform != "win32" else found.path


def test_cells_escaped_for_spreadsheets_are_restored_below_a_quoted_header(tmp_path: Path) -> None:
    quoted = '"path","label","review"\n"\'=a.jpg","\'@dog","corrected"\n'
    assert read(tmp_path, quoted) == [Correction("=a.jpg", "@dog", "corrected")]
    assert read(tmp_path, quoted.replace(",", ";")) == [Correction("=a.jpg", "@dog", "corrected")]
    plain = "path,label,review\n'=a.jpg,'@dog,corrected\n"
    found = read(tmp_path, plain)
    assert found == [Correction("'=a.jpg", "'@dog", "corrected")]
    corrections = {each.path: each for each in found}
    assert matched(corrections, ["=a.jpg"])[0] == {"=a.jpg": found[0]}
    assert list(matched(corrections, ["=a.jpg", "'=a.jpg"])[0]) == ["=a.jpg", "'=a.jpg"]


@pytest.mark.parametrize(
    ("row", "message", "hint"),
    [
        ("a.jpg,dog,maybe", "line 3 of {} has the unknown review 'maybe'", "Write corrected, "),
        ("a.jpg,dog,corrected?", "has the unknown review 'corrected?'", "rejected."),
        ("a.jpg,,corrected", "line 3 of {} is corrected, but has no label", "Add it"),
        ("a.jpg, ,confirmed", "line 3 of {} is confirmed, but has no label", "Add it"),
        ("a.jpg,,", "line 3 of {} is corrected, but has no label", "Add it"),
        ("a.jpg,dog,wrong", "has the review 'wrong' and the label 'dog'", "Remove the label"),
        ("a.jpg,dog,rejected", "the review 'rejected' and the label 'dog'", "change the review"),
        (",dog,corrected", "line 3 of {} has no path", "Add it"),
        ("a.jpg", "line 3 of {} has too few cells", "path and a label"),
        ("a.jpg,d\0g,corrected", "line 3 of {} contains the character NUL", "UTF-8"),
        ("a\0.jpg,dog,corrected", "line 3 of {} contains the character NUL", "UTF-8"),
        ("a.jpg,\x1b[31mdog,corrected", r"a control character: '\x1b[31mdog'", "Remove"),
        ('a.jpg,"dog\ncat",corrected', r"line 4 of {} has a label with a control", "Remove"),
        ("a.jpg,a\u2028b,corrected", r"a control character: 'a\u2028b'", "Remove"),
        ("a.jpg,caf\udce9,corrected", r"is not UTF-8: 'caf\udce9'", "Save it as CSV in UTF-8"),
        ('a.jpg,"dog,corrected', "is not valid CSV: unexpected end of data, in line 3", "Close"),
        ('a.jpg,"dog"s,corrected', "is not valid CSV", "Close the quotes"),
        ("z.jpg,cat,corrected", "lines 2 and 3 of {} contradict each other: 'z.jpg' is corrected "
         "'dog' and corrected 'cat'", "Remove one"),
        ("./z.jpg,,rejected", "'./z.jpg' is corrected 'dog' and rejected", "Remove one"),
        ("a.jpg," + "x" * 300 + "\t,maybe", "has the unknown review 'maybe'", "Write"),
    ],
)  # fmt: skip
def test_nonsense_is_refused_with_its_line(
    tmp_path: Path, row: str, message: str, hint: str
) -> None:
    error = refused(tmp_path, f"path,label,review\nz.jpg,dog,corrected\n{row}\n")
    assert message.format(repr(str(tmp_path / "corrections.csv"))) in error.message
    assert hint in error.hint


@pytest.mark.parametrize(
    "content",
    [
        "",
        "path,review\na.jpg,wrong\n",
        "a.jpg,dog\n",
        PLAIN.encode("utf-16"),
        b"\x89PNG\r\n\x1a\n\0\0\0",
    ],
)
def test_other_files_are_refused(tmp_path: Path, content: bytes | str) -> None:
    message = refused(tmp_path, content).message
    assert "is not a file of corrections: it lacks the columns" in message


@pytest.mark.parametrize(
    ("name", "content"),
    [
        (
            "a.csv",
            "path,status,label_1,wnid_1,score_1,error,model\na.jpg,ok,tench,n01440764,0.9,,m\n",
        ),
        (
            "a.csv",
            "path,status,rank,label,wnid,score,error,model\na.jpg,ok,1,tench,n01440764,0.9,,m\n",
        ),
        ("a.csv", '"path","status","label_1","wnid_1","score_1","error","model"\n'),
        ("a.jsonl", '{"path": "a.jpg", "status": "ok"}\n'),
    ],
)
def test_results_in_place_of_corrections_are_named_as_such(
    tmp_path: Path, name: str, content: str
) -> None:
    path = tmp_path / name
    path.write_text(content)
    with pytest.raises(InputError, match=f"{name}' has results, not corrections") as caught:
        read_corrections(str(path))
    assert "exports" in caught.value.hint


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot read the corrections"):
        read_corrections(str(tmp_path / "missing.csv"))


HOSTILE = ["../../x", "con", "a/b", "C:\\x", "x" * 300, "trailing. .", "<script>", "</script>",
           "javascript:alert(1)", '"><img src=x onerror=alert(1)>', "=cmd|' /C calc'!A0", "'quoted",
           ".hidden", "..", ".", "a,b;c", "emoji \U0001f431\u200d\U0001f5a4"]  # fmt: skip


def test_hostile_labels_are_data(tmp_path: Path) -> None:
    given = [Correction(f"{i}.jpg", label, "corrected") for i, label in enumerate(HOSTILE)]
    assert read(tmp_path, text(given)) == given


special = st.sampled_from(
    ["\n", "\r", "\r\n", '"', ",", ";", "'", "=", "\t", "\x1b", " ", "\ufeff", "\u2028", "\udcff",
     "../", "path", "label", "a"]
)  # fmt: skip
texts = st.one_of(
    st.text(max_size=8),
    st.binary(max_size=8).map(lambda data: data.decode("utf-8", "surrogateescape")),
    st.lists(special, max_size=6).map("".join),
)
paths = texts.map(
    lambda text: text.encode("utf-8", "surrogatepass").decode("utf-8", "surrogateescape")
).filter(lambda text: text and "\0" not in text)


def _is_label(text: str) -> bool:
    kinds = {unicodedata.category(char) for char in text}
    return bool(text) and not kinds & {"Cc", "Cs", "Zl", "Zp"}


labels = texts.map(str.strip).filter(_is_label)
corrections = st.one_of(
    st.builds(Correction, paths, labels, st.sampled_from(REVIEWS[:2])),
    st.builds(Correction, paths, st.just(""), st.sampled_from(REVIEWS[2:])),
)


@settings(max_examples=200, deadline=None)
@given(given_=st.lists(corrections, max_size=6, unique_by=lambda each: os.path.normpath(each.path)))
def test_any_corrections_are_read_back_as_written(
    tmp_path_factory: pytest.TempPathFactory, given_: list[Correction]
) -> None:
    path = tmp_path_factory.getbasetemp() / "any.csv"
    path.write_bytes(text(given_).encode("utf-8", "surrogateescape"))
    assert list(read_corrections(str(path)).values()) == given_


def test_corrections_are_matched_after_normalising_paths() -> None:
    one, two, three = (
        Correction(path, "dog", "corrected") for path in ("./a.jpg", "b.jpg", "x//c")
    )
    corrections = {each.path: each for each in (one, two, three)}
    found, unmatched = matched(corrections, ["a.jpg", "b.jpg", "./b.jpg", "d.jpg"])
    assert found == {"a.jpg": one, "b.jpg": two, "./b.jpg": two}
    assert unmatched == ["x//c"]
    assert unmatched_text(unmatched) == (
        "1 correction does not belong to a photo in the results, such as 'x//c'"
    )
    assert unmatched_text(["p", "q"]).startswith("2 corrections do not belong to photos in the")
    assert unmatched_text([]) == ""
    assert matched({}, ["a.jpg"]) == ({}, [])


def test_corrections_of_other_results_are_refused() -> None:
    corrections = {"z.jpg": Correction("z.jpg", "", "wrong")}
    for paths_ in ([], ["a.jpg"], ["Z.jpg", "sub/z.jpg"]):
        with pytest.raises(InputError) as caught:
            matched(corrections, paths_)
        assert caught.value.message == (
            "not one photo in the results belongs to the 1 correction, such as that of 'z.jpg'"
        )
