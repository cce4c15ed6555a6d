"""A classifier that sends its images to a Ray cluster."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import closing
from dataclasses import replace
from importlib.util import find_spec
from itertools import chain, islice, takewhile
from threading import Event
from time import perf_counter
from typing import Any

from mnv2cli import __version__
from mnv2cli.engines import litert
from mnv2cli.errors import InputError, Mnv2Error
from mnv2cli.events import RunEvents
from mnv2cli.inference.classifier import Classifier, Sample
from mnv2cli.inference.cluster import worker
from mnv2cli.inference.cluster.connection import connected, is_address
from mnv2cli.inference.cluster.job import Job, RemoteJob, Resources, Tally
from mnv2cli.inference.cluster.protocol import BATCH, INSTALL, ClusterError, JobSpec, open_batch
from mnv2cli.inference.options import ClassifierOptions
from mnv2cli.inference.timings import Timings
from mnv2cli.models.options import ModelOptions
from mnv2cli.records import Record, Source

_WINDOW = 100_000
"""Images that are found before Ray is given them; memory does not grow beyond this."""

_log = logging.getLogger("mnv2cli")


class ClusterClassifier(Classifier):
    """Classify images on a Ray cluster, with the rows and the order of :class:`Classifier`.

    Paths are sent as they are, absolute: workers must see the files under the same names. The
    weights are looked for on each machine, and must be the same everywhere.

    Args:
        address: ``auto`` for the cluster that this machine is part of, ``host:port`` or
            ``ray://host:port``; empty to start one on this machine for the run. A Ray that runs
            in this process already is used as it is.
        options: As for Classifier. Of the engine, ``threads`` are workers, each on a core, 0 for
            one on each core of the cluster; ``batch_size`` 0 is 32 here.
        events: As for Classifier; warnings are logged if there are none.
        verbose: Let Ray's own messages through.

    Raises:
        InputError: A value that cannot be used, or Ray is not installed.
    """

    def __init__(
        self,
        address: str = "",
        options: ClassifierOptions | None = None,
        events: RunEvents | None = None,
        *,
        verbose: bool = False,
    ) -> None:
        options = options or ClassifierOptions()
        if not is_address(address):
            raise InputError(
                f"{address!r} is no address of a Ray cluster",
                "Addresses are auto, host:port and ray://host:port.",
            )
        if find_spec("ray") is None or find_spec("pyarrow") is None:
            raise InputError("Ray is not installed", f"Install it with: {INSTALL}")
        if options.engine.precision == "int8" and not options.engine.calibrate:
            raise InputError(
                "int8 on a cluster needs photos to calibrate on that all machines see",
                "Name a folder of typical photos with --calibrate.",
            )
        super().__init__(**options.keywords(), events=events or RunEvents(warning=_log.warning))
        self._address = address
        self._verbose = verbose
        self._workers = options.engine.threads
        self._is_settled = False

    @property
    def about(self) -> str:
        """The network and what runs it; nothing is loaded here for it."""
        workers = f"{self._workers} Ray worker{'s' * (self._workers != 1)}"
        precision = self.options.engine.precision
        return f"{self.network.model}, {self._engine_name()} {precision}, {workers}"

    def run(
        self,
        sources: Iterable[Source],
        timings: Timings | None = None,
        sample: Sample | None = None,
        stop_requested: Event | None = None,
    ) -> Generator[Record, None, None]:
        """Yield one record for each source, in their order.

        Args:
            sources: The images; up to 100,000 are found before the first is sent.
            timings: Seconds are added to it, those of all workers together.
            sample: Not needed: int8 has a folder here.
            stop_requested: Once set, the run ends with the images that are here.

        Raises:
            ClusterError: The cluster cannot be reached, or cannot continue.
            WeightsError: The weights cannot be had, or are not the same on all machines.
        """
        timings = Timings() if timings is None else timings
        sources = iter(sources)
        first = list(islice(sources, 1))
        if not first:
            return
        start = perf_counter()
        spec = self._spec()
        with connected(self._address, self._workers, verbose=self._verbose):
            job = self._job(spec)
            timings.workers = self._workers
            timings.loading += perf_counter() - start
            with closing(job):
                yield from _records(
                    job, chain(first, sources), timings, perf_counter(), stop_requested or Event()
                )

    def settings(self) -> dict[str, Any]:
        """Return what decides the rows of a run; once it has started, network and engine too."""
        found = super().settings()
        if self._is_settled:
            if self.options.engine.calibrate:
                self._calibration(tuple)
            found |= self._settings_of(self._engine_name(), self.options.engine.precision)
        return found

    def _engine_name(self) -> str:
        # Settled here and not on each machine, so that all rows are by the same one.
        engine = self.options.engine
        if engine.name != "auto":
            return engine.name
        return "litert" if litert.is_available() or engine.precision == "int8" else "keras"

    def _spec(self) -> JobSpec:
        """Return what workers receive, once it is settled which network is used."""
        network = self.resolve()
        self._is_settled = True
        given = self.options
        options = replace(
            given,
            labels=replace(given.labels, categories=_absolute(given.labels.categories)),
            model=ModelOptions(
                network.family, network.alpha, network.size, _absolute(network.weights)
            ),
            engine=replace(
                given.engine,
                name=self._engine_name(),
                calibrate=_absolute(given.engine.calibrate) or "",
                threads=1,
            ),
            images=replace(given.images, isolate=self.isolate),
        )
        try:
            folder = os.getcwd()
        except OSError:  # removed meanwhile
            folder = ""
        # By its module, where tests replace it.
        return JobSpec(worker.open_classifier, options, network.identity(), folder)

    def _job(self, spec: JobSpec) -> Job | RemoteJob:
        """Return a job here, or by ``ray://`` one in the cluster."""
        import ray

        resources = ray.cluster_resources()
        gpus = int(resources.get("GPU", 0)) if spec.options.engine.name == "keras" else 0
        self._workers = self._workers or gpus or max(1, int(resources.get("CPU", 1)))
        if ray.available_resources().get("GPU" if gpus else "CPU", 0) < 1:
            self.events.notice("The cluster is busy or still starting: waiting for a free core.")
        tally = ray.remote(num_cpus=0, max_restarts=-1, max_task_retries=-1)(Tally).remote()
        batch = self.options.engine.batch_size or BATCH
        job = (spec, tally, Resources(self._workers, batch, gpus > 0, self._verbose))
        if self._address.startswith("ray://"):
            return RemoteJob(ray.remote(num_cpus=0)(Job).remote(*job))
        return Job(*job)


def _absolute(path: str | None) -> str | None:
    return os.path.abspath(path) if path else path


def _records(
    job: Any, sources: Iterator[Source], timings: Timings, start: float, stop_requested: Event
) -> Generator[Record, None, None]:
    """Send the sources and yield their records, in order.

    Raises:
        ClusterError: Ray cannot go on.
        WeightsError: A worker has not the network.
    """
    number = 0
    while True:
        finding = perf_counter()
        window = list(islice(takewhile(lambda _: not stop_requested.is_set(), sources), _WINDOW))
        timings.add(finding=perf_counter() - finding)
        if not window or stop_requested.is_set():
            return
        before = number
        _ask(job.start, window, number)
        while block := _ask(job.next):
            batches = [open_batch(content) for _, content in block]
            if block[0][0] == 0:  # all before the first block's own work was starting
                work = sum(batch.decoding + batch.predicting for batch in batches)
                spent = perf_counter() - start - timings.finding
                timings.loading += max(0.0, spent - work)
            for (first, _), batch in zip(block, batches, strict=True):
                if first != number:
                    raise ClusterError(f"Ray lost images: {number} was due, and {first} came")
                timings.add(decoding=batch.decoding, predicting=batch.predicting)
                number += len(batch.records)
                yield from batch.records
            if stop_requested.is_set():
                return
        if number != before + len(window):
            raise ClusterError(f"Ray lost images: {before + len(window) - number} did not come")


def _ask(function: Callable[..., Any], *args: Any) -> Any:
    try:
        return function(*args)
    except Mnv2Error:
        raise
    except Exception as error:  # Ray's own, and whatever a worker raised that nobody foresaw
        lines = [line.strip() for line in str(error).splitlines() if line.strip()]
        text = (lines or [type(error).__name__])[-1]
        hint = "--verbose shows what Ray says."
        if "No module named 'mnv2cli" in str(error):
            hint = f"All machines of the cluster need mnv2cli {__version__}: {INSTALL}"
        raise ClusterError(f"Ray cannot go on: {text[:300]}", hint) from error
