"""Which folder a photo belongs in, if any."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from mnv2cli.errors import InputError
from mnv2cli.records import CategoryScore, Prediction, Record
from mnv2cli.sorting.options import FolderOptions
from mnv2cli.sorting.placement import FolderChooser
from tests.sorting.trees import categorised, record


def place(
    template: str, found: Record, taken: Callable[[str], str] = lambda path: "", **options: Any
) -> str:
    return FolderChooser(FolderOptions(template, **options), taken).choose(found).folder


def test_the_fields_of_templates_are_replaced() -> None:
    found = record("a.jpg", "tench", 0.87, model="net", category=CategoryScore("fish", 0.9, 0.5))
    assert place("{label}", found) == "tench"
    assert place("{category}/{label}", found) == "fish/tench"
    assert place("{wnid} {model}", found) == "n01440764 net"
    assert place("by {score:.1f}", found) == "by 0.9"
    taken = place("{year}/{month}", found, taken=lambda path: "2024:05:06 07:08:09")
    assert taken == "2024/05"
    assert place("{year}/{label}", found) == "undated/tench"
    evil = record("a.jpg", "../../evil")
    assert place("{label}", evil) == "_._.._evil"
    for wnid in ("n02012849", "n03126707"):
        crane = Record("a.jpg", (Prediction(wnid, "crane", 0.9),))
        assert place("{label}", crane) == f"crane ({wnid})"


def test_errors_offer_the_fields_that_results_have() -> None:
    results = FolderChooser(FolderOptions("{category}"), origin="labels.csv")
    with pytest.raises(InputError) as caught:
        results.choose(record("a.jpg"))
    assert caught.value.message == (
        "labels.csv has no categories: use --by label, or classify again with --category"
    )
    node = Prediction("n02084071", "dog", 0.9)
    with pytest.raises(InputError) as caught:
        results.choose(record("a.jpg", node=node))
    assert "use --by label or --template '{node}', or" in caught.value.message
    with pytest.raises(InputError) as caught:
        place("{node}", categorised("a.jpg", "dog"))
    assert caught.value.message == (
        "the file of results has no nodes: use --by category or --by label, or classify again "
        "with --rollup P"
    )
    with pytest.raises(InputError, match="has no nodes"):
        place("{category}/{node}", categorised("a.jpg", "dog"))
    with pytest.raises(InputError, match="has no categories: classify again"):
        results.choose(Record("a.jpg"))
    with pytest.raises(InputError, match="cannot be combined with --rollup"):
        FolderOptions("{node}", min_margin=0.1)


def test_the_decisive_score_is_that_of_the_folder() -> None:
    found = categorised("a.jpg", "dog", 0.6)
    assert place("{category}", found, threshold=0.7) == "unsure"
    assert place("{label}", found, threshold=0.7) == "tench"
    pair = (Prediction("n1", "a", 0.5), Prediction("n2", "b", 0.45))
    assert place("{label}", Record("a.jpg", pair), min_margin=0.1) == "unsure"
    assert place("{label}", Record("a.jpg", ()), min_margin=0.1) == "unsure"


@pytest.mark.parametrize(
    ("template", "lowest"),
    [
        ("{category}", 0.5),
        ("{category}/{label}", 0.5),
        ("{label}", 0.3),
        ("{year}/{wnid}", 0.3),
        ("{node}", 0.0),
        ("{year}/{month}", 0.0),
        ("by {score:.1f}", 0.0),
    ],
)
def test_the_default_threshold_is_that_of_the_decisive_score(template: str, lowest: float) -> None:
    options = FolderOptions(template)
    assert options.threshold is None and options.lowest == lowest
    assert [FolderOptions(template, t).lowest for t in (0.0, 0.9)] == [0.0, 0.9]


def test_photos_with_a_low_score_are_unsure_by_default() -> None:
    for score, folder in ((0.5, "dog"), (0.49, "unsure")):
        assert place("{category}", categorised("a.jpg", "dog", score)) == folder
    for score, folder in ((0.3, "tench"), (0.29, "unsure")):
        assert place("{label}", record("a.jpg", score=score)) == folder
    low = categorised("a.jpg", "dog", 0.01, 0.0)
    assert place("{category}", low, threshold=0.0) == "dog"
    assert place("{label}", record("a.jpg", score=0.01), threshold=0.0) == "tench"
    assert place("{year}", record("a.jpg", score=0.01)) == "undated"
    chosen = FolderChooser(FolderOptions()).choose(low)
    assert (chosen.folder, chosen.reason) == ("unsure", "score 0.01 is below 0.5")


def test_leads_are_compared_without_rounding_errors() -> None:
    pair = (Prediction("n1", "a", 0.7), Prediction("n2", "b", 0.6))  # 0.7 - 0.6 < 0.1
    assert place("{label}", Record("a.jpg", pair), min_margin=0.1) == "a"
    assert place("{label}", Record("a.jpg", pair), min_margin=0.11) == "unsure"
    # With one score, the lead is at least that over the rest.
    assert place("{label}", record("a.jpg", score=0.8), min_margin=0.6) == "tench"
    assert place("{label}", record("a.jpg", score=0.8), min_margin=0.61) == "unsure"


def test_photos_of_an_ignored_category_go_to_other() -> None:
    ignored, none = categorised("a.jpg", "", 0.9), categorised("a.jpg", "", 0.0, 0.0)
    for template in ("{category}", "{year}/{category}"):
        assert place(template, ignored, threshold=0.95) == "other"
        assert place(template, none) == "unsure"
    assert FolderChooser(FolderOptions()).choose(ignored).reason == "its category is ignored"
