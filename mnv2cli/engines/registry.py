"""The engines by name; to add one, add a module here and a line to ``ENGINES``."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, cast

from mnv2cli.engines.options import EngineOptions
from mnv2cli.errors import InputError
from mnv2cli.events import Notice, ignore_notice

if TYPE_CHECKING:
    from mnv2cli.engines.calibration import Calibration
    from mnv2cli.engines.protocol import Engine, EngineModule, Network

ENGINES: dict[str, str] = {
    "auto": "mnv2cli.engines.auto",
    "litert": "mnv2cli.engines.litert",
    "keras": "mnv2cli.engines.keras_engine",
}
"""The engines that users can choose, each with its module, an ``EngineModule``."""


def register(name: str, module: str) -> None:
    """Add or replace an engine.

    Args:
        name: The name that users type.
        module: The full name of its module, which is imported on first use.
    """
    ENGINES[name] = module


def engine_names() -> list[str]:
    """Return the names of the engines, without ``auto``, which only chooses one."""
    return [name for name in ENGINES if name != "auto"]


def engine_module(name: str) -> EngineModule:
    """Return the module of an engine.

    Raises:
        InputError: The engine is unknown.
    """
    if name not in ENGINES:
        raise InputError(f"unknown engine {name!r}: choose from {', '.join(ENGINES)}")
    return cast("EngineModule", import_module(ENGINES[name]))


def check_precision(options: EngineOptions) -> None:
    """Check that the engine exists and supports the precision, before anything heavy loads.

    Raises:
        InputError: It is unknown or does not support it.
    """
    if options.precision not in engine_module(options.name).PRECISIONS:
        able = [
            name for name in engine_names() if options.precision in engine_module(name).PRECISIONS
        ]
        raise InputError(
            f"--precision {options.precision} requires --engine {' or '.join(able)}",
            f"Omit --engine {options.name}.",
        )


def open_engine(
    options: EngineOptions,
    network: Network,
    calibration: Calibration | None = None,
    notify: Notice = ignore_notice,
) -> Engine:
    """Open an engine on a network; imports the heavy libraries.

    Args:
        options: The engine, and how it runs.
        network: The network to run.
        calibration: The images to calibrate int8 on.
        notify: Called when a step takes a long time, or another engine or precision is used.

    Raises:
        InputError: The engine is unknown, or cannot run here or in this precision.
        WeightsError: The network's weights cannot be loaded.
        CompileError: The network cannot be compiled for the given engine.
    """
    check_precision(options)
    module = engine_module(options.name)
    if error := module.unavailable(options.precision):
        raise error
    return module.create(options, network, calibration, notify)
