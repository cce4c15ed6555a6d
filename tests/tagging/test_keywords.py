"""Which keywords a record gives."""

from __future__ import annotations

from typing import Any

import pytest

from mnv2cli.errors import InputError
from mnv2cli.labels.categories import Categories, Category
from mnv2cli.records import CategoryScore, Prediction, Record
from mnv2cli.tagging.keywords import lacks_category, tags_of
from mnv2cli.tagging.options import TagLists, TagOptions
from mnv2cli.tagging.tags import Tags

TABBY, TIGER, SCREEN = "n02123045", "n02123159", "n04589890"
EGYPTIAN = "n02124075"
NET = "mobilenet_v2_1.0_224"


def cat(*labels: tuple[str, str, float], score: float = 0.9, name: str = "cat") -> Record:
    predictions = tuple(Prediction(*label) for label in labels)
    return Record("a.jpg", predictions, "", NET, CategoryScore(name, score, 0.5))


TWO = cat((TABBY, "tabby", 0.5), (TIGER, "tiger cat", 0.4), (EGYPTIAN, "Egyptian cat", 0.1))


def tags(record: Record, **options: Any) -> Tags:
    found, why, _ = tags_of(record, TagOptions(**options))
    assert found is not None, why
    return found


def refusal(record: Record, **options: Any) -> str:
    found, why, _ = tags_of(record, TagOptions(**options))
    assert found is None
    return why


def lists(**of: Any) -> dict[str, Any]:
    return {"lists": TagLists(**of)}


def test_the_category_comes_before_the_labels_that_score_enough() -> None:
    paths = (("cat", "tabby"), ("cat", "tiger cat"))
    assert tags(TWO) == Tags(("cat", "tabby", "tiger cat"), paths, NET, 0.5)
    assert tags(TWO, what="label") == Tags(
        ("tabby", "tiger cat"), (("tabby",), ("tiger cat",)), NET, 0.5
    )
    assert tags(TWO, what="category") == Tags(("cat",), (("cat",),), NET, 0.9)
    assert tags(TWO, threshold=0.05).keywords == ("cat", "tabby", "tiger cat", "Egyptian cat")
    assert tags(TWO, threshold=0.6).paths == (("cat",),)
    assert tags(TWO, max_tags=2).keywords == ("cat", "tabby")
    assert tags(TWO, max_tags=1) == Tags(("cat",), (("cat",),), NET, 0.9)


def test_a_label_of_another_category_is_not_below_the_category() -> None:
    record = cat((TABBY, "tabby", 0.5), (SCREEN, "window screen", 0.35))
    assert tags(record).paths == (("cat", "tabby"), ("window screen",))
    only = cat((SCREEN, "window screen", 0.4), (TABBY, "tabby", 0.29))
    assert tags(only).keywords == ("cat", "window screen")
    assert tags(only).paths == (("cat",), ("window screen",))


def test_of_categories_that_are_not_known_the_best_label_is_below() -> None:
    record = cat((TABBY, "tabby", 0.5), (SCREEN, "window screen", 0.35), name="pets")
    assert tags(record).paths == (("pets", "tabby"), ("window screen",))
    of_mine = Categories([Category("pets", "pets", ["n00001740"])])
    both = (("pets", "tabby"), ("pets", "window screen"))
    assert tags(record, categories=of_mine).paths == both


def test_the_lists_choose_and_rename() -> None:
    assert tags(TWO, **lists(allow=["CAT"])).keywords == ("cat",)
    assert tags(TWO, **lists(block=["Tabby"])).keywords == ("cat", "tiger cat")
    assert tags(TWO, max_tags=2, **lists(block=["tabby"])).keywords == ("cat", "tiger cat")
    without = tags(TWO, **lists(block=["cat"]))
    assert without.keywords == ("tabby", "tiger cat")
    assert without.paths == (("tabby",), ("tiger cat",))
    same = {"tabby": "Cat", "tiger CAT": "moggy"}
    renamed = tags(TWO, **lists(rename=same))
    assert renamed.keywords == ("cat", "moggy")
    assert renamed.paths == (("cat", "moggy"),)
    joined = tags(TWO, what="label", **lists(rename={"tabby": "moggy", "tiger cat": "Moggy"}))
    assert (joined.keywords, joined.paths) == (("moggy",), (("moggy",),))
    # The old name is what is allowed or blocked.
    assert tags(TWO, **lists(block=["moggy"], rename=same)).keywords == ("cat", "moggy")


def test_the_prefix_is_before_keywords_and_above_paths() -> None:
    found = tags(TWO, max_tags=2, prefix="auto/ai/")
    assert found.keywords == ("auto/ai/cat", "auto/ai/tabby")
    assert found.paths == (("auto", "ai", "cat", "tabby"),)


def test_classes_of_the_user_have_their_own_thresholds() -> None:
    record = Record("a.jpg", (Prediction("", "Anna", 0.6), Prediction("", "Ben", 0.4)), "", "mine")
    assert tags(record) == Tags(("Anna",), (("Anna",),), "mine", 0.6)
    assert tags(record, thresholds={"Ben": 0.35}).keywords == ("Anna", "Ben")
    assert refusal(record, thresholds={"Anna": 0.7}) == "no label scores 0.7"
    assert tags(record, threshold=0.1).keywords == ("Anna", "Ben")
    assert not lacks_category(record, TagOptions())


def test_photos_unlike_all_classes_get_no_keywords() -> None:
    record = Record("a.jpg", (Prediction("", "unknown", 0.7), Prediction("", "Ben", 0.6)))
    assert refusal(record) == "it is unlike all classes of the model"
    second = Record("a.jpg", (Prediction("", "Ben", 0.5), Prediction("", "unknown", 0.5)))
    assert tags(second).keywords == ("Ben",)


def test_the_reason_names_the_threshold() -> None:
    low = cat((TABBY, "tabby", 0.2), score=0.4)
    assert refusal(low) == "no label scores 0.3, and no category 0.5"
    assert refusal(low, what="label") == "no label scores 0.3"
    assert refusal(low, what="category") == "no category scores 0.5"
    assert refusal(low, threshold=0.7) == "no label scores 0.7"
    assert refusal(Record("a.jpg")) == "it has no labels"
    assert refusal(Record("a.jpg"), what="category") == "it has no category"
    assert refusal(Record("a.jpg", error="empty file")) == "empty file"
    assert refusal(TWO, **lists(allow=["dog"])) == "the lists of keywords exclude 'cat'"


def test_results_without_categories_are_noted() -> None:
    record = Record("a.jpg", (Prediction(TABBY, "tabby", 0.5),))
    assert tags(record).keywords == ("tabby",)
    assert lacks_category(record, TagOptions())
    assert not lacks_category(record, TagOptions(what="label"))
    assert not lacks_category(TWO, TagOptions())


def test_words_have_no_line_ends() -> None:
    record = Record("a.jpg", (Prediction("", " two\nlines\0 ", 0.9),))
    assert tags(record).keywords == ("two lines",)


@pytest.mark.parametrize(
    "options",
    [{"what": "all"}, {"threshold": 1.5}, {"max_tags": 0}, {"prefix": "a\nb"}, {"prefix": "a//b"}],
)
def test_options_out_of_range_are_refused(options: dict[str, Any]) -> None:
    with pytest.raises(InputError):
        TagOptions(**options)
