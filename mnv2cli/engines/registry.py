"""The engines by name; a new one is a module here and a line in ``ENGINES``."""

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
"""The engines that a user may name, and the module of each, an ``EngineModule``."""


def register(name: str, module: str) -> None:
    """Add an engine, or replace one.

    Args:
        name: What users call it.
        module: The full name of its module, which is imported when the engine is first asked for.
    """
    ENGINES[name] = module


def engine_names() -> list[str]:
    """Return the names of the engines themselves, without ``auto``, which chooses one."""
    return [name for name in ENGINES if name != "auto"]


def engine_module(name: str) -> EngineModule:
    """Return the module of an engine.

    Raises:
        InputError: There is no such engine.
    """
    if name not in ENGINES:
        raise InputError(f"there is no engine {name!r}, only {', '.join(ENGINES)}")
    return cast("EngineModule", import_module(ENGINES[name]))


def check_precision(options: EngineOptions) -> None:
    """Check that the engine exists and computes in the precision, before anything heavy loads.

    Raises:
        InputError: It does not.
    """
    if options.precision not in engine_module(options.name).PRECISIONS:
        able = [
            name for name in engine_names() if options.precision in engine_module(name).PRECISIONS
        ]
        raise InputError(
            f"{options.precision} needs the {' or '.join(able)} engine",
            f"Leave out --engine {options.name}.",
        )


def open_engine(
    options: EngineOptions,
    network: Network,
    calibration: Calibration | None = None,
    notify: Notice = ignore_notice,
) -> Engine:
    """Open an engine on a network; this is where the heavy libraries are imported.

    Args:
        options: Which engine, and how it runs.
        network: What to run.
        calibration: The images for int8.
        notify: Called with what takes long, and what does not go as wished.

    Raises:
        InputError: There is no such engine, or it cannot run here or not in this precision.
        WeightsError: The network's weights cannot be had.
        CompileError: The engine that is asked for cannot compile the network.
    """
    check_precision(options)
    module = engine_module(options.name)
    if error := module.unavailable(options.precision):
        raise error
    return module.create(options, network, calibration, notify)
