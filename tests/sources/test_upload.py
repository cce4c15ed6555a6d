"""Results sent to a store."""

from __future__ import annotations

import os
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from mnv2cli.errors import OutputError
from mnv2cli.sources.remote.upload import Upload
from tests.conftest import Interrupted
from tests.sources.helpers import Invoke, table


@pytest.mark.usefixtures("fake_engine")
@pytest.mark.parametrize("format", ["csv", "parquet"])
def test_results_are_sent_to_a_store(
    photos: Path, memory: Any, invoke: Invoke, format: str, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    (tmp_path / "tmp").mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "tmp"))
    url = f"memory://out/labels.{format}"
    result = invoke("classify", "photos", "-o", url)
    assert (result.exit_code, result.stdout) == (0, ""), result.output
    assert f"Written    {url}" in result.stderr
    if format == "csv":
        assert len(table(memory.cat(f"/out/labels.{format}").decode())) == 3
    before = memory.cat(f"/out/labels.{format}")
    result = invoke("classify", "photos/sub", "-o", url)
    assert result.exit_code == 2 and f"'{url}' already exists" in result.stderr
    assert memory.cat(f"/out/labels.{format}") == before
    assert invoke("classify", "photos/sub", "-o", url, "--force").exit_code == 0
    assert memory.cat(f"/out/labels.{format}") != before
    assert os.listdir(tmp_path / "tmp") == []


@pytest.mark.usefixtures("fake_engine")
def test_results_that_cannot_be_sent_are_saved_locally(
    photos: Path, memory: Any, invoke: Invoke, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    calls = Counter[str]()

    def refuse(self: Any, lpath: str, rpath: str, **kwargs: Any) -> None:
        calls["put"] += 1
        raise PermissionError("no")

    monkeypatch.setattr(type(memory), "put_file", refuse)
    result = invoke("classify", "photos", "-o", "memory://out/labels.csv")
    assert result.exit_code == 1 and calls["put"] == 1
    error, hint = result.stderr.splitlines()[-2:]
    assert error == ("Error: cannot write 'memory://out/labels.csv': permission denied")
    kept = hint.removeprefix("All rows are saved in ").partition(";")[0]
    assert len(table(Path(kept).read_text())) == 3

    def flaky(self: Any, lpath: str, rpath: str, **kwargs: Any) -> None:
        calls["flaky"] += 1
        if calls["flaky"] < 3:
            raise ConnectionResetError
        memory.pipe(rpath, Path(lpath).read_bytes())

    monkeypatch.setattr(type(memory), "put_file", flaky)
    assert invoke("classify", "photos", "-o", "memory://out/labels.csv").exit_code == 0
    assert calls["flaky"] == 3 and len(table(memory.cat("/out/labels.csv").decode())) == 3


def test_an_interrupted_run_sends_its_rows(
    photos: Path, memory: Any, invoke: Invoke, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mnv2cli.inference.classifier.open_engine", lambda *_, **__: Interrupted())
    monkeypatch.setattr("mnv2cli.inference.classifier.available", lambda model, **kwargs: model)
    result = invoke("classify", "photos", "-o", "memory://out/labels.json")
    assert result.exit_code == 130
    assert memory.cat("/out/labels.json").count(b"predictions") == 2


@pytest.mark.parametrize("url", ["https://h/labels.csv", "zip://labels.csv", "nonsense://a.csv"])
def test_urls_that_cannot_be_written_are_refused(photos: Path, invoke: Invoke, url: str) -> None:
    assert invoke("classify", "photos", "-o", url).exit_code == 2


def test_an_output_created_during_the_run_is_not_overwritten(
    memory: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    with (
        pytest.raises(OutputError, match="it was created during the run"),
        Upload("memory://o.csv", force=False) as local,
    ):
        Path(local).write_text("new")
        memory.pipe("/o.csv", b"old")
    assert memory.cat("/o.csv") == b"old" and Path(local).read_text() == "new"
