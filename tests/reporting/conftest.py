"""Fixtures: a headless Chromium that counts requests and console messages."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
NO_CHROMIUM = "chromium is not installed"


@pytest.fixture(scope="session")
def chromium() -> Iterator[Any]:
    """Start the system's Chromium; skip the test if there is none."""
    if CHROMIUM is None:
        if "chromium" in os.environ.get("MNV2_TESTS_REQUIRE", ""):
            pytest.fail(NO_CHROMIUM)
        pytest.skip(NO_CHROMIUM)
    api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    with api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox", "--disable-dev-shm-usage"]
        )
        yield browser
        browser.close()


OpenPage = Callable[..., Any]


@pytest.fixture
def open_page(chromium: Any) -> Iterator[OpenPage]:
    """Return a function that opens a file in a new window.

    At the end of the test no window may have shown a console message or an error, nor requested
    anything but local files.
    """
    contexts, found = [], []

    def open_file(path: Path | str, fragment: str = "", **options: Any) -> Any:
        context = chromium.new_context(**{"viewport": {"width": 1200, "height": 800}, **options})
        context.set_default_timeout(10_000)
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda message: found.append(f"console: {message.text}"))
        page.on("pageerror", lambda error: found.append(f"error: {error}"))
        page.on("request", lambda request: _check(request.url, found))
        page.goto(Path(path).resolve().as_uri() + fragment)
        return page

    yield open_file
    for context in contexts:
        context.close()
    assert not found


def _check(url: str, found: list[str]) -> None:
    if not url.startswith(("file:", "data:", "blob:")):
        found.append(f"request: {url}")
