"""The LiteRT engine on models that it cannot open."""

from __future__ import annotations

import os
import signal
import sys
from contextlib import suppress
from pathlib import Path
from types import ModuleType

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


@pytest.mark.usefixtures("default_signals")
def test_ctrl_c_during_the_import_of_litert_is_not_an_error_of_the_model(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Losing(ModuleType):
        """Its import loses a KeyboardInterrupt, as those of numpy's C extensions do."""

        def __getattr__(self, name: str) -> object:
            with suppress(KeyboardInterrupt):
                os.kill(os.getpid(), signal.SIGINT)
            raise ImportError("numpy.core.multiarray failed to import")

    name = "ai_edge_litert.interpreter"
    monkeypatch.setitem(sys.modules, name, Losing(name))
    with pytest.raises(KeyboardInterrupt):
        LiteRTEngine(Compiled(str(tmp_path / "model.tflite"), "", 0, 127.5, 1.0))
