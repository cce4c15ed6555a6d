"""Choosing and adding a family of networks."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import Result

from mnv2cli.cli.classify import classify
from mnv2cli.errors import InputError
from mnv2cli.models import (
    DEFAULT_MODEL,
    MODELS,
    Family,
    Model,
    ModelOptions,
    all_models,
    available,
    convnext_tiny,
    efficientnet_lite0,
    efficientnet_v2_b0,
    mobilenet_v2,
    mobilenet_v3_large,
    open_model,
    register,
)
from mnv2cli.models.importing import options_of_file

TOY = """
from mnv2cli.models import ModelOptions

SUFFIX = ".toy"

class Toy:
    family, name, model, alpha, size = "toy", "Toy", "toy", 1.0, 8
    weights, divisor, shift, ideas = "", 255.0, 0.0, ()
    packaged, how_to_get, cached = False, "make toy", "/nowhere/w.toy"

    def find(self):
        return ""

    def fetch(self):
        return "here"

def create(options, progress):
    progress("toy", 1, 1)
    return Toy()

def variants():
    yield Toy()

def options_of_file(file_name):
    return ModelOptions("toy") if file_name.endswith(SUFFIX) else None
"""


@pytest.fixture
def toy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Register a family whose module is in another folder."""
    (tmp_path / "mnv2_toy_family.py").write_text(TOY)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr("mnv2cli.models.registry.MODELS", dict(MODELS))
    register("toy", "mnv2_toy_family")


def test_a_family_is_added_by_a_module_and_a_line(toy: None) -> None:
    calls: list[tuple[str, int, int | None]] = []
    model = open_model(ModelOptions("toy"), lambda *args: calls.append(args))
    assert model.name == "Toy" and calls == [("toy", 1, 1)]
    assert available(model, named=True, warn=pytest.fail) is model
    assert [each.model for each in all_models()][-1] == "toy"
    assert options_of_file("x/w.toy", ModelOptions()) == ModelOptions("toy")


def test_a_new_family_is_listed_without_figures(toy: None, invoke: Callable[..., Result]) -> None:
    last = json.loads(invoke("models", "list", "--json").stdout)[-1]
    assert last == {
        "model": "toy", "size": 8, "top1": None, "parameters": None, "multiply_adds": None,
        "weights": None, "missing": "make toy", "compiled": [],
    }  # fmt: skip
    lines = [line.split() for line in invoke("models", "list").stdout.splitlines()]
    assert ["toy", "8", "-", "-", "-", "-", "-"] in lines


def test_the_names_on_the_command_line_are_those_of_the_families() -> None:
    assert next(iter(MODELS)) == DEFAULT_MODEL == "mobilenet_v2"
    assert [open_model(ModelOptions(name)).family for name in MODELS] == list(MODELS)
    choices = {
        param.name: tuple(param.type.choices)
        for param in classify.params
        if isinstance(param.type, click.Choice)
    }
    assert (
        choices["model"]
        == tuple(MODELS)
        == (
            "mobilenet_v2",
            "efficientnet_lite0",
            "mobilenet_v3_large",
            "efficientnet_v2_b0",
            "convnext_tiny",
        )
    )


def test_the_modules_implement_the_protocol_of_families() -> None:
    modules: list[Family] = [
        mobilenet_v2,
        efficientnet_lite0,
        mobilenet_v3_large,
        efficientnet_v2_b0,
        convnext_tiny,
    ]
    assert [module.SUFFIX for module in modules] == [".h5", ".pth", ".h5", ".h5", ".h5"]
    models: list[Model] = [next(module.variants()) for module in modules]
    assert [model.family for model in models] == list(MODELS)


def test_the_registry_imports_no_family() -> None:
    code = (
        "import sys, mnv2cli.models\n"
        "print(*sorted(m for m in sys.modules if m.startswith('mnv2cli.models.')))\n"
        "print(*{'numpy', 'tensorflow', 'keras', 'h5py'} & set(sys.modules))\n"
        "list(mnv2cli.models.all_models())\n"
        "print(*{'numpy', 'tensorflow', 'keras', 'h5py'} & set(sys.modules))\n"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    light, *heavy = run.stdout.splitlines()
    assert light.split() == [
        f"mnv2cli.models.{m}" for m in ("options", "own", "protocol", "registry")
    ]
    assert heavy == ["", ""]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"name": "resnet"}, "unknown model 'resnet': choose from mobilenet_v2, eff"),
        ({"name": 5}, "unknown model 5: choose from mobilenet_v2"),
        ({"name": "efficientnet_lite0", "alpha": 0.5}, "supports only alpha 1.0 and size 224"),
        ({"name": "efficientnet_lite0", "size": 96}, "supports only alpha 1.0 and size 224"),
        ({"name": "efficientnet_lite0", "refresh": True}, "its weights come in a package"),
        ({"name": "efficientnet_lite0", "weights": "no.pth"}, "weights file not found: no.pth"),
        (
            {"name": "convnext_tiny", "size": 256},
            "ConvNeXt-Tiny supports only alpha 1.0 and size 2",
        ),
        ({"name": "mobilenet_v3_large", "alpha": 0.75}, "supports only alpha 1.0 and size 224"),
        ({"name": "efficientnet_v2_b0", "weights": "no.h5"}, "weights file not found: no.h5"),
        ({"accurate": True, "size": 224}, "--accurate cannot be combined with --size"),
        (
            {"accurate": True, "name": "efficientnet_lite0"},
            "--model efficientnet_lite0: its scores",
        ),
        ({"accurate": True, "name": "convnext_tiny"}, "--model convnext_tiny: its gain has not"),
        ({"alpha": 0.4}, "no weights are published"),
        ({"alpha": 0}, "no weights are published"),
    ],
)
def test_models_that_do_not_exist_are_refused(options: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        open_model(ModelOptions(**options))
