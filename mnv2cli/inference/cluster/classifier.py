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
from mnv2cli.models import MODELS, Model
from mnv2cli.models.options import ModelOptions
from mnv2cli.models.own import located
from mnv2cli.records import Record, Source
from mnv2cli.system.messages import count

_WINDOW = 100_000
"""Images found before they are sent to Ray; limits the memory for their paths."""

_log = logging.getLogger("mnv2cli")


class ClusterClassifier(Classifier):
    """Classify images on a Ray cluster, with the rows and the order of :class:`Classifier`.

    Workers receive absolute paths, which must lead to the same images on every machine. Each
    machine finds or downloads the weights itself; they must be the same everywhere.

    Args:
        address: ``auto`` for the cluster that this machine belongs to, ``host:port`` or
            ``ray://host:port``; empty to start Ray on this machine for the run. If Ray already
            runs in this process, it is used and the address is ignored.
        options: As for Classifier, except in the engine: ``threads`` is the number of workers,
            one core each, 0 for all cores of the cluster; ``batch_size`` 0 means 32.
        events: As for Classifier; None logs warnings.
        verbose: Show Ray's own messages.

    Raises:
        InputError: A value is invalid, or Ray is not installed.
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
                f"{address!r} is not the address of a Ray cluster",
                "Use auto, host:port or ray://host:port.",
            )
        if find_spec("ray") is None or find_spec("pyarrow") is None:
            raise InputError("Ray is not installed", f"Install it with: {INSTALL}")
        if options.engine.precision == "int8" and not options.engine.calibrate:
            raise InputError(
                "int8 on a cluster requires calibration photos that every machine can read",
                "Name a folder of typical photos with --calibrate.",
            )
        super().__init__(**options.keywords(), events=events or RunEvents(warning=_log.warning))
        self._address = address
        self._verbose = verbose
        self._workers = options.engine.threads
        self._is_settled = False

    @property
    def about(self) -> str:
        """Network, engine and workers, in a few words; loads nothing on this machine."""
        workers = count(self._workers, "Ray worker")
        precision = self.options.engine.precision
        return f"{self.network.model}, {self._engine_name()} {precision}, {workers}"

    def run(
        self,
        sources: Iterable[Source],
        timings: Timings | None = None,
        sample: Sample | None = None,
        stop_requested: Event | None = None,
        *,
        features: bool = False,
        thumbnails: bool = False,
    ) -> Generator[Record, None, None]:
        """Yield one record for each source, in their order.

        Args:
            sources: The images; up to 100,000 are found before the first is sent.
            timings: Receives the seconds spent, added up over all workers.
            sample: Ignored: on a cluster int8 is calibrated on a folder.
            stop_requested: Once set, the run ends after the rows that have arrived.
            features: Must be False: features are not sent between machines.
            thumbnails: Must be False, for the same reason.

        Raises:
            InputError: Features or thumbnails are requested.
            ClusterError: The cluster cannot be reached, or a run on it fails.
            WeightsError: The weights are missing, or differ between machines.
        """
        if features:
            raise InputError("features cannot be computed on a Ray cluster", "Omit --ray.")
        if thumbnails:
            raise InputError("thumbnails cannot be made on a Ray cluster", "Omit --ray.")
        timings = Timings() if timings is None else timings
        sources = iter(sources)
        first = list(islice(sources, 1))
        if not first:
            return
        start = perf_counter()
        spec = self._spec()
        self.events.status(
            f"Connecting to the Ray cluster at {self._address} …"
            if self._address
            else "Starting Ray on this machine …"
        )
        with connected(self._address, self._workers, verbose=self._verbose):
            job = self._job(spec)
            self.events.status(f"Loading the network on {count(self._workers, 'worker')} …")
            timings.workers = self._workers
            timings.loading += perf_counter() - start
            with closing(job):
                yield from _records(
                    job, chain(first, sources), timings, perf_counter(), stop_requested or Event()
                )

    def settings(self) -> dict[str, Any]:
        """Return the settings that determine the rows; includes network and engine once started."""
        found = super().settings()
        if self._is_settled:
            if self.options.engine.calibrate:
                self._calibration(tuple)
            found |= self._settings_of(self._engine_name(), self.options.engine.precision)
        return found

    def _engine_name(self) -> str:
        # Chosen here, not on each machine, so that one engine produces all rows.
        engine = self.options.engine
        if engine.name != "auto":
            return engine.name
        return "litert" if litert.is_available() or engine.precision == "int8" else "keras"

    def _spec(self) -> JobSpec:
        """Choose the network, and return what every worker receives."""
        network = self.resolve()
        self._is_settled = True
        given = self.options
        options = replace(
            given,
            labels=replace(given.labels, categories=_absolute(given.labels.categories)),
            model=_settled(network, given.model),
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
        except OSError:  # the current folder was removed
            folder = ""
        # Looked up in its module, where tests replace it.
        return JobSpec(worker.open_classifier, options, network.identity(), folder)

    def _job(self, spec: JobSpec) -> Job | RemoteJob:
        """Return a job in this process or, for ``ray://``, one in the cluster."""
        import ray

        resources = ray.cluster_resources()
        gpus = int(resources.get("GPU", 0)) if spec.options.engine.name == "keras" else 0
        self._workers = self._workers or gpus or max(1, int(resources.get("CPU", 1)))
        if ray.available_resources().get("GPU" if gpus else "CPU", 0) < 1:
            self.events.notice("The cluster is busy or still starting; waiting for a free core.")
        tally = ray.remote(num_cpus=0, max_restarts=-1, max_task_retries=-1)(Tally).remote()
        batch = self.options.engine.batch_size or BATCH
        job = (spec, tally, Resources(self._workers, batch, gpus > 0, self._verbose))
        if self._address.startswith("ray://"):
            return RemoteJob(ray.remote(num_cpus=0)(Job).remote(*job))
        return Job(*job)


def _settled(network: Model, given: ModelOptions) -> ModelOptions:
    """Return the options that mean this network in every process."""
    if network.family not in MODELS:  # a model of the user's
        labels = given.labels
        if labels and os.path.exists(labels):
            labels = os.path.abspath(labels)
        return replace(given, name=located(given.name), labels=labels)
    return ModelOptions(
        network.family,
        network.alpha,
        None if network.accurate else network.size,
        _absolute(network.weights),
        accurate=network.accurate,
    )


def _absolute(path: str | None) -> str | None:
    return os.path.abspath(path) if path else path


def _records(
    job: Any, sources: Iterator[Source], timings: Timings, start: float, stop_requested: Event
) -> Generator[Record, None, None]:
    """Send the sources and yield their records, in order.

    Raises:
        ClusterError: Ray failed, or did not return the images that it was sent.
        WeightsError: A worker lacks the weights.
    """
    number = 0
    while True:
        finding = perf_counter()
        window = list(islice(takewhile(lambda _: not stop_requested.is_set(), sources), _WINDOW))
        timings.add(finding=perf_counter() - finding)
        if not window or stop_requested.is_set():
            return
        before = number
        _call(job.start, window, number)
        while block := _call(job.next):
            batches = [open_batch(content) for _, content in block]
            if block[0][0] == 0:  # everything before the first block's own work is loading
                work = sum(batch.decoding + batch.predicting for batch in batches)
                spent = perf_counter() - start - timings.finding
                timings.loading += max(0.0, spent - work)
            for (first, _), batch in zip(block, batches, strict=True):
                if first != number:
                    raise _lost(f"expected image {number:,}, received {first:,}")
                timings.add(decoding=batch.decoding, predicting=batch.predicting)
                number += len(batch.records)
                yield from batch.records
            if stop_requested.is_set():
                return
        if number != before + len(window):
            raise _lost(f"{count(before + len(window) - number, 'image')} missing")


def _lost(text: str) -> ClusterError:
    return ClusterError(f"Ray lost images: {text}", "Run again with --resume.")


def _call(function: Callable[..., Any], *args: Any) -> Any:
    try:
        return function(*args)
    except Mnv2Error:
        raise
    except Exception as error:  # Ray's own, or an unexpected one of a worker
        lines = [line.strip() for line in str(error).splitlines() if line.strip()]
        text = (lines or [type(error).__name__])[-1]
        hint = "Run with --verbose to see Ray's own messages."
        if "No module named 'mnv2cli" in str(error):
            hint = f"Install mnv2cli {__version__} on every machine of the cluster: {INSTALL}"
        raise ClusterError(f"Ray failed: {text[:300]}", hint) from error
