"""``--csv-safe`` keeps cells from being run as formulas."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result

from tests.conftest import draw


def test_csv_safe_escapes_formulas(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    invoke: Callable[..., Result],
    fake_engine: object,
) -> None:
    monkeypatch.chdir(tmp_path)
    draw(tmp_path / "=1+1.png")
    assert """\n"'=1+1.png","ok",""" in invoke("classify", "=1+1.png", "-q", "--csv-safe").stdout
    assert "\n=1+1.png,ok" in invoke("classify", "=1+1.png", "-q").stdout
