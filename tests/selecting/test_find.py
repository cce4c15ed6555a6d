"""Find photos by all scores, or by the labels of earlier results."""

from __future__ import annotations

from operator import attrgetter
from pathlib import Path

import numpy as np
import pytest

from mnv2cli import Classifier, FindOptions, LabelOptions, find
from mnv2cli.errors import InputError
from mnv2cli.labels.categories_file import builtin
from mnv2cli.labels.imagenet import imagenet_labels
from mnv2cli.records import Record
from mnv2cli.selecting.matches import Match, Named, Search
from mnv2cli.selecting.names import Names
from tests.conftest import FakeEngine, draw
from tests.reporting.results_files import labelled, write

NAMES = Names(imagenet_labels(), builtin())


@pytest.fixture(autouse=True)
def cache(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """An empty cache, for a network that has no weights here."""
    monkeypatch.setattr("mnv2cli.inference.feature_store.cache_key", lambda classifier: "fake")
    monkeypatch.setenv("MNV2_CACHE", str(tmp_path_factory.mktemp("cache")))


def names_of(matches: list[Match]) -> list[str]:
    return [Path(match.record.path).name for match in matches]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two fish, a bird, a photo that is a fish and a bird, and a damaged one."""
    draw(tmp_path / "p" / "tench.png", (0, 9, 0))
    draw(tmp_path / "p" / "shark.png", (2, 1, 0))
    draw(tmp_path / "p" / "brambling.png", (10, 200, 0))
    (tmp_path / "p" / "bad.jpg").write_text("text")
    return tmp_path / "p"


def test_scores_are_sums_over_all_classes_and_the_likeliest_is_first(
    folder: Path, fake_engine: FakeEngine
) -> None:
    classifier = Classifier(labels=LabelOptions(top=1))
    found = find("fish", folder, classifier=classifier)
    assert names_of(found) == ["shark.png", "tench.png"]
    assert [match.score for match in found] == pytest.approx([0.95, 0.9])  # two fish in one
    assert set(map(attrgetter("what"), found)) == {"fish"}
    assert len(found[0].record.predictions) == 5


def test_several_names_are_alternatives_and_the_best_counts(
    folder: Path, fake_engine: FakeEngine
) -> None:
    found = find(["bird", "node:fish"], folder)
    assert [(each.what, round(each.score, 2)) for each in found] == [
        ("fish", 0.95),
        ("bird", 0.9),  # equal ones in the order of their names
        ("fish", 0.9),
    ]
    low = FindOptions(min_score=0.01)
    assert names_of(find("bird", folder, options=low)) == ["brambling.png", "tench.png"]
    assert names_of(find("bird", folder, options=FindOptions(min_score=0.01, limit=1))) == [
        "brambling.png"
    ]


def test_a_second_search_predicts_nothing(folder: Path, fake_engine: FakeEngine) -> None:
    classifier = Classifier()
    first = find("fish", folder, classifier=classifier)
    batches = len(fake_engine.batches)
    assert find("fish", folder, classifier=Classifier()) == first
    assert find("bird", folder, classifier=classifier)
    assert len(fake_engine.batches) == batches
    find("bird", folder, options=FindOptions(cache=False))
    assert len(fake_engine.batches) > batches


def test_unsure_photos_are_those_that_sort_puts_into_unsure(
    tmp_path: Path, fake_engine: FakeEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    def predict(batch: np.ndarray) -> np.ndarray:
        scores = np.zeros((len(batch), 1000), np.float32)
        for i, red in enumerate(batch.mean(axis=(1, 2)).round().astype(int)[:, 0]):
            scores[i, [0, 7]] = red / 100, (100 - red) / 200
        return scores

    monkeypatch.setattr(fake_engine, "predict", predict)
    for red in (40, 49, 60):
        draw(tmp_path / f"{red}.png", (red, 0, 0))
    options = FindOptions(unsure=True, cache=False)
    found = find((), tmp_path, options=options)
    assert names_of(found) == ["40.png", "49.png"]  # the least sure first
    assert list(map(attrgetter("what"), found)) == ["fish", "fish"]
    by_label = FindOptions(unsure=True, by="label", min_score=0.45, cache=False)
    assert names_of(find((), tmp_path, options=by_label)) == ["40.png"]


@pytest.mark.parametrize("format", ["csv", "jsonl"])
def test_results_are_searched_without_reading_a_photo(tmp_path: Path, format: str) -> None:
    results = write(
        tmp_path / f"r.{format}",
        [
            labelled("a/1.jpg", ("tabby", 0.6), ("espresso", 0.3), category=("cat", 0.7)),
            labelled("a/2.jpg", ("tabby", 0.35), ("espresso", 0.2), category=("cat", 0.9)),
            labelled("b/3.jpg", ("espresso", 0.8), ("tabby", 0.1), category=("drink", 0.9)),
            Record("b/4.jpg", error="truncated", model="m"),
        ],
    )
    assert names_of(find("cat", results=results)) == ["2.jpg", "1.jpg"]  # the category's score
    assert names_of(find("tabby", results=results)) == ["1.jpg", "2.jpg"]
    assert names_of(find("node:domestic_cat", results=results)) == ["1.jpg"]  # the sum
    assert names_of(find("espresso", "b", results=results)) == ["3.jpg"]
    unsure = FindOptions(unsure=True, min_score=0.8)
    assert names_of(find((), results=results, options=unsure)) == ["1.jpg"]


@pytest.mark.parametrize(
    ("given", "found"),
    [
        ("p/*", "1.jpg [2].png 3.jpg"),
        ("p/*.jpg", "1.jpg"),
        ("p/*/", "3.jpg"),
        ("p/**/*.jpg", "1.jpg 3.jpg"),
        ("*/q", "3.jpg"),
        ("./p/../o/?.jpg", "4.jpg"),
        ("p/[2].png", "[2].png"),
        ("*.jpg", ""),
    ],
)
def test_wildcards_choose_rows_of_results_as_they_choose_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, given: str, found: str
) -> None:
    here = tmp_path / "[a]"  # is not a pattern
    here.mkdir()
    monkeypatch.chdir(here)
    paths = ("p/1.jpg", "p/[2].png", "p/q/3.jpg", "o/4.jpg")
    results = write(here / "r.csv", [labelled(path, ("tabby", 0.9)) for path in paths])
    assert names_of(find("tabby", given, results=results)) == found.split()


def test_categories_and_classes_that_only_results_have_can_be_found(tmp_path: Path) -> None:
    pets = write(tmp_path / "pets.csv", [labelled("1.jpg", ("tabby", 0.4), category=("Pets", 0.7))])
    assert names_of(find("pets", results=pets)) == ["1.jpg"]
    with pytest.raises(InputError, match="'rex' is not"):
        find("rex", results=pets)


def test_a_category_that_is_not_the_best_scores_at_most_the_next(tmp_path: Path) -> None:
    record = labelled("1.jpg", ("tabby", 0.5), ("tench", 0.4), category=("My cats", 0.5))
    judge = Named([NAMES.meanings("fish")[0]], 0.1)
    match, _ = judge.of_record(record)
    assert record.category is not None
    assert match.score <= round(record.category.score - record.category.margin, 7)


def test_a_limit_keeps_the_best_of_many() -> None:
    judge = Named([NAMES.meanings("tabby")[0]], 0.0)
    search = Search(judge, limit=2)
    records = [labelled(f"{i}.jpg", ("tabby", i / 9999)) for i in range(5000)]
    assert sum(1 for _ in search.of_records(records)) == 5000
    assert names_of(search.matches()) == ["4999.jpg", "4998.jpg"]
    assert (search.number, search.searched) == (5000, 5000)


@pytest.mark.parametrize("what", ["", []])
def test_a_search_without_names_is_an_error(what: str | list[str]) -> None:
    with pytest.raises(InputError, match="name what to find"):
        find(what, "photos")


def test_options_out_of_range_are_errors() -> None:
    for bad in ({"min_score": 1.5}, {"limit": 0}, {"by": "label"}):
        with pytest.raises(InputError):
            FindOptions(**bad)  # type: ignore[arg-type]
