"""URLs are shown without their secrets."""

from __future__ import annotations

import pytest

from mnv2cli.system.urls import redact, redact_address, split_login


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ("https://me:pass@host/a@b", "https://***@host/a@b"),
        ("https://host/a@b", "https://host/a@b"),
        ("https://me:pa/ss@host/", "https://***@host/"),
        ("me:pass@host/", "***@host/"),
        ("https://host/?token=abc", "https://host/?token=***"),
        ("file:///photos/a@b/", "file:///photos/a@b/"),
        ("https://host:8080/", "https://host:8080/"),
        ("/a folder/of mine", "/a folder/of mine"),
    ],
)
def test_an_address_is_redacted_even_if_malformed(given: str, shown: str) -> None:
    assert redact_address(given) == shown


def test_text_around_a_url_stays() -> None:
    assert redact("see https://me:pass@host/ or me@host") == "see https://***@host/ or me@host"


def test_a_login_is_split_off_and_decoded() -> None:
    assert split_login("https://host/x") == ("https://host/x", None)
    plain, login = split_login("https://me%40work:a%2Fb@host:8/x?y=1")
    assert (plain, login) == ("https://host:8/x?y=1", ("me@work", "a/b"))
    assert split_login("http://token@host/") == ("http://host/", ("token", ""))
