"""Choosing and adding an engine."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from mnv2cli.engines import (
    ENGINES,
    EngineOptions,
    auto,
    keras_engine,
    litert,
    open_engine,
    register,
)
from mnv2cli.engines.protocol import EngineModule
from mnv2cli.errors import CompileError, InputError
from tests.conftest import FakeEngine
from tests.engines.test_cache import Stub

TOY = """
from tests.conftest import FakeEngine

PRECISIONS = ("float32",)
COMPILES = False

def unavailable(precision):
    return None

def create(options, network, calibration, notify):
    notify(f"{options.name} runs {network.name}")
    return FakeEngine()
"""


@pytest.fixture
def toy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Register an engine whose module is in another folder."""
    (tmp_path / "mnv2_toy_engine.py").write_text(TOY)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr("mnv2cli.engines.registry.ENGINES", dict(ENGINES))
    register("toy", "mnv2_toy_engine")


def test_an_engine_is_added_by_a_module_and_a_line(toy: None) -> None:
    notices: list[str] = []
    engine = open_engine(EngineOptions("toy"), Stub(), notify=notices.append)
    assert isinstance(engine, FakeEngine) and notices == ["toy runs Stub"]
    assert engine.predict(np.zeros((2, 96, 96, 3), np.uint8)).shape == (2, 1000)
    with pytest.raises(InputError, match="--precision int8 requires --engine litert"):
        open_engine(EngineOptions("toy", "int8"), Stub())


def test_the_benchmark_and_the_doctor_use_the_registry_of_engines(
    toy: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    from mnv2cli.diagnostics.bench.measure import plan_cases, usable_engines
    from mnv2cli.diagnostics.doctor import examine
    from mnv2cli.diagnostics.doctor.probe import EngineProbe
    from mnv2cli.models import ModelOptions

    plan = plan_cases("photos", ModelOptions(), usable_engines("photos", 300))
    assert {"infer toy", "mnv2 toy"} <= set(plan)
    monkeypatch.setattr(examine, "probe_engine", lambda name: EngineProbe(True, network=name))
    monkeypatch.setattr(examine, "reach_host", lambda: ("http://127.0.0.1:9/", "refused"))
    found = [check.name for check in examine.examine() if check.group == "Engines"]
    assert found == ["litert", "keras", "toy", "GPU"]


def test_an_engine_that_cannot_run_here_gives_the_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    module = ModuleType("mnv2_absent_engine")
    module.PRECISIONS = ("float32",)  # type: ignore[attr-defined]
    module.unavailable = lambda precision: InputError("no such chip")  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "mnv2_absent_engine", module)
    monkeypatch.setitem(ENGINES, "absent", "mnv2_absent_engine")
    with pytest.raises(InputError, match="no such chip"):
        open_engine(EngineOptions("absent"), Stub())


def test_engines_that_do_not_exist_are_refused() -> None:
    with pytest.raises(InputError, match="unknown engine 'onnx': choose from auto, litert, keras"):
        open_engine(EngineOptions("onnx"), Stub())
    with pytest.raises(InputError, match="--precision int8 requires --engine litert") as caught:
        open_engine(EngineOptions("keras", "int8"), Stub())
    assert caught.value.hint == "Omit --engine keras."


def test_the_names_are_in_order_and_import_no_heavy_library() -> None:
    assert list(ENGINES) == ["auto", "litert", "keras"]
    modules: list[EngineModule] = [auto, litert, keras_engine]
    precisions = [module.PRECISIONS for module in modules]
    assert precisions == [("float32", "int8"), ("float32", "int8"), ("float32",)]
    code = (
        "import sys, mnv2cli.engines\n"
        "from mnv2cli.engines.registry import engine_module\n"
        "print(*sorted(m for m in sys.modules if m.startswith('mnv2cli.engines.')))\n"
        "for name in mnv2cli.engines.ENGINES: engine_module(name)\n"
        "print(*{'numpy', 'tensorflow', 'keras', 'ai_edge_litert', 'PIL'} & set(sys.modules))\n"
    )
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    light, heavy = result.stdout.splitlines()
    assert light.split() == [f"mnv2cli.engines.{m}" for m in ("options", "protocol", "registry")]
    assert heavy == ""


def chosen(options: EngineOptions, **more: Any) -> object:
    """Return the engine that is opened, or what a test replaces it with."""
    return open_engine(options, Stub(), **more)


def test_engines_are_chosen_by_hardware_and_packages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mnv2cli.engines.keras_engine.KerasEngine", lambda network: "keras")
    monkeypatch.setattr("mnv2cli.engines.litert.LiteRTEngine", lambda compiled: "litert")
    monkeypatch.setattr("mnv2cli.engines.litert.find_or_compile", lambda *_: None)
    monkeypatch.setattr("mnv2cli.engines.litert.is_available", lambda: True)
    assert chosen(EngineOptions("auto")) == "litert"
    assert chosen(EngineOptions("keras")) == "keras"
    monkeypatch.setattr("mnv2cli.engines.auto.tensorflow_has_gpu", lambda: True)
    assert chosen(EngineOptions("auto")) == "keras"
    assert chosen(EngineOptions(precision="int8")) == "litert"
    monkeypatch.setattr("mnv2cli.engines.litert.is_available", lambda: False)
    assert chosen(EngineOptions("auto")) == "keras"
    for name, precision in [("litert", "float32"), ("auto", "int8")]:
        with pytest.raises(InputError, match="LiteRT is not installed"):
            open_engine(EngineOptions(name, precision), Stub())  # type: ignore[arg-type]


def test_auto_uses_keras_if_litert_cannot_compile(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: Any) -> None:
        raise CompileError("it cannot be compiled")

    notices: list[str] = []
    monkeypatch.setattr("mnv2cli.engines.keras_engine.KerasEngine", lambda network: "keras")
    monkeypatch.setattr("mnv2cli.engines.litert.find_or_compile", fail)
    monkeypatch.setattr("mnv2cli.engines.litert.is_available", lambda: True)
    monkeypatch.setattr("mnv2cli.engines.auto.tensorflow_has_gpu", lambda: False)
    assert chosen(EngineOptions(), notify=notices.append) == "keras"
    assert notices == ["Using the keras engine, which is slower: it cannot be compiled."]
    for options in (EngineOptions("litert"), EngineOptions(precision="int8")):
        with pytest.raises(CompileError):
            open_engine(options, Stub())
