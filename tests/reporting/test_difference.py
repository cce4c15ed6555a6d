"""The difference of two runs."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from mnv2cli.errors import InputError
from mnv2cli.records import Prediction, Record
from mnv2cli.reporting.compare import compare, with_before
from mnv2cli.reporting.content import Entry
from mnv2cli.reporting.difference import Change, ClassChange, LabelChange, Pair, ScoreChange
from mnv2cli.reporting.difference_panel import difference_panel
from tests.reporting.results_files import labelled, write, write_features

BEFORE = (
    labelled("p/same.jpg", ("tabby", 0.5), category=("cat", 0.6)),
    labelled("p/label.jpg", ("tabby", 0.6), category=("cat", 0.6)),
    labelled("p/both.jpg", ("tabby", 0.9), category=("cat", 0.9)),
    labelled("p/lost.jpg", ("espresso", 0.7), category=("drink", 0.7)),
    Record("p/found.jpg", error="truncated: 1 of 2 rows"),
    Record("p/never.jpg", error="not an image"),
    labelled("p/gone.jpg", ("espresso", 0.4), category=("drink", 0.4)),
)
AFTER = (
    labelled("p/new.jpg", ("sports car", 0.8), category=("car", 0.8)),
    Record("p/never.jpg", error="not an image"),
    labelled("p/found.jpg", ("tabby", 0.3), category=("cat", 0.3)),
    Record("p/lost.jpg", error="file not found"),
    labelled("p/both.jpg", ("golden retriever", 0.8), category=("dog", 0.8)),
    labelled("p/label.jpg", ("Persian cat", 0.7), category=("cat", 0.7)),
    labelled("p/same.jpg", ("tabby", 0.75), category=("cat", 0.8)),
)


@pytest.fixture
def files(tmp_path: Path) -> tuple[str, str]:
    """The files of the later and of the earlier run, in two formats."""
    return write(tmp_path / "new.jsonl", AFTER), write(tmp_path / "old.csv", BEFORE)


def test_images_are_joined_by_path_and_counted(files: tuple[str, str]) -> None:
    difference = compare(*files)
    assert (difference.images_before, difference.images_after, difference.both) == (7, 7, 6)
    assert (difference.only_before, difference.only_after) == (1, 1)
    assert (difference.now_readable, difference.now_unreadable) == (1, 1)
    assert (difference.compared, difference.same_label, difference.unchanged) == (3, 1, 2)
    assert difference.agreement == pytest.approx(1 / 3)
    assert (difference.label_changed, difference.category_changed) == (2, 1)
    assert difference.mean_before == pytest.approx(2 / 3)
    assert difference.mean_after == pytest.approx(0.75)
    assert set(difference.pairs) == {
        Pair("tabby", "golden retriever", 1), Pair("tabby", "Persian cat", 1),
    }  # fmt: skip
    assert difference.category_pairs == (Pair("cat", "dog", 1),)
    assert difference.classes == (
        ClassChange("tabby", 3, 1, 0, 2),
        ClassChange("Persian cat", 0, 1, 1, 0),
        ClassChange("golden retriever", 0, 1, 1, 0),
    )
    assert difference.most_changed_scores == (ScoreChange("p/same.jpg", "tabby", 0.5, 0.75),)
    assert difference.most_changed_labels == (
        LabelChange("p/both.jpg", "tabby", 0.9, "golden retriever", 0.8),
        LabelChange("p/label.jpg", "tabby", 0.6, "Persian cat", 0.7),
    )


def test_each_change_of_an_image_is_listed(files: tuple[str, str]) -> None:
    assert list(compare(*files).changes()) == [
        Change("p/new.jpg", "only_after", "", None, "sports car", 0.8),
        Change("p/found.jpg", "readable", "truncated", None, "tabby", 0.3),
        Change("p/lost.jpg", "unreadable", "espresso", 0.7, "file not found", None),
        Change("p/both.jpg", "label", "tabby", 0.9, "golden retriever", 0.8),
        Change("p/both.jpg", "category", "cat", 0.9, "dog", 0.8),
        Change("p/label.jpg", "label", "tabby", 0.6, "Persian cat", 0.7),
        Change("p/gone.jpg", "only_before", "espresso", 0.4, "", None),
    ]


def test_relative_and_absolute_paths_are_the_same_image(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    tabby = ("tabby", 0.9)
    url, other_url = "https://host/a/../b.jpg", "https://host/b.jpg"
    old = write(tmp_path / "o.csv", [labelled("./p/../p/1.jpg", tabby), labelled(url, tabby)])
    absolute = f"{tmp_path}/p/1.jpg"
    new = write(tmp_path / "n.csv", [labelled(absolute, tabby), labelled(other_url, tabby)])
    difference = compare(new, old)
    assert (difference.both, difference.only_before, difference.only_after) == (1, 1, 1)
    given = [Entry(labelled("p/1.jpg", tabby)), Entry(labelled("x", tabby), note="kept")]
    entry, other = with_before(given, old)
    assert entry.before is not None and entry.before.predictions[0].score == 0.9
    assert (other.before, other.note) == (None, "kept")


def test_the_last_row_of_a_repeated_path_counts(tmp_path: Path) -> None:
    old = write(tmp_path / "old.csv", [labelled("1.jpg", ("tabby", 0.9)),
                                       labelled("./1.jpg", ("espresso", 0.8))])  # fmt: skip
    new = write(tmp_path / "new.csv", [labelled("1.jpg", ("espresso", 0.8))])
    difference = compare(new, old)
    assert (difference.images_before, difference.repeated_before) == (1, 1)
    assert (difference.both, difference.agreement) == (1, 1.0)
    (entry,) = with_before([Entry(labelled("1.jpg", ("espresso", 0.8)))], old)
    assert entry.before is not None and entry.before.predictions[0].label == "espresso"


def test_a_class_is_known_by_its_wordnet_id_or_else_by_its_name(tmp_path: Path) -> None:
    def record(path: str, wnid: str, label: str) -> Record:
        return Record(path, (Prediction(wnid, label, 0.9),))

    old = [record("1", "n1", "tabby"), record("2", "n2", "crane"), record("3", "n4", "old name")]
    new = [record("1", "", "tabby"), record("2", "n3", "crane"), record("3", "n4", "new name")]
    difference = compare(write(tmp_path / "n.csv", new), write(tmp_path / "o.csv", old))
    assert difference.pairs == (Pair("crane (n2)", "crane (n3)", 1),)
    assert difference.same_label == 2


def test_an_image_without_label_differs_from_one_with_a_label(tmp_path: Path) -> None:
    old = write(tmp_path / "o.csv", [labelled("1", ("tabby", 0.9)), labelled("2")])
    new = write(tmp_path / "n.csv", [labelled("1"), labelled("2")])
    difference = compare(new, old)
    assert difference.pairs == (Pair("tabby", "", 1),)
    assert (difference.most_changed_labels, difference.category_changed) == ((), None)
    assert difference.as_object()["mean_after"] is None


def test_files_without_a_common_image_or_labels_are_refused(tmp_path: Path) -> None:
    one = write(tmp_path / "1.csv", [labelled("a.jpg", ("tabby", 0.9))])
    other = write(tmp_path / "2.csv", [labelled("b.jpg", ("tabby", 0.9))])
    with pytest.raises(InputError, match=r"no image of .*1\.csv.* such as 'a\.jpg' and 'b\.jpg'"):
        compare(one, other)
    features = write_features(tmp_path / "f.npz", [Record("a.jpg")])
    with pytest.raises(InputError, match="it has features, not labels"):
        compare(one, features)


def test_the_panel_shows_the_figures_and_escapes_names(tmp_path: Path) -> None:
    hostile = "<img src=x onerror=alert(1)>"
    old = write(tmp_path / "o.csv", [labelled(f"{hostile}\udce9.jpg", (hostile, 0.9))])
    new = write(tmp_path / "n.csv", [labelled(f"{hostile}\udce9.jpg", ("tabby", 0.8))])
    panel = difference_panel(compare(new, old))
    assert panel.title == "Differences"
    assert "<img" not in panel.html and "&lt;img src=x" in panel.html
    assert "style=" not in panel.html and "\ufffd.jpg" in panel.html
    assert "<b>0.0\u00a0%</b> of 1 photo have" in panel.html
    assert '<td class="n">90.0\u00a0%</td>' in panel.html
    panel.html.encode()


def test_the_panel_rounds_no_share_to_all_or_nothing(files: tuple[str, str]) -> None:
    difference = compare(*files)
    for agreement, shown in ((1e-6, "0.1"), (1 - 1e-6, "99.9")):
        panel = difference_panel(replace(difference, agreement=agreement))
        assert f"<b>{shown}\u00a0%</b> of 3 photos" in panel.html
