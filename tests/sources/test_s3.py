"""S3, served by moto on this machine."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from mnv2cli.sources.remote import limits
from tests.conftest import image_bytes
from tests.hosts import Site, answer
from tests.sources.helpers import Invoke, fails, found, read, table

pytestmark = [
    # botocore and moto's server on newer Pythons, and sockets that a stopped server leaves.
    pytest.mark.filterwarnings("ignore::DeprecationWarning:botocore"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning:moto"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning:werkzeug"),
]


@pytest.fixture(scope="module")
def moto() -> Iterator[str]:
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    try:
        address, port = server.get_host_and_port()
        yield f"http://{address}:{port}"
    finally:
        server.stop()


@pytest.fixture
def s3(moto: str, monkeypatch: pytest.MonkeyPatch) -> Any:
    for name, value in {
        "AWS_ACCESS_KEY_ID": "x",
        "AWS_SECRET_ACCESS_KEY": "y",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_ENDPOINT_URL": moto,
        "AWS_EC2_METADATA_DISABLED": "true",
    }.items():
        monkeypatch.setenv(name, value)
    import s3fs

    fs = s3fs.S3FileSystem(skip_instance_cache=True, use_listings_cache=False)
    if not fs.exists("bucket"):
        fs.mkdir("bucket")
    return fs


@pytest.mark.usefixtures("fake_engine")
def test_a_bucket_is_listed_read_and_written(
    s3: Any, invoke: Invoke, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("img10.png", "img2.png", "sub/a.png", "notes.txt", "empty.png"):
        s3.pipe(f"bucket/p/{name}", b"" if "empty" in name else image_bytes())
    s3.pipe("bucket/p/", b"")  # a folder as made by the web console
    result = invoke("classify", "s3://bucket/p/", "s3://bucket/no/", "-o", "s3://bucket/out/l.csv")
    assert result.exit_code == 4, result.output
    rows = table(s3.cat("bucket/out/l.csv").decode())
    assert [(row["path"], row["error"]) for row in rows] == [
        ("s3://bucket/p/empty.png", "empty file: zero bytes"),
        ("s3://bucket/p/img2.png", ""),
        ("s3://bucket/p/img10.png", ""),
        ("s3://bucket/p/sub/a.png", ""),
        ("s3://bucket/no/", "folder cannot be listed: no such file"),
    ]
    assert invoke("classify", "s3://bucket/p/", "-o", "s3://bucket/out/l.csv").exit_code == 2
    assert found("s3://bucket/*/img*.png") == rows_paths(rows)[1:3]
    assert fails("s3://bucket/none.png") == fails("s3://nobucket/a.png") == "no such file"
    monkeypatch.setattr(limits, "CHUNK", len(image_bytes()))  # the last chunk is full
    assert read("s3://bucket/p/img2.png").shape == (96, 96, 3)


def rows_paths(rows: list[dict[str, str]]) -> list[str]:
    return [row["path"] for row in rows]


@pytest.mark.usefixtures("s3")
@pytest.mark.parametrize(
    ("code", "name", "attempts", "reason"),
    [
        (503, "SlowDown", 5, "host is busy"),
        (500, "InternalError", 5, "host has a fault"),
        (403, "AccessDenied", 1, "permission denied"),
        (400, "InvalidRequest", 1, "refused by the host"),
    ],
)
def test_only_temporary_errors_of_s3_are_retried(
    site: Site, monkeypatch: pytest.MonkeyPatch, code: int, name: str, attempts: int, reason: str
) -> None:
    body = f"<Error><Code>{name}</Code><Message>m</Message></Error>".encode()
    site.pages["/bucket/a.png"] = answer(body, code)
    site.pages["/bucket/cut.png"] = answer(b"abc", length=9)
    monkeypatch.setenv("AWS_ENDPOINT_URL", site.url)
    assert fails("s3://bucket/a.png").startswith(reason)
    assert site.requests["/bucket/a.png"] == attempts


@pytest.mark.usefixtures("s3")
def test_missing_credentials_for_s3_are_an_error_row(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert fails("s3://bucket/a.png") == "permission denied: no credentials found"
