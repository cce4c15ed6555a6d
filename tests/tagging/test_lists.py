"""The lists of keywords in a file of categories."""

from __future__ import annotations

from pathlib import Path

import pytest

from mnv2cli.errors import InputError
from mnv2cli.labels.categories import Categories, Category
from mnv2cli.labels.categories_file import builtin_text, load
from mnv2cli.tagging.lists import load_lists, unknown_names
from mnv2cli.tagging.options import TagLists, TagOptions


def written(folder: Path, text: str) -> str:
    path = folder / "mine.toml"
    path.write_text(text, encoding="utf-8")
    return str(path)


def test_the_section_is_beside_categories(tmp_path: Path) -> None:
    path = written(
        tmp_path,
        '[dog]\nname = "Dogs"\n[tags]\nallow = ["Dogs", "Pug"]\nblock = ["cat"]\n'
        'rename = { "Egyptian cat" = "moggy" }\n',
    )
    expected = TagLists(["dogs", "pug"], ["CAT"], {"egyptian CAT": "moggy"})
    assert load_lists(path) == expected
    assert {"Dogs", "cat"} <= {category.name for category in load(path).all}
    assert "tags" not in {category.name for category in load(path).all}


def test_a_category_may_be_named_tags(tmp_path: Path) -> None:
    path = written(tmp_path, '[tags]\nnodes = ["banjo"]\n')
    assert load_lists(path) == TagLists()
    assert "tags" in {category.name for category in load(path).all}


def test_a_file_without_the_section_has_empty_lists(tmp_path: Path) -> None:
    assert load_lists(written(tmp_path, builtin_text())) == TagLists()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('[tags]\nalow = ["cat"]', "unknown key 'alow'; did you mean 'allow'?"),
        ("[tags]\nzzz = 1", "unknown key 'zzz'; use allow, block, rename"),
        ('[tags]\nallow = "cat"', "a value of the wrong type for 'allow'"),
        ('[tags]\nrename = ["cat"]', "a value of the wrong type for 'rename'"),
        ("[tags]\nblock = [1]", "1 in 'block', which is not a text"),
        ('[tags]\nrename = { cat = "" }', "an empty name in 'rename'"),
        ('[tags]\nblock = ["a\\nb"]', "with control characters"),
        ("[tags]\nallow = []", "allows nothing"),
        ('[tags]\nallow = ["Cat"]\nblock = ["cat"]', "both allows and blocks 'cat'"),
        ('[tags.rename]\nCat = "a"\ncat = "b"', "renames a name twice"),
        ("tags = 1", "'tags' is not a section"),
        ("[tags", "not valid TOML"),
    ],
)
def test_a_wrong_section_is_refused_in_one_line(tmp_path: Path, text: str, expected: str) -> None:
    path = written(tmp_path, text)
    with pytest.raises(InputError) as caught:
        load_lists(path)
    assert expected in caught.value.message
    assert path in caught.value.message
    assert "\n" not in caught.value.message


def test_names_that_no_keyword_can_have_are_found() -> None:
    lists = TagLists(allow=["Kitchn", "BATH"], rename={"bath": "Bad"})
    (text,) = unknown_names(TagOptions(lists=lists), ["Kitchen", "bath"])
    assert text == "[tags] has 'kitchn', which is not a class of the model; did you mean 'Kitchen'?"
    mine = Categories([Category("pets", "pets", ["n00001740"])])
    lists = TagLists(block=["pets", "cat", "crane (n02012849)", "tabby"])
    assert list(unknown_names(TagOptions(lists=lists, categories=mine))) == []
