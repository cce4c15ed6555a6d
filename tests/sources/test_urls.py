"""URLs are distinguished from local names, and redacted."""

from __future__ import annotations

from pathlib import Path

import pytest

from mnv2cli.sources.urls import is_url
from mnv2cli.system.urls import redact
from tests.conftest import draw
from tests.sources.helpers import found, read


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("s3://b/a.jpg", True),
        ("HTTPS://h/a.jpg", True),
        ("C://photos/a.jpg", False),
        ("photos/a.jpg", False),
        ("://a", False),
        ("a b://c", False),
        ("", False),
    ],
)
def test_urls_are_distinguished_from_local_names(text: str, wanted: bool) -> None:
    assert is_url(text) is wanted


def test_a_local_file_named_like_a_url_is_local(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    draw(tmp_path / "s3:" / "b" / "a.jpg")
    assert not is_url("s3://b/a.jpg")
    assert found("s3://b/a.jpg", "s3://b") == ["s3://b/a.jpg"]
    assert read("s3://b/a.jpg").shape == (96, 96, 3)


@pytest.mark.parametrize(
    ("url", "wanted"),
    [
        ("https://u:secret@h/a.jpg", "https://***@h/a.jpg"),
        ("https://token@h/a.jpg?x=1", "https://***@h/a.jpg?x=1"),
        ("https://u:p@ss@h/@a.jpg", "https://***@h/@a.jpg"),
        (
            "https://h/a.jpg?X-Amz-Credential=A%2Fb&X-Amz-Date=1&X-Amz-Signature=abc",
            "https://h/a.jpg?X-Amz-Credential=***&X-Amz-Date=1&X-Amz-Signature=***",
        ),
        ("https://h/a?sv=1&sig=x%3D#f", "https://h/a?sv=1&sig=***#f"),
        ("zip://a.jpg::https://u:s@h/z.zip?token=t", "zip://a.jpg::https://***@h/z.zip?token=***"),
        ("no such https://u:s@h/a: x", "no such https://***@h/a: x"),
        ("s3://b/me@home/a=b.jpg", "s3://b/me@home/a=b.jpg"),
        ("zip://a@2x.png::z.zip", "zip://a@2x.png::z.zip"),
        ("memory://a@b.jpg", "memory://a@b.jpg"),
        ("zip://a@b.png::ftp://u:s@h/z.zip", "zip://a@b.png::ftp://***@h/z.zip"),
        ("ftp://u:my pass@h/a.jpg", "ftp://***@h/a.jpg"),
        ("https://h/a.jpg#access_token=t", "https://h/a.jpg#access_token=***"),
        ("https://h/a.jpg?id=3&w=10", "https://h/a.jpg?id=3&w=10"),
        ("a?token=x", "a?token=x"),
    ],
)
def test_secrets_of_urls_are_not_shown(url: str, wanted: str) -> None:
    assert redact(url) == wanted
