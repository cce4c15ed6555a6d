"""Commands on images in stores, on web servers and in archives."""

from __future__ import annotations

import zipfile
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result

from mnv2cli.engines.options import EngineOptions
from mnv2cli.inference.classifier import Classifier
from mnv2cli.models.options import ModelOptions
from tests.conftest import FakeEngine, image_bytes
from tests.hosts import Site, answer
from tests.sources.helpers import Invoke, read, table


@pytest.mark.usefixtures("fake_engine")
def test_local_and_remote_images_are_classified_in_order(
    photos: Path, memory: Any, site: Site, invoke: Invoke
) -> None:
    memory.pipe({"/p/7.png": image_bytes(7), "/p/8.png": image_bytes(8)})
    with zipfile.ZipFile("z.zip", "w") as pack:
        pack.write("photos/img2.jpg")
    site.pages["/a.png"] = answer(image_bytes(5))
    Path("list").write_text(f"memory://p/8.png\nphotos/img10.png\n{site.url}/none.png\n")
    result = invoke(
        "classify", "memory://p/7*", "zip://z.zip", "photos/img2.jpg", f"{site.url}/a.png",
        "--files-from", "list",
    )  # fmt: skip
    rows = table(result.stdout)
    assert [row["path"] for row in rows] == [
        "memory://p/7.png", "zip://photos/img2.jpg::z.zip", "photos/img2.jpg", f"{site.url}/a.png",
        "memory://p/8.png", "photos/img10.png", f"{site.url}/none.png",
    ]  # fmt: skip
    assert [row["score_1"] for row in rows] == ["0.9"] * 6 + [""]
    assert rows[-1]["error"] == "no such file: HTTP 404" and result.exit_code == 4
    assert rows[1]["label_1"] == rows[2]["label_1"]


@pytest.mark.usefixtures("fake_engine")
def test_secrets_stay_out_of_rows_and_messages(site: Site, invoke: Invoke) -> None:
    requests: list[str] = []

    def guarded(request: BaseHTTPRequestHandler) -> None:
        requests.append(request.headers.get("Authorization", ""))
        answer(image_bytes())(request)

    site.pages["/a.png?sig=SECRET&w=1"] = site.pages["/b.png"] = guarded
    plain = site.url.replace("http://", "http://user:SECRET@")
    result = invoke(
        "classify", f"{site.url}/a.png?sig=SECRET&w=1", f"{plain}/b.png", f"{plain}/none.png",
        f"{plain}/b.png", "-v",
    )  # fmt: skip
    rows = table(result.stdout)
    assert [row["status"] for row in rows] == ["ok", "ok", "error"]
    assert rows[0]["path"] == f"{site.url}/a.png?sig=***&w=1"
    assert rows[1]["path"] == f"{site.url.replace('http://', 'http://***@')}/b.png"
    assert "given twice" in result.stderr
    assert "SECRET" not in result.stdout + result.stderr
    assert sorted(map(len, requests)) == [0, len("Basic dXNlcjpTRUNSRVQ=")]


def test_sort_accepts_only_local_files(photos: Path, invoke: Invoke) -> None:
    for args in (
        ("memory://p", "--into", "x"),
        ("photos", "--into", "s3://b/x"),
        ("--files-from", "list", "--into", "x"),
        ("--from", "r.csv", "--into", "x"),
    ):
        Path("list").write_text("https://u:SECRET@h/a.jpg\n")
        Path("r.csv").write_text("path,status,label_1,wnid_1,score_1,error\ns3://b/a.jpg,ok,,,,\n")
        result = invoke("sort", *args)
        assert result.exit_code == 2, result.output
        assert "cannot sort '" in result.stderr
        assert "SECRET" not in result.stderr and not Path("x").exists()


def test_int8_is_calibrated_on_urls_too(memory: Any) -> None:
    memory.pipe({"/p/1.png": image_bytes(1), "/p/2.png": image_bytes(2), "/p/3.png": b"bad"})
    classifier = Classifier(engine=EngineOptions(precision="int8"), model=ModelOptions(size=96))
    first = classifier._calibration(lambda: classifier.sample(["memory://p"]))
    assert first.images().shape == (2, 96, 96, 3)
    other = classifier._calibration(lambda: ["memory://p/1.png"])
    assert first.key != other.key


@pytest.mark.usefixtures("fake_engine")
def test_remote_images_are_decoded_in_isolation_too(
    archives: Path, invoke: Invoke, memory: Any
) -> None:
    (archives / "bad.zip").write_bytes(b"PK")
    memory.pipe("/a.png", image_bytes(3))
    inputs = ("zip://photos.zip", "tar://photos.tar.gz", "memory://a.png", "bad.zip")
    in_process = invoke("classify", *inputs, "-q")
    isolated = invoke("classify", *inputs, "-q", "--isolate")
    assert in_process.exit_code == isolated.exit_code == 4
    assert len(table(in_process.stdout)) == 12 and isolated.stdout == in_process.stdout


@pytest.mark.usefixtures("fake_engine")
def test_names_of_members_with_an_at_sign_are_not_redacted(tmp_path: Path, invoke: Invoke) -> None:
    with zipfile.ZipFile(tmp_path / "p.zip", "w") as pack:
        for i in range(3):
            pack.writestr(f"p{i}@2x.png", image_bytes(i))
    output = tmp_path / "a.csv"
    args = ("classify", f"zip://{tmp_path}/p.zip", "-q", "-o", str(output))
    assert invoke(*args).exit_code == 0
    whole = output.read_text()
    paths = [row["path"] for row in table(whole)]
    assert paths == [f"zip://p{i}@2x.png::{tmp_path}/p.zip" for i in range(3)]
    assert all(read(path).shape for path in paths)
    output.write_text("".join(whole.splitlines(keepends=True)[:2]))
    assert invoke(*args, "--resume").exit_code == 0
    assert output.read_text() == whole


@pytest.mark.usefixtures("fake_engine")
def test_an_archive_of_that_name_in_another_folder_is_not_resumed(
    archives: Path, invoke: Invoke, monkeypatch: pytest.MonkeyPatch
) -> None:
    args = ("classify", "zip://photos.zip", "-q", "-o", str(archives / "o.csv"))
    assert invoke(*args).exit_code == 0
    (archives / "B").mkdir()
    (archives / "B" / "photos.zip").write_bytes((archives / "photos.zip").read_bytes())
    monkeypatch.chdir(archives / "B")
    result = invoke(*args, "--resume")
    assert result.exit_code == 2 and "its paths are relative to" in result.stderr


@pytest.mark.usefixtures("fake_engine")
def test_an_image_with_another_signature_is_the_same_image(
    site: Site, invoke: Invoke, tmp_path: Path, fake_engine: FakeEngine
) -> None:
    for sig in ("s1gnature", "s2gnature"):
        site.pages[f"/a.png?sig={sig}"] = site.pages[f"/b.png?sig={sig}"] = answer(image_bytes())
    output = tmp_path / "a.csv"

    def run(sig: str, *more: str) -> Result:
        urls = [f"{site.url}/{name}.png?sig={sig}" for name in "ab"]
        return invoke("classify", *urls, "-q", "-o", str(output), *more)

    assert run("s1gnature").exit_code == 0
    whole = output.read_text()
    assert "s1gnature" not in whole + output.with_name(f".{output.name}.mnv2").read_text()
    fake_engine.batches.clear()
    assert run("s2gnature", "--resume").exit_code == 0
    assert output.read_text() == whole and not fake_engine.batches
    result = run("s1gnature", "--force", "--shard", "1/2")
    rows = output.read_text()
    assert run("s2gnature", "--force", "--shard", "1/2").exit_code == result.exit_code
    assert output.read_text() == rows


def test_options_that_require_a_local_file_are_refused_for_urls(
    photos: Path, invoke: Invoke
) -> None:
    for args in (("--resume",), ("--shard", "1/2")):
        result = invoke("classify", "photos", "-o", "memory://a.csv", *args)
        assert result.exit_code == 2 and "with -o" in result.stderr
