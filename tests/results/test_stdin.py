"""Standard input that has something else than results is refused before all of it is kept."""

from __future__ import annotations

import io
import sys

import pytest

from mnv2cli.errors import InputError
from mnv2cli.results.stdin import results_file


class Endless(io.BytesIO):
    """Zeros without end."""

    def read(self, size: int | None = -1) -> bytes:
        assert size is not None and size >= 0
        return bytes(size)


def test_zeros_without_end_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(Endless()))
    with pytest.raises(InputError, match="standard input is not results"), results_file("-"):
        pass
