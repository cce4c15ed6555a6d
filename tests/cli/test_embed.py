"""``mnv2 embed``, ``mnv2 classify --embeddings``, and the cache between them."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from click.testing import Result

from mnv2cli.results.features import open_features
from tests.conftest import FakeEngine, Interrupted, draw

Invoke = Callable[..., Result]
FORMATS = pytest.mark.parametrize("suffix", ["npz", "parquet"])


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache, for a network that has no weights here."""
    monkeypatch.setattr("mnv2cli.inference.feature_store.cache_key", lambda classifier: "fake")
    monkeypatch.setenv("MNV2_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def rows(path: str | Path) -> list[tuple[str, float | None]]:
    """Return path and red value of each row."""
    return [
        (record.path, None if record.embedding is None else float(record.embedding[0]))
        for record in open_features(str(path)).records()
    ]


@FORMATS
def test_features_of_a_folder_are_written_in_order(
    photos: Path, fake_engine: FakeEngine, invoke: Invoke, suffix: str
) -> None:
    (photos / "img3.jpg").write_bytes(b"\xff\xd8\xff no image")
    result = invoke("embed", "photos", "-o", f"f.{suffix}")
    assert result.exit_code == 4, result.output
    assert result.stdout == ""
    assert f"Written    f.{suffix}" in result.stderr and "Unreadable" in result.stderr
    names = ["img2.jpg", "img3.jpg", "img10.png", "sub/img1.webp"]
    assert rows(f"f.{suffix}") == [
        (os.path.join("photos", name), red)
        for name, red in zip(names, [2, None, 10, 1], strict=True)
    ]
    info = open_features(f"f.{suffix}").info
    assert (info.model, info.size, info.normalized) == ("mobilenet_v2_1.0_224", 1280, False)
    assert not Path(f".f.{suffix}.rows").exists()


def test_normalized_features_have_the_length_one(
    photos: Path, fake_engine: FakeEngine, invoke: Invoke
) -> None:
    assert invoke("embed", "photos", "-o", "f.npz", "--normalize").exit_code == 0
    with np.load("f.npz") as data:
        assert np.allclose(np.linalg.norm(data["embedding"], axis=1), 1)
        assert bool(data["normalized"])


def test_second_run_computes_nothing(photos: Path, fake_engine: FakeEngine, invoke: Invoke) -> None:
    assert invoke("embed", "photos", "-o", "a.npz").exit_code == 0
    seen = sum(fake_engine.batches)
    assert invoke("embed", "photos", "-o", "b.npz").exit_code == 0
    assert sum(fake_engine.batches) == seen == 3
    assert Path("a.npz").read_bytes() == Path("b.npz").read_bytes()
    assert invoke("embed", "photos", "-o", "c.npz", "--no-cache").exit_code == 0
    assert sum(fake_engine.batches) == 2 * seen
    assert Path("a.npz").read_bytes() == Path("c.npz").read_bytes()


def test_no_cache_leaves_no_cache(
    photos: Path, fake_engine: FakeEngine, invoke: Invoke, cache: Path
) -> None:
    assert invoke("embed", "photos", "-o", "a.npz", "--no-cache").exit_code == 0
    assert not list(cache.glob("features*"))


def test_unusable_cache_is_a_notice(
    photos: Path, fake_engine: FakeEngine, invoke: Invoke, cache: Path
) -> None:
    cache.write_text("not a folder")
    result = invoke("embed", "photos", "-o", "a.npz")
    assert result.exit_code == 0
    assert result.stderr.count("feature cache cannot be used") == 1


@FORMATS
@pytest.mark.parametrize("times", [0, 1])
def test_resume_adds_new_photos_in_order(
    photos: Path, fake_engine: FakeEngine, invoke: Invoke, suffix: str, times: int
) -> None:
    output = f"f.{suffix}"
    assert invoke("embed", "photos", "-o", output, "--no-cache").exit_code == 0
    for _ in range(times):  # with nothing new
        assert invoke("embed", "photos", "-o", output, "--no-cache", "--resume").exit_code == 0
    draw(photos / "img5.png", (5, 0, 0))
    seen = sum(fake_engine.batches)
    result = invoke("embed", "photos", "-o", output, "--no-cache", "--resume")
    assert result.exit_code == 0, result.output
    assert "Kept       3 rows" in result.stderr
    assert sum(fake_engine.batches) == seen + 1
    assert invoke("embed", "photos", "-o", f"whole.{suffix}", "--no-cache").exit_code == 0
    assert Path(output).read_bytes() == Path(f"whole.{suffix}").read_bytes()


def test_retried_errors_replace_their_rows(
    photos: Path, fake_engine: FakeEngine, invoke: Invoke
) -> None:
    (photos / "img3.png").write_bytes(b"no image")
    assert invoke("embed", "photos", "-o", "f.npz").exit_code == 4
    draw(photos / "img3.png", (3, 0, 0))
    result = invoke("embed", "photos", "-o", "f.npz", "--resume", "--retry-errors")
    assert result.exit_code == 0, result.output
    assert [red for _, red in rows("f.npz")] == [2, 3, 10, 1]


def test_interrupted_run_keeps_its_rows_and_resumes(
    photos: Path, monkeypatch: pytest.MonkeyPatch, fake_engine: FakeEngine, invoke: Invoke
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(
            "mnv2cli.inference.classifier.open_engine", lambda *args, **kwargs: Interrupted()
        )
        result = invoke("embed", "photos", "-o", "f.npz", "--no-cache")
    assert result.exit_code == 130
    assert "--resume" in result.stderr and not Path("f.npz").exists()
    assert Path(".f.npz.rows").read_text().count("\n") == 2
    again = invoke("embed", "photos", "-o", "f.npz", "--no-cache")
    assert again.exit_code == 2 and "rows of an unfinished run" in again.stderr
    result = invoke("embed", "photos", "-o", "f.npz", "--no-cache", "--resume")
    assert result.exit_code == 0, result.output
    assert sum(fake_engine.batches) == 1
    assert [red for _, red in rows("f.npz")] == [2, 10, 1]


def test_run_killed_before_the_file_was_written_needs_no_model_to_resume(
    photos: Path, monkeypatch: pytest.MonkeyPatch, fake_engine: FakeEngine, invoke: Invoke
) -> None:
    def full(*args: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("mnv2cli.runs.features_run.AtomicFile", full)
        result = invoke("embed", "photos", "-o", "f.npz", "--no-cache")
    assert result.exit_code == 1
    assert "no space left on device" in result.stderr and "--resume" in result.stderr
    result = invoke("embed", "photos", "-o", "f.npz", "--no-cache", "--resume")
    assert result.exit_code == 0, result.output
    assert sum(fake_engine.batches) == 3
    assert [red for _, red in rows("f.npz")] == [2, 10, 1]


@FORMATS
@pytest.mark.parametrize("moment", ["finish", "settle"])
@pytest.mark.parametrize("is_first", [True, False])
def test_run_killed_around_the_writing_of_the_file_loses_nothing(
    photos: Path,
    monkeypatch: pytest.MonkeyPatch,
    fake_engine: FakeEngine,
    invoke: Invoke,
    suffix: str,
    moment: str,
    is_first: bool,
) -> None:
    args = ["embed", "photos", "-o", f"f.{suffix}", "--no-cache", "--resume"]
    if not is_first:
        assert invoke(*args).exit_code == 0
        draw(photos / "img4.png", (4, 0, 0))

    def killed(*args: object) -> None:
        raise SystemExit(9)

    with monkeypatch.context() as patch:
        patch.setattr(f"mnv2cli.runs.run.Run.{moment}", killed)
        patch.setattr("mnv2cli.runs.run.Run.stop", lambda *args: None)
        assert invoke(*args).exit_code == 9
    seen = sum(fake_engine.batches)
    assert invoke(*args).exit_code == 0
    assert sum(fake_engine.batches) == seen == (3 if is_first else 4)
    assert invoke("embed", "photos", "-o", f"whole.{suffix}", "--no-cache").exit_code == 0
    assert Path(f"f.{suffix}").read_bytes() == Path(f"whole.{suffix}").read_bytes()
    assert not Path(f".f.{suffix}.rows").exists()


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (["--normalize"], "--normalize"),
        (["--fit", "pad"], "--fit"),
        (["--alpha", "0.5"], "model"),
    ],
)
def test_other_options_are_not_resumed(
    photos: Path, fake_engine: FakeEngine, invoke: Invoke, args: list[str], message: str
) -> None:
    assert invoke("embed", "photos", "-o", "f.npz").exit_code == 0
    before = Path("f.npz").read_bytes()
    draw(photos / "new.png")
    result = invoke("embed", "photos", "-o", "f.npz", "--resume", "--no-cache", *args)
    assert result.exit_code == 2 and message in result.stderr
    assert Path("f.npz").read_bytes() == before


def test_changed_file_is_not_resumed(photos: Path, fake_engine: FakeEngine, invoke: Invoke) -> None:
    assert invoke("embed", "photos", "-o", "f.npz").exit_code == 0
    with open("f.npz", "ab") as file:
        file.write(b"more")
    result = invoke("embed", "photos", "-o", "f.npz", "--resume")
    assert result.exit_code == 2 and "another program changed it" in result.stderr


@FORMATS
@pytest.mark.parametrize("shards", [2, 9])
def test_merged_shards_equal_one_run(
    photos: Path, fake_engine: FakeEngine, invoke: Invoke, suffix: str, shards: int
) -> None:
    odd = photos / os.fsdecode(b"odd\xff.png")
    shutil.copy(photos / "img10.png", odd)
    for i in range(1, shards + 1):
        args = ["embed", "photos", "--shard", f"{i}/{shards}", "-o", f"part{i}.{suffix}"]
        assert invoke(*args).exit_code == 0
    result = invoke("merge", *[f"part{i}.{suffix}" for i in range(1, shards + 1)], "-o", "all.npz")
    assert result.exit_code == 0, result.output
    assert "Joined     4 rows" in result.stderr
    assert invoke("embed", "photos", "-o", "whole.npz").exit_code == 0
    assert Path("all.npz").read_bytes() == Path("whole.npz").read_bytes()
    draw(photos / "zz.png", (6, 0, 0))
    assert invoke("embed", "photos", "-o", "all.npz", "--resume").exit_code == 0
    assert len(rows("all.npz")) == 5


def test_shards_of_other_features_are_not_merged(
    photos: Path, fake_engine: FakeEngine, invoke: Invoke
) -> None:
    invoke("embed", "photos", "--shard", "1/2", "-o", "a.npz")
    invoke("embed", "photos", "--shard", "2/2", "-o", "b.npz", "--normalize")
    invoke("classify", "photos", "--shard", "2/2", "-o", "c.csv", "-k", "1")
    for other in ("b.npz", "c.csv"):
        result = invoke("merge", "a.npz", other, "-o", "all.npz")
        assert result.exit_code == 2 and "not shards of one run" in result.stderr
        assert not Path("all.npz").exists()
    result = invoke("merge", "a.npz", "-o", "all.npz")
    assert result.exit_code == 2 and "--partial" in result.stderr
    assert invoke("merge", "--partial", "a.npz", "-o", "all.npz").exit_code == 0
    assert invoke("merge", "a.npz", "-o", "all.csv", "--partial").exit_code == 2
    assert invoke("merge", "a.npz", "-o", "x.npz", "-f", "csv").exit_code == 2


@pytest.mark.parametrize(
    ("args", "message"),
    [
        ([], "Missing option '-o'"),
        (["-o", "f.csv"], "does not end in .npz or .parquet"),
        (["-o", "-"], "name a local file"),
        (["-o", "s3://bucket/f.npz"], "name a local file"),
        (["-o", "photos"], "it is a folder"),
        (["-o", "no/such/f.npz"], "does not exist"),
        (["-o", "old.npz"], "already exists"),
        (["-o", "f.npz", "--force", "--resume"], "cannot be combined"),
        (["-o", "f.npz", "--retry-errors"], "requires --resume"),
        (["-o", "f.npz", "--shard", "3/2"], "not a shard"),
    ],
)
def test_usage_errors_come_before_any_work(
    photos: Path, fake_engine: FakeEngine, invoke: Invoke, args: list[str], message: str
) -> None:
    Path("old.npz").write_bytes(b"old")
    result = invoke("embed", "photos", *args)
    assert result.exit_code == 2 and message in result.stderr
    assert not fake_engine.batches
    assert Path("old.npz").read_bytes() == b"old"


def test_no_images_is_exit_code_3(photos: Path, fake_engine: FakeEngine, invoke: Invoke) -> None:
    Path("empty").mkdir()
    assert invoke("embed", "empty", "-o", "f.npz").exit_code == 3
    assert not Path("f.npz").exists() and not Path(".f.npz.rows").exists()


def test_network_without_features_is_refused(
    photos: Path, fake_engine: FakeEngine, invoke: Invoke, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mnv2cli.models.mobilenet_v2.MobileNetV2.features", 0)
    result = invoke("embed", "photos", "-o", "f.npz")
    assert result.exit_code == 2 and "has no features" in result.stderr
    assert not Path("f.npz").exists()


def test_own_files_are_not_read_as_images(
    photos: Path, fake_engine: FakeEngine, invoke: Invoke
) -> None:
    output = str(photos / "f.npz")
    args = ["embed", "photos", "--all-files", "--hidden", "-o", output]
    assert invoke(*args).exit_code == 4  # notes.txt
    assert invoke(*args, "--force").exit_code == 4
    assert len(rows(output)) == 4


# classify --embeddings


@FORMATS
def test_classify_writes_labels_and_features_in_one_pass(
    photos: Path, fake_engine: FakeEngine, invoke: Invoke, suffix: str
) -> None:
    (photos / "bad.png").write_bytes(b"no image")
    result = invoke("classify", "photos", "-o", "l.csv", "-k", "1", "--embeddings", f"f.{suffix}")
    assert result.exit_code == 4, result.output
    assert sum(fake_engine.batches) == 3
    assert invoke("classify", "photos", "-o", "alone.csv", "-k", "1").exit_code == 4
    assert Path("l.csv").read_bytes() == Path("alone.csv").read_bytes()
    assert invoke("embed", "photos", "-o", f"alone.{suffix}").exit_code == 4
    assert Path(f"f.{suffix}").read_bytes() == Path(f"alone.{suffix}").read_bytes()
    draw(photos / "bad2.png")
    assert invoke("embed", "photos", "-o", f"f.{suffix}", "--resume").exit_code == 4
    assert len(rows(f"f.{suffix}")) == 5


def test_interrupted_classify_has_the_features_of_its_rows(
    photos: Path, fake_engine: FakeEngine, invoke: Invoke, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "mnv2cli.inference.classifier.open_engine", lambda *args, **kwargs: Interrupted()
    )
    result = invoke("classify", "photos", "-o", "l.csv", "--embeddings", "f.npz")
    assert result.exit_code == 130
    assert "--resume" in result.stderr and "--embeddings" not in result.stderr
    assert [red for _, red in rows("f.npz")] == [2, 10]


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (["-o", "l.csv", "--resume"], "cannot be combined with --resume"),
        (["-o", "l.csv", "--shard", "1/2"], "cannot be combined with --shard"),
        (["--ray"], "cannot be combined with --ray"),
        (["-o", "old.parquet", "--embeddings", "old.parquet", "--force"], "the same file"),
        (["--embeddings", "f.csv"], "does not end in"),
        (["--embeddings", "old.npz"], "already exists"),
    ],
)
def test_embeddings_that_cannot_be_written_are_refused(
    photos: Path, fake_engine: FakeEngine, invoke: Invoke, args: list[str], message: str
) -> None:
    Path("old.npz").write_bytes(b"old")
    Path("old.parquet").write_bytes(b"old")
    given = [] if "--embeddings" in args else ["--embeddings", "f.npz"]
    result = invoke("classify", "photos", *given, *args)
    assert result.exit_code == 2 and message in result.stderr, result.stderr
    assert not fake_engine.batches


def test_failed_classify_leaves_no_features_file(
    photos: Path, fake_engine: FakeEngine, invoke: Invoke, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fake_engine, "run", lambda batch: 1 / 0)
    result = invoke("classify", "photos", "-o", "l.csv", "--embeddings", "f.npz")
    assert result.exit_code not in (0, 4)
    assert not Path("f.npz").exists()
