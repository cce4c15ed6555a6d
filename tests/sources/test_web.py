"""Images on local web servers, working or faulty."""

from __future__ import annotations

import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import pytest

from mnv2cli.sources.remote import limits
from tests.conftest import draw, image_bytes
from tests.hosts import Site, answer, hold
from tests.sources.helpers import errors, fails, found, read


def test_a_page_that_lists_a_folder_is_walked(site: Site) -> None:
    page = """<html><a href="?C=M;O=D">Date</a><a href="../">up</a><a href="b%2010.png">b</a>
        <a href="/p/b%209.png">b</a><a href="./sub/">s</a><a href="#x">x</a><a name="y">
        <a href="n.txt">n</a><a href="http://elsewhere/p/z.png">z</a><a href="sub/deep.png">d</a>
        <a href="file:///etc/passwd.png">p</a><a href="http://[bad">b</a><a href="b%209.png">"""
    site.pages["/p/"] = answer(page.encode())
    site.pages["/p/sub/"] = answer(b'<a href="caf%C3%A9.png">')
    for name in ("/p/b%209.png", "/p/b%2010.png", "/p/sub/caf%C3%A9.png"):
        site.pages[name] = answer(image_bytes())
    paths = found(f"{site.url}/p/")
    assert paths == [
        f"{site.url}/p/{name}" for name in ("b%209.png", "b%2010.png", "sub/caf%C3%A9.png")
    ]
    assert all(read(path).shape == (96, 96, 3) for path in paths)
    assert found(f"{site.url}/p/", include=("b 9*",)) == paths[:1]
    assert found(f"{site.url}/p/a.png?id=1", f"{site.url}/p/a.png?id=2") == [
        f"{site.url}/p/a.png?id=1", f"{site.url}/p/a.png?id=2",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        (404, "no such file: HTTP 404"),
        (403, "permission denied: HTTP 403"),
        (401, "permission denied: HTTP 401"),
        (400, "refused by the host: HTTP 400"),
    ],
)
def test_permanent_errors_are_not_retried(site: Site, code: int, reason: str) -> None:
    site.pages["/a.jpg"] = answer(b"", code)
    assert fails(f"{site.url}/a.jpg") == reason
    assert site.requests["/a.jpg"] == 1
    site.pages["/p/"] = answer(b"", code)
    assert errors(f"{site.url}/p/") == [f"folder cannot be listed: {reason.lower()}"]


@pytest.mark.parametrize("fault", [500, 502, 503, 504, 429, "cut", "closed"])
def test_temporary_errors_are_retried(site: Site, fault: int | str) -> None:
    def flaky(request: BaseHTTPRequestHandler) -> None:
        data = image_bytes()
        if site.requests["/a.png"] > 2:
            answer(data)(request)
        elif fault == "cut":
            answer(data[:20], length=len(data))(request)
        elif fault == "closed":
            request.connection.close()
        else:
            answer(b"", int(fault))(request)

    site.pages["/a.png"] = flaky
    assert read(f"{site.url}/a.png").shape == (96, 96, 3)
    assert site.requests["/a.png"] == 3


@pytest.mark.parametrize(
    ("handler", "reason"),
    [
        (answer(b"", 500), "host has a fault: HTTP 500"),
        (answer(b"", 503), "host is busy: HTTP 503"),
        (answer(b"abc", length=9), "connection was cut"),
    ],
)
def test_the_number_of_retries_is_limited(site: Site, handler: Any, reason: str) -> None:
    site.pages["/a.png"] = handler
    assert fails(f"{site.url}/a.png") == reason
    assert site.requests["/a.png"] == limits.ATTEMPTS


def test_the_pause_that_a_host_requests_is_limited(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "LONGEST_WAIT", 0.3)
    pauses: list[float] = []
    monkeypatch.setattr("tenacity.sleep_using_event", lambda stop: pauses.append)

    def busy(request: BaseHTTPRequestHandler) -> None:
        if site.requests["/a.png"] > 1:
            answer(image_bytes())(request)
            return
        request.send_response(429)
        request.send_header("Retry-After", "3600")
        request.send_header("Content-Length", "0")
        request.end_headers()

    site.pages["/a.png"] = busy
    read(f"{site.url}/a.png")
    assert pauses == [0.3]


def test_a_host_that_cannot_be_reached_is_an_error_row() -> None:
    assert fails("http://127.0.0.1:1/a.png") == "host cannot be reached"
    assert errors("http://127.0.0.1:1/p/") == ["folder cannot be listed: host cannot be reached"]


def test_a_slow_or_silent_server_times_out(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "REQUEST_SECONDS", 0.3)
    monkeypatch.setattr(limits, "TOTAL_SECONDS", 0.2)
    release = threading.Event()

    def drip(request: BaseHTTPRequestHandler) -> None:
        request.send_response(200)
        request.end_headers()
        while not release.wait(0.05):
            request.wfile.write(b"x")

    site.pages["/drip.png"] = drip
    site.pages["/hang.png"] = hold(release)
    try:
        assert fails(f"{site.url}/drip.png").startswith("timed out")
        assert fails(f"{site.url}/hang.png").startswith("timed out")
    finally:
        release.set()
    assert site.requests == {"/drip.png": 1, "/hang.png": 1}


def test_huge_files_are_refused_before_they_are_fetched(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "FILE_LIMIT", 100_000)

    def endless(request: BaseHTTPRequestHandler) -> None:
        request.send_response(200)
        request.end_headers()
        while True:
            request.wfile.write(bytes(1 << 16))

    site.pages["/declared.png"] = answer(b"", length=1 << 40)
    site.pages["/undeclared.png"] = endless
    assert fails(f"{site.url}/declared.png") == "file too large: over 100,000 bytes"
    assert fails(f"{site.url}/undeclared.png") == "file too large: over 100,000 bytes"


def test_redirects_lead_only_to_web_servers(site: Site, tmp_path: Path) -> None:
    draw(tmp_path / "a.png")

    def to(target: str) -> Callable[[BaseHTTPRequestHandler], None]:
        def handle(request: BaseHTTPRequestHandler) -> None:
            request.send_response(302)
            request.send_header("Location", target)
            request.send_header("Content-Length", "0")
            request.end_headers()

        return handle

    site.pages |= {
        "/file.png": to(f"file://{tmp_path}/a.png"),
        "/circle.png": to("/circle.png"),
        "/good.png": to("/a.png"),
        "/a.png": answer(image_bytes()),
    }
    assert fails(f"{site.url}/file.png") == "not a URL that can be read"
    assert fails(f"{site.url}/circle.png") == "refused by the host: redirect loop"
    assert read(f"{site.url}/good.png").shape == (96, 96, 3)


def test_a_web_page_is_an_error_row(site: Site) -> None:
    site.pages["/a"] = answer(b"<!doctype html><title>Log in</title>")
    assert fails(f"{site.url}/a") == "not an image: a web page"
