"""Lists of labels are read in three formats, and refused if a label cannot name a folder."""

from __future__ import annotations

from pathlib import Path

import pytest

from mnv2cli.errors import InputError
from mnv2cli.models.elsewhere.names_file import parse_names, read_names


@pytest.mark.parametrize(
    ("text", "expected", "numbered"),
    [
        ("cat\ndog\n", ["cat", "dog"], False),
        ("\ufeffcat\r\nhot dog\r\n\r\n", ["cat", "hot dog"], False),
        ("0 cat\n1 hot dog", ["cat", "hot dog"], True),
        ("0 cat\n2 dog", ["0 cat", "2 dog"], False),
        ("2 CV\n3 CV", ["2 CV", "3 CV"], False),
        ('["cat", " dog "]', ["cat", "dog"], False),
        ('{"1": "dog", "0": "cat"}', ["cat", "dog"], False),
        ('{"dog": 1, "cat": 0}', ["cat", "dog"], False),
        ("👩‍🌾\nÉté", ["👩‍🌾", "Été"], False),
    ],
)
def test_labels_are_read_from_lines_and_json(
    text: str, expected: list[str], numbered: bool
) -> None:
    labels, is_numbered = parse_names(text.encode(), "names.txt")
    assert [label.name for label in labels] == expected
    assert {label.wnid for label in labels} == {""} and is_numbered == numbered


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"cat\n../dog", "label 2 in names.txt, '../dog', contains a slash"),
        (b"cat\na\\b", "contains a slash"),
        (b"..", "contains '..': labels become names of folders"),
        (b".\ncat", "contains '..'"),
        (b"cat\nd\x1b[31mog", "contains a control character"),
        (b"cat\nd\x00og", "contains a control character"),
        ("cat\nd\u202eog".encode(), "or an invisible one"),
        (b"cat\n\ndog", "label 2 in names.txt, '', is empty"),
        (b"cat\ndog\nCat", "labels 1 and 3 in names.txt are the same: 'Cat'"),
        ("\u00e9\ne\u0301".encode(), "labels 1 and 2 in names.txt are the same"),
        (b"x" * 300, "is longer than 200 characters"),
        (b"\n \n", "contains no labels"),
        (b"[]", "contains no labels"),
        (b"\xff\xfec", "is not UTF-8 text"),
        (b"[1, 2]", "a label that is not text"),
        (b'{"0": "a", "2": "b"}', "does not number its labels from 0"),
        (b'{"a": 0, "b": 0}', "does not number its labels from 0"),
        (b'["a"', "is not valid JSON"),
        (b"[" * 100_000, "is not valid JSON"),
        (b"a" * (5 << 20), "far too large"),
    ],
)
def test_lists_that_cannot_be_used_are_refused_with_the_reason(
    content: bytes, message: str
) -> None:
    with pytest.raises(InputError) as caught:
        parse_names(content, "names.txt")
    assert message in caught.value.message and caught.value.hint


def test_imagenet_means_its_classes_unless_there_is_such_a_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    labels, _ = read_names("imagenet")
    assert len(labels) == 1000 and labels[0] == ("n01440764", "tench")
    Path("imagenet").write_text("cat\ndog")
    assert len(read_names("imagenet")[0]) == 2
    with pytest.raises(InputError, match="cannot read the labels in none"):
        read_names("none.txt")
