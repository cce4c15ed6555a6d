"""Weights are downloaded completely or not at all, from their host or a mirror."""

from __future__ import annotations

import base64
import hashlib
import os
import socket
import stat
import threading
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest

from mnv2cli.errors import InputError, WeightsError
from mnv2cli.models import available
from mnv2cli.models import download as downloads
from mnv2cli.models.download import Origin, address, download, mirrored_at, published_at, reach
from mnv2cli.models.mobilenet_v2 import MobileNetV2
from tests.checkpoints import place_lite0
from tests.hosts import Handler, answer, hold, host, trickle


def fails(handle: Handler, path: Path) -> WeightsError:
    with host(handle) as url:
        with pytest.raises(WeightsError) as caught:
            download(Origin(url, str(path)))
        assert url in caught.value.hint and str(path) in caught.value.hint
        assert "internet" in caught.value.hint
        return caught.value


def test_a_download_is_complete_and_reports_progress(tmp_path: Path, hdf5: bytes) -> None:
    path = tmp_path / "models" / "w.h5"
    calls: list[tuple[str, int, int | None]] = []
    with host(answer(hdf5)) as url:
        download(Origin(url, str(path)), lambda *args: calls.append(args))
    assert path.read_bytes() == hdf5
    assert calls[0] == ("w.h5", 0, len(hdf5)) and calls[-1] == ("w.h5", len(hdf5), len(hdf5))
    assert [p.name for p in path.parent.iterdir()] == ["w.h5"]
    umask = os.umask(0)
    os.umask(umask)
    assert stat.S_IMODE(path.stat().st_mode) == 0o666 & ~umask


@pytest.mark.parametrize(
    ("body", "code", "length", "message"),
    [
        (b"", 404, None, "the host answered 404 Not Found"),
        (b"", 500, None, "the host answered 500 Internal Server Error"),
        (b"\x89HDF\r\n\x1a\n" + b"x" * 100, 200, 5000, "the connection ended after 108 of 5,000"),
        (b"<!DOCTYPE html><html>Log in</html>", 200, None, "is a web page"),
        (b"", 200, None, "is empty"),
        (b"not weights", 200, None, "is not in HDF5 format"),
        (b"\x89HDF\r\n\x1a\n" + b"x" * 3000, 200, None, "is damaged"),
    ],
)
def test_a_download_that_fails_gives_the_reason_and_leaves_nothing(
    tmp_path: Path, body: bytes, code: int, length: int | None, message: str
) -> None:
    path = tmp_path / "models" / "w.h5"
    error = fails(answer(body, code, length), path)
    assert message in error.message
    assert list(path.parent.iterdir()) == []


def test_the_reason_of_a_host_is_one_line_without_secrets(tmp_path: Path) -> None:
    def refuse(request: BaseHTTPRequestHandler) -> None:
        request.send_response(403, "ask https://me:secret@host/ first")
        request.end_headers()

    def redirect_to_itself(request: BaseHTTPRequestHandler) -> None:
        request.send_response(302)
        request.send_header("Location", request.path)
        request.end_headers()

    message = fails(refuse, tmp_path / "w.h5").message
    assert "403 ask https://***@host/ first" in message
    message = fails(redirect_to_itself, tmp_path / "w.h5").message
    assert "the host answered 302, a redirect that cannot be followed" in message
    assert "30x" not in message


def test_an_answer_without_length_or_content_fails_at_once(tmp_path: Path) -> None:
    def nothing(request: BaseHTTPRequestHandler) -> None:
        request.send_response(200)
        request.end_headers()

    # A host that times out has another message: "did not answer within ... seconds".
    assert "is empty" in fails(nothing, tmp_path / "w.h5").message


def test_a_failed_refresh_keeps_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "w.h5"
    path.write_text("old")
    fails(answer(b"", 404), path)
    assert path.read_text() == "old"


def test_a_silent_host_times_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(downloads, "TIMEOUT", 0.3)
    release = threading.Event()
    error = fails(hold(release), tmp_path / "m" / "w.h5")
    release.set()
    assert "did not answer within" in error.message


def test_a_host_that_sends_bytes_too_slowly_times_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(downloads, "TIMEOUT", 0.5)
    release = threading.Event()
    error = fails(trickle(release, seconds=4), tmp_path / "m" / "w.h5")
    assert not release.is_set()  # nothing waited for the end
    release.set()
    assert "did not answer within" in error.message


def test_an_unreachable_host_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
    with pytest.raises(WeightsError, match="connection refused"):
        download(Origin(f"http://127.0.0.1:{port}/w.h5", str(tmp_path / "w.h5")))

    def unknown(*args: object) -> None:
        raise socket.gaierror(-2, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    with pytest.raises(WeightsError, match="host name not found"):
        download(Origin("http://host.invalid/w.h5", str(tmp_path / "w.h5")))


def test_a_redirect_loop_ends(tmp_path: Path) -> None:
    def redirect(request: BaseHTTPRequestHandler) -> None:
        request.send_response(302)
        request.send_header("Location", request.path)
        request.end_headers()

    error = fails(redirect, tmp_path / "w.h5")
    assert "302" in error.message


def test_an_endless_download_is_stopped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(downloads, "LARGEST_FILE", 100_000)
    error = fails(answer(b"\x89HDF\r\n\x1a\n" + b"x" * 400_000), tmp_path / "m" / "w.h5")
    assert "far too large" in error.message


def test_a_folder_that_cannot_be_written_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(WeightsError, match="cannot write to the weights folder") as caught:
        download(Origin("http://127.0.0.1:1/w.h5", str(tmp_path / "file" / "w.h5")))
    assert "KERAS_HOME" in caught.value.hint


def test_interrupting_a_download_leaves_nothing(tmp_path: Path, hdf5: bytes) -> None:
    def interrupt(name: str, done: int, total: int | None) -> None:
        if done:
            raise KeyboardInterrupt

    with host(answer(hdf5)) as url, pytest.raises(KeyboardInterrupt):
        download(Origin(url, str(tmp_path / "m" / "w.h5")), interrupt)
    assert list((tmp_path / "m").iterdir()) == []


def test_a_silent_host_times_out_and_the_other_network_is_used(
    no_weights: str, lite0_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place_lite0(lite0_file)
    monkeypatch.setattr(downloads, "CONNECT_TIMEOUT", 0.3)
    with socket.socket() as silent:  # accepts no connection: its queue is full
        silent.bind(("127.0.0.1", 0))
        silent.listen(0)
        clients = [socket.socket() for _ in range(4)]
        for client in clients:
            client.setblocking(False)
            client.connect_ex(silent.getsockname())
        monkeypatch.setenv("MNV2_WEIGHTS_URL", f"http://127.0.0.1:{silent.getsockname()[1]}/")
        with pytest.raises(WeightsError, match=r"did not answer within 0\.3 seconds"):
            MobileNetV2().fetch()
        warnings: list[str] = []
        available(MobileNetV2(), named=False, warn=warnings.append)
        for client in clients:
            client.close()
    assert len(warnings) == 1


def test_a_mirror_serves_the_published_file(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    model = MobileNetV2(alpha=0.35, size=96)
    body = (home / "models" / model.file_name).read_bytes()
    with host(answer(body)) as url:
        monkeypatch.setenv("MNV2_WEIGHTS_URL", url.rpartition("/")[0])  # without a trailing slash
        assert model.origin.url == f"{url.rpartition('/')[0]}/{model.file_name}"
        path = model.fetch()
    assert Path(path).read_bytes() == body


def test_a_mirror_may_be_a_folder(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    monkeypatch.setenv("MNV2_WEIGHTS_URL", (home / "models").as_uri())
    assert os.path.getsize(MobileNetV2(alpha=0.35, size=96).fetch()) > 1_000_000


@pytest.mark.parametrize(
    "url", ["ftp://host/", "/folder", "http://", "http://host:x/", "data:,x", "http://a b/"]
)
def test_invalid_addresses_are_refused(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(InputError, match="cannot download weights from"):
        address(url)
    monkeypatch.setenv("MNV2_WEIGHTS_URL", url)
    with pytest.raises(InputError, match="cannot download weights from"):
        published_at("https://host/", "w.h5")


def test_a_mirror_is_a_folder_or_the_file_itself() -> None:
    suffixes = (".h5", ".pth")
    for mirror in ("http://host/a", "http://host/a/"):
        assert mirrored_at(mirror, "w.h5", suffixes) == "http://host/a/w.h5"
    assert mirrored_at("http://host/my.h5", "w.h5", suffixes) == "http://host/my.h5"
    with pytest.raises(InputError, match="cannot download weights from"):
        mirrored_at("ftp://host/", "w.h5", suffixes)


def test_reach_returns_why_a_file_cannot_be_downloaded(no_weights: str) -> None:
    for code in (200, 405, 503):
        with host(answer(b"", code), head=True) as url:
            assert reach(url) == ""
    with host(answer(b"", 404), head=True) as url:
        assert reach(url) == "the host answered 404 Not Found"
    assert reach(no_weights) == "connection refused"


def guarded(body: bytes, user: str, password: str) -> Handler:
    """Answer requests with this login with the body, others with 401."""
    token = base64.b64encode(f"{user}:{password}".encode()).decode()

    def handle(request: BaseHTTPRequestHandler) -> None:
        allowed = request.headers.get("Authorization") == f"Basic {token}"
        answer(body if allowed else b"", 200 if allowed else 401)(request)

    return handle


def test_the_user_and_password_of_a_mirror_are_sent(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    model = MobileNetV2(alpha=0.35, size=96)
    body = (home / "models" / model.file_name).read_bytes()
    with host(guarded(body, "me@work", "s3cret/ü"), head=True) as url:
        folder = url.rpartition("/")[0].replace("://", "://me%40work:s3cret%2F%C3%BC@")
        monkeypatch.setenv("MNV2_WEIGHTS_URL", folder)
        assert reach(model.origin.url) == ""
        assert Path(model.fetch()).read_bytes() == body


def test_the_user_and_password_of_a_mirror_are_never_shown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    pages = (guarded(b"", "me", "right"), answer(b"", 404), answer(b"<html>"), answer(b""))
    for handle in pages:
        with host(handle) as url:
            folder = url.rpartition("/")[0].replace("://", "://me:s3cret@")
            monkeypatch.setenv("MNV2_WEIGHTS_URL", folder)
            model = MobileNetV2(alpha=0.35, size=96)
            with pytest.raises(WeightsError) as caught:
                model.fetch()
            assert "s3cret" not in str(caught.value) + repr(model.origin)
            assert f"{url.rpartition('/')[0].replace('://', '://***@')}/" in caught.value.hint
    error = fails(guarded(b"", "me", "right"), tmp_path / "w.h5")
    assert "401" in error.message and "USER:PASSWORD@" in error.hint


@pytest.mark.parametrize(
    "url",
    ["https://me:s3cret/x@host/", "https://me:s3cret#x@host/", "me:s3cret@host/", "ftp://me:s3cret@h/",
     "http://me:s3cret@host:x/"],
)  # fmt: skip
def test_a_malformed_address_is_shown_without_its_password(url: str) -> None:
    with pytest.raises(InputError) as caught:
        address(url)
    assert "s3cret" not in str(caught.value) and "***@h" in caught.value.message
    assert "%2F" in caught.value.hint


def test_the_user_and_password_are_not_sent_to_the_host_of_a_redirect(
    tmp_path: Path, hdf5: bytes
) -> None:
    seen: list[str | None] = []

    def elsewhere(request: BaseHTTPRequestHandler) -> None:
        seen.append(request.headers.get("Authorization"))
        answer(hdf5)(request)

    with host(elsewhere) as other:

        def redirect(request: BaseHTTPRequestHandler) -> None:
            seen.append(request.headers.get("Authorization"))
            request.send_response(302)
            to = other if request.path == "/b.h5" else "/b.h5"
            request.send_header("Location", to)
            request.end_headers()

        with host(redirect) as url:
            with_login = url.replace("://", "://me:s3cret@")
            download(Origin(with_login, str(tmp_path / "w.h5")))
    assert seen[0] and seen[1] == seen[0] and seen[2] is None


def test_a_file_with_a_known_digest_must_have_it(tmp_path: Path, hdf5: bytes) -> None:
    right = f"sha256:{hashlib.sha256(hdf5).hexdigest()}"
    legacy = f"md5:{hashlib.md5(hdf5, usedforsecurity=False).hexdigest()}"
    path = tmp_path / "w.h5"
    for checksum in (right, legacy):
        with host(answer(hdf5)) as url:
            download(Origin(url, str(path), checksum))
        assert path.read_bytes() == hdf5
        path.unlink()
    page = b"<html>Please log in</html>"
    for body, message in ((hdf5 + b"\0", "its SHA256 is"), (page, "is a web page")):
        with host(answer(body)) as url, pytest.raises(WeightsError, match=message) as caught:
            download(Origin(url, str(path), right))
        assert "mnv2 models import FILE" in caught.value.hint and not path.exists()
