"""The figures of a results file."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from mnv2cli.errors import InputError, NoImagesError
from mnv2cli.records import Prediction, Record
from mnv2cli.reporting.summary import Count, Folder, Group, Unsure, summarise
from tests.reporting.results_files import MODEL, labelled, write, write_features

RECORDS = (
    labelled("a/1.jpg", ("tabby", 0.9), ("espresso", 0.05), category=("cat", 0.95)),
    labelled("a/2.jpg", ("tabby", 0.5), ("espresso", 0.4), category=("cat", 0.55)),
    labelled("a/3.jpg", ("espresso", 0.3), ("tabby", 0.25), category=("", 0.0)),
    Record("a/4.jpg", error="truncated: 12 of 40 rows", model=MODEL),
    Record("b/5.jpg", error="truncated: 1 of 40 rows", model=MODEL),
    Record("6.jpg", error="not an image", model=MODEL),
    labelled("b/7.jpg", category=("", 0.0)),
)


@pytest.mark.parametrize("name", ["r.csv", "long.csv", "r.json", "r.jsonl", "r.parquet"])
def test_figures_do_not_depend_on_the_format(tmp_path: Path, name: str) -> None:
    if name.endswith("parquet"):
        pytest.importorskip("pyarrow")
    path = write(tmp_path / name, RECORDS, long=name == "long.csv")
    summary = summarise(path)
    assert (summary.file, summary.images, summary.read, summary.unreadable) == (path, 7, 4, 3)
    assert (summary.unlabelled, summary.uncategorised, summary.repeated) == (1, 2, 0)
    images = {name: count for section, name, count, _ in summary.table() if section == "images"}
    assert (images["unlabelled"], images["uncategorised"]) == (1, 2)
    assert summary.errors == (Count("truncated", 2), Count("not an image", 1))
    assert summary.models == (Count(MODEL, 7),)
    assert summary.labels == (
        Group("tabby", "n02123045", 2, pytest.approx(0.7)),
        Group("espresso", "n07920052", 1, pytest.approx(0.3)),
    )
    assert summary.categories == (Group("cat", "", 2, pytest.approx(0.75)),)
    assert summary.nodes is None
    assert summary.scores is not None and summary.margins is not None
    assert summary.scores.histogram == (0, 0, 0, 1, 0, 1, 0, 0, 0, 1)
    assert summary.scores.mean == pytest.approx(1.7 / 3)
    assert summary.scores.median == pytest.approx(0.5)
    assert summary.margins.histogram == (1, 1, 0, 0, 0, 0, 0, 0, 1, 0)
    assert summary.least_sure[0] == Unsure("a/3.jpg", 0.05, "espresso", 0.3, "tabby", 0.25)
    assert [each.path for each in summary.least_sure] == ["a/3.jpg", "a/2.jpg", "a/1.jpg"]
    assert summary.folders == (
        Folder("a", 4, 1, "cat", 2, pytest.approx(1.7 / 3)),
        Folder("b", 2, 1, "", 0, None),
        Folder("", 1, 1, "", 0, None),
    )


def test_an_error_with_labels_counts_as_unreadable_alone(tmp_path: Path) -> None:
    path = tmp_path / "r.csv"
    path.write_text(
        "path,status,label_1,wnid_1,score_1,error,model\n"
        "a.jpg,error,x,n1,.5,boom,m\nb.jpg,error,x,n1,.5,:odd,m\n"
    )
    summary = summarise(str(path))
    assert (summary.images, summary.read, summary.unreadable, summary.unlabelled) == (2, 0, 2, 0)
    assert summary.labels == () and summary.least_sure == ()
    assert summary.folders == (Folder("", 2, 2, "", 0, None),)


def test_the_margin_of_a_single_label_is_the_least_it_can_be(tmp_path: Path) -> None:
    records = [labelled("1.jpg", ("tabby", 0.9)), labelled("2.jpg", ("tabby", 0.4))]
    summary = summarise(write(tmp_path / "r.csv", records, top=1))
    assert summary.least_sure == (
        Unsure("2.jpg", 0.0, "tabby", 0.4, "", None),
        Unsure("1.jpg", 0.8, "tabby", 0.9, "", None),
    )
    assert summary.folders == (Folder("", 2, 0, "tabby", 2, pytest.approx(0.65)),)


def test_classes_of_one_name_are_counted_apart(tmp_path: Path) -> None:
    bird, machine = (Prediction(wnid, "crane", 0.8) for wnid in ("n02012849", "n03126707"))
    records = [Record(f"{i}.jpg", (each,)) for i, each in enumerate((bird, machine, bird))]
    summary = summarise(write(tmp_path / "r.csv", records))
    names = [(each.name, each.count) for each in summary.labels]
    assert names == [("crane (n02012849)", 2), ("crane (n03126707)", 1)]
    assert summary.folders[0].most == "crane (n02012849)"


def test_nodes_and_repeated_paths_are_counted(tmp_path: Path) -> None:
    record = replace(
        labelled("a.jpg", ("tabby", 0.6)), node=Prediction("n02121808", "domestic cat", 0.9)
    )
    summary = summarise(write(tmp_path / "r.jsonl", [record, record]))
    assert summary.nodes == (Group("domestic cat", "n02121808", 2, pytest.approx(0.9)),)
    assert (summary.images, summary.repeated) == (2, 1)


@pytest.mark.parametrize("suffix", ["npz", "parquet"])
def test_features_have_images_and_errors_and_no_labels(tmp_path: Path, suffix: str) -> None:
    if suffix == "parquet":
        pytest.importorskip("pyarrow")
    records = [Record("a/1.jpg"), Record("a/2.jpg", error="not an image: text")]
    summary = summarise(write_features(tmp_path / f"f.{suffix}", records))
    assert (summary.images, summary.unreadable, summary.labels) == (2, 1, ())
    assert (summary.scores, summary.margins, summary.least_sure) == (None, None, ())
    assert summary.models == (Count(MODEL, 2),)
    assert summary.folders == (Folder("a", 2, 1, "", 0, None),)


def test_names_that_are_not_utf8_are_kept(tmp_path: Path) -> None:
    records = [labelled("caf\udce9/1\n.jpg", ("tabby", 0.6), ("espresso", 0.3))]
    summary = summarise(write(tmp_path / "r.csv", records))
    assert summary.folders[0].folder == "caf\udce9"
    assert summary.least_sure[0].path == "caf\udce9/1\n.jpg"


def test_scores_at_the_end_of_a_bin_belong_to_the_next(tmp_path: Path) -> None:
    records = [labelled(f"{i}.jpg", ("tabby", i / 10)) for i in range(11)]
    summary = summarise(write(tmp_path / "r.csv", records))
    assert summary.scores is not None
    assert summary.scores.histogram == (1, 1, 1, 1, 1, 1, 1, 1, 1, 2)


def test_files_that_are_not_results_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="is a folder"):
        summarise(str(tmp_path))
    with pytest.raises(NoImagesError, match="has no rows"):
        summarise(write(tmp_path / "empty.csv", []))
    (tmp_path / "other.csv").write_text("a,b\n1,2\n")
    with pytest.raises(InputError, match="not a results file"):
        summarise(str(tmp_path / "other.csv"))


def test_the_table_has_a_row_for_each_count(tmp_path: Path) -> None:
    rows = list(summarise(write(tmp_path / "r.csv", RECORDS)).table())
    assert rows[0] == ("images", "all", 7, pytest.approx(1.7 / 3))
    assert ("error", "truncated", 2, None) in rows
    assert ("label", "tabby", 2, pytest.approx(0.7)) in rows
    assert ("score", "0.9 to 1.0", 1, None) in rows
    assert ("folder", "b", 2, None) in rows


def test_folders_with_as_many_images_are_in_natural_order(tmp_path: Path) -> None:
    records = [labelled(f"day {i}/\udce9.jpg", ("tabby", 0.5)) for i in (10, 2, 1)]
    summary = summarise(write(tmp_path / "r.csv", records))
    assert [each.folder for each in summary.folders] == ["day 1", "day 2", "day 10"]
