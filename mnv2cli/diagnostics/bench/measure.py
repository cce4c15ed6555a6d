"""Measure all cases in several rounds; the best result of each case counts."""

from __future__ import annotations

from collections.abc import Container, Sequence
from dataclasses import replace
from itertools import groupby
from typing import get_args

from mnv2cli.diagnostics.bench.cases import CASES, PREPARE, Case, case_named
from mnv2cli.diagnostics.bench.images import image_folder
from mnv2cli.diagnostics.bench.processes import run_case, run_command
from mnv2cli.diagnostics.bench.results import ACCURATE, BenchResults, Result, best_of
from mnv2cli.diagnostics.bench.workload import Workload
from mnv2cli.engines.calibration import RELIABLE_IMAGES
from mnv2cli.engines.options import EngineOptions, Precision
from mnv2cli.engines.registry import engine_module, engine_names
from mnv2cli.events import Notice
from mnv2cli.models import open_model
from mnv2cli.models.options import ModelOptions
from mnv2cli.system.hardware import usable_cores

CasePlan = dict[str, tuple[Case, Workload]]
"""The cases to measure with their workloads, by the names of their results."""


def measure_machine(
    paths: Sequence[str],
    model: ModelOptions,
    *,
    images: int,
    rounds: int,
    notice: Notice,
    accurate: bool = False,
) -> BenchResults:
    """Measure every case on the user's images or on drawn ones.

    Args:
        paths: Files and folders; none for drawn images.
        model: The network.
        images: Number of images per case; fewer are repeated.
        rounds: Number of rounds of all cases; the best result of each case counts.
        notice: Called with a description of the current step.
        accurate: Also measure the network with ``--accurate``.

    Raises:
        InputError: The paths contain no JPEG or PNG image.
        Mnv2Error: A case fails.
    """
    measured = BenchResults(usable_cores())
    with image_folder(paths, images) as folder:
        engines = usable_engines(folder, images, open_model(model).precisions)
        plan = plan_cases(folder, model, engines)
        if accurate:
            plan |= plan_accurate(folder, model, engines[0])
        for name, workload in _compiled(plan).items():
            notice(f"Preparing {name}")
            run_case(PREPARE.name, PREPARE.name, workload)
        for turn in range(rounds):
            for name, (case, workload) in plan.items():
                notice(f"Measuring {name} (round {turn + 1} of {rounds})")
                result = measure_case(name, case, workload)
                measured.results[name] = best_of(result, measured.results.get(name))
    return measured


def usable_engines(
    folder: str, images: int, precisions: Container[str] = get_args(Precision)
) -> list[EngineOptions]:
    """Return every engine and precision that works here, the preferred one first.

    Args:
        folder: A folder of images to calibrate int8 on.
        images: The number of images.
        precisions: The precisions that the network supports.
    """
    engines = []
    for name in engine_names():
        module = engine_module(name)
        for precision in module.PRECISIONS:
            calibrate = folder if precision == "int8" else ""
            if calibrate and images < RELIABLE_IMAGES:  # fewer calibrate int8 badly
                continue
            if precision in precisions and not module.unavailable(precision):
                engines.append(EngineOptions(name, precision, calibrate))
    return engines


def plan_cases(folder: str, model: ModelOptions, engines: Sequence[EngineOptions]) -> CasePlan:
    """Return the cases to measure, in order; cases not per engine use the first engine."""
    plan: CasePlan = {}
    for per_engine, group in groupby(CASES, key=lambda case: case.per_engine):
        cases = list(group)
        for engine in engines if per_engine else engines[:1]:
            for case in cases:
                name = f"{case.name} {_engine_name(engine)}" if per_engine else case.name
                plan[name] = case, Workload(folder, model, engine)
    return plan


def plan_accurate(folder: str, model: ModelOptions, engine: EngineOptions) -> CasePlan:
    """Return the case that measures ``--accurate``, to compare with the same engine without it."""
    case = case_named("mnv2")
    name = f"{case.name} {_engine_name(engine)}{ACCURATE}"
    return {name: (case, Workload(folder, replace(model, accurate=True), engine))}


def _compiled(plan: CasePlan) -> dict[str, Workload]:
    """Return a workload for each compiled model that the cases use, by engine and precision."""
    found: dict[str, Workload] = {}
    for _, workload in plan.values():
        engine = workload.engine
        if engine_module(engine.name).COMPILES:
            suffix = ACCURATE if workload.model.accurate else ""
            found[f"{engine.name} {engine.precision}{suffix}"] = workload
    return found


def measure_case(name: str, case: Case, workload: Workload) -> Result:
    """Measure a case once.

    The rate is measured for its loop alone. Seconds and memory are measured for the case's command,
    or for the loop's process if the case has no command.

    Raises:
        Mnv2Error: The case fails.
    """
    loop = run_case(name, case.name, workload) if case.run else Result(name)
    if not case.command:
        return loop
    path = workload.folder if case.command == "folder" else workload.paths()[0]
    process = run_command(name, path, workload)
    return replace(loop, seconds=process.seconds, megabytes=process.megabytes)


def _engine_name(engine: EngineOptions) -> str:
    has_several = len(engine_module(engine.name).PRECISIONS) > 1
    return f"{engine.name} {engine.precision}" if has_several else engine.name
