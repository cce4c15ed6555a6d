"""All checks in order."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

from mnv2cli.diagnostics.doctor.check import Check
from mnv2cli.diagnostics.doctor.engines import check_engines, check_gpu
from mnv2cli.diagnostics.doctor.folders import check_folders
from mnv2cli.diagnostics.doctor.image_formats import check_image_formats
from mnv2cli.diagnostics.doctor.machine import check_machine
from mnv2cli.diagnostics.doctor.probe import probe_engine
from mnv2cli.diagnostics.doctor.versions import check_versions
from mnv2cli.diagnostics.doctor.weights import check_weights, reach_host
from mnv2cli.engines.registry import engine_names
from mnv2cli.events import Notice, ignore_notice


def examine(notice: Notice = ignore_notice) -> Iterator[Check]:
    """Yield the results of all checks, the quick ones first.

    Meanwhile the engines run in separate processes, because importing TensorFlow takes several
    seconds.

    Args:
        notice: Called with the name of the current check.
    """
    names = engine_names()
    with ThreadPoolExecutor(len(names) + 1) as threads:
        host = threads.submit(reach_host)
        probing = {name: threads.submit(probe_engine, name) for name in names}
        yield from check_versions()
        yield from check_machine()
        yield from check_folders()
        yield from check_image_formats()
        notice("the weights and their host")
        yield from check_weights(host.result())
        notice("the engines (this takes a few seconds)")
        probes = {name: probe.result() for name, probe in probing.items()}
        yield from check_engines(probes)
        yield from check_gpu([gpu for probe in probes.values() for gpu in probe.gpus])
