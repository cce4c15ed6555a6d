"""The LiteRT engine on models that it cannot open."""

from __future__ import annotations

from pathlib import Path

import pytest

from mnv2cli.engines import litert
from mnv2cli.engines.cache import Compiled
from mnv2cli.engines.litert import LiteRTEngine
from mnv2cli.errors import CompileError

pytestmark = pytest.mark.skipif(not litert.is_available(), reason="LiteRT has no wheel here")


def test_a_model_that_litert_cannot_open_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "model.tflite").write_bytes(b"TFL3" * 100)
    broken = Compiled(str(tmp_path / "model.tflite"), "", 0, 127.5, 1.0)
    with pytest.raises(CompileError, match=r"cannot open .* with LiteRT"):
        LiteRTEngine(broken)
