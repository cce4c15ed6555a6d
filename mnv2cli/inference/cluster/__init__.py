"""The same run on a Ray cluster: Ray Data takes the images to its workers and the rows back.

This machine finds the images and writes the rows, as at home. Their names travel in Arrow blocks;
each worker is an actor with one network that reads, decodes and predicts a batch at a time on one
core. Ray starts workers anew that die, and gives their batches out again. What Ray cannot know is
that one image kills every worker that touches it: workers tell a tally what they begin and end, so
that such an image is found and becomes a record with an error.
"""

from __future__ import annotations

import logging
import os
import pickle
import re
import secrets
import signal
import socket
import sys
from collections import Counter
from collections.abc import Callable, Generator, Hashable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from importlib.util import find_spec
from itertools import chain, islice, takewhile
from threading import Event
from time import perf_counter
from typing import TYPE_CHECKING, Any

from mnv2cli import __version__
from mnv2cli.errors import InputError, Mnv2Error, WeightsError
from mnv2cli.events import DownloadProgress, Notice, ignore_download
from mnv2cli.images.decode import DEFAULT_MAX_PIXELS, set_process_limit
from mnv2cli.inference.classifier import Classifier
from mnv2cli.inference.report import Timings
from mnv2cli.records import Record, Source
from mnv2cli.sources.options import Filters
from mnv2cli.sources.urls import absolute, redact
from mnv2cli.system.hardware import usable_cores

if TYPE_CHECKING:
    import pyarrow as pa

INSTALL = "pip install 'mnv2cli[ray]'"

BATCH = 32
"""Images between two words to the tally: half a second's work, redone if the worker dies."""

_LARGEST_BLOCK = 256
"""Images that a worker is sent at a time. Ray spends some 10 ms on each block, whatever its size,
and rows are seen when a block is done."""

_BLOCKS_EACH = 8  # for each worker at least, so that they end at about the same time
_WINDOW = 100_000
"""Images that are found before Ray is given them; memory does not grow beyond this."""

_STRIKES = 3
_PATIENCE = 10.0  # seconds to wait for a cluster's port
_ADDRESS = re.compile(r"auto|(ray://)?([\w.-]+|\[[0-9A-Fa-f:]+\]):\d{1,5}")

Block = list[tuple[int, bytes]]
"""Batches that come back: the number of the first image of each, and a pickled ``_Done``."""

_log = logging.getLogger("mnv2cli")


class ClusterError(Mnv2Error):
    """The cluster cannot be reached, or cannot go on."""


def is_address(text: str) -> bool:
    """Tell whether a text is the address of a Ray cluster; empty for one on this machine."""
    return not text or _ADDRESS.fullmatch(text) is not None


class ClusterClassifier(Classifier):
    """Classify images on a Ray cluster, with the rows and the order of :class:`Classifier`.

    Paths are sent as they are, absolute: workers must see the files under the same names. The
    weights are looked for on each machine, and must be the same everywhere.

    Args:
        address: ``auto`` for the cluster that this machine is part of, ``host:port`` or
            ``ray://host:port``; empty to start one on this machine for the run. A Ray that runs
            in this process already is used as it is.
        verbose: Let Ray's own messages through.
        threads: Workers, each on a core; 0 for one on each core of the cluster.
        batch_size: Images that a worker does at a time; 0 for 32.
        find: As for Classifier.
        progress: As for Classifier.
        notify: As for Classifier.
        warn: As for Classifier.
        options: Whatever else Classifier takes.

    Raises:
        InputError: A value that cannot be used, or Ray is not installed.
    """

    def __init__(
        self,
        address: str = "",
        *,
        verbose: bool = False,
        threads: int = 0,
        batch_size: int = 0,
        find: Filters | None = None,
        progress: DownloadProgress = ignore_download,
        notify: Notice = lambda text: None,
        warn: Notice = _log.warning,
        **options: Any,
    ) -> None:
        if not is_address(address):
            raise InputError(
                f"{address!r} is no address of a Ray cluster",
                "Addresses are auto, host:port and ray://host:port.",
            )
        if find_spec("ray") is None or find_spec("pyarrow") is None:
            raise InputError("Ray is not installed", f"Install it with: {INSTALL}")
        if options.get("precision") == "int8" and not options.get("calibrate"):
            raise InputError(
                "int8 on a cluster needs photos to calibrate on that all machines see",
                "Name a folder of typical photos with --calibrate.",
            )
        super().__init__(
            threads=threads,
            batch_size=batch_size,
            find=find,
            progress=progress,
            notify=notify,
            warn=warn,
            **options,
        )
        self._address = address
        self._verbose = verbose
        self._options = options
        self._workers = threads
        self._is_settled = False

    @property
    def about(self) -> str:
        """The network and what runs it; nothing is loaded here for it."""
        workers = f"{self._workers} Ray worker{'s' * (self._workers != 1)}"
        return f"{self.network.model}, {self._engine_name()} {self.precision}, {workers}"

    def run(
        self,
        sources: Iterator[Source],
        timings: Timings,
        sample: Callable[[], Iterable[str]] | None = None,
        stop_requested: Event | None = None,
    ) -> Generator[Record, None, None]:
        """Yield one record for each source, in their order.

        Args:
            sources: The images; up to 100,000 are found before the first is sent.
            timings: Seconds are added to it, those of all workers together.
            sample: Not needed: int8 has a folder here.
            stop_requested: Once set, the run ends with the images that are here.

        Raises:
            ClusterError: The cluster cannot be reached, or cannot go on.
            WeightsError: The weights cannot be had, or are not the same on all machines.
        """
        first = list(islice(sources, 1))
        if not first:
            return
        start = perf_counter()
        plan = self._plan()
        with self._connected():
            job = self._job(plan)
            timings.loading += perf_counter() - start
            yield from _records(
                job, chain(first, sources), timings, perf_counter(), stop_requested or Event()
            )

    def settings(self) -> dict[str, Any]:
        """Return what decides the rows of a run; once it has begun, network and engine too."""
        found = super().settings()
        if self._is_settled:
            if self.calibrate:
                self._calibration(tuple)
            found |= self._settings_of(self._engine_name(), self.precision)
        return found

    def _engine_name(self) -> str:
        # Settled here and not on each machine, so that all rows are by the same one.
        if self.engine != "auto":
            return self.engine
        return "litert" if find_spec("ai_edge_litert") or self.precision == "int8" else "keras"

    def _plan(self) -> _Plan:
        """Return what workers are told, once it is settled which network is used."""
        network = self.resolve()
        self._is_settled = True
        options = {name: value for name, value in self._options.items() if value is not None}
        options |= {
            "model": network.family,
            "alpha": network.alpha,
            "size": network.size,
            "weights": network.weights,
            "engine": self._engine_name(),
            "refresh_weights": False,  # done just now
            "threads": 1,
            "batch_size": self.batch_size,
            "isolate": self.isolate,
        }
        for name in ("weights", "categories", "calibrate"):
            if options.get(name):
                options[name] = os.path.abspath(options[name])
        try:
            folder = os.getcwd()
        except OSError:  # removed meanwhile
            folder = ""
        return _Plan(open_classifier, options, network.identity(), folder)

    @contextmanager
    def _connected(self) -> Iterator[None]:
        """Connect to the cluster, or start one here, and leave it at the end.

        Raises:
            ClusterError: It cannot be reached.
        """
        _set_environment(self._address)
        import ray
        import ray.data

        if ray.is_initialized():
            yield
            return
        level = logging.INFO if self._verbose else logging.CRITICAL
        options: dict[str, Any] = {"log_to_driver": False, "logging_level": level}
        if not self._address:
            options |= {
                "address": "local",
                "num_cpus": self._workers or usable_cores(),
                "include_dashboard": False,
            }
        else:
            options["address"] = self._address
            _knock(self._address)
        ours = signal.getsignal(signal.SIGTERM)
        try:
            try:
                ray.init(**options)
                if signal.getsignal(signal.SIGTERM) is not ours:  # Ray would end us at once
                    signal.signal(signal.SIGTERM, ours)
            except Exception as error:  # ConnectionError, RuntimeError, ValueError, gRPC's own
                raise _unreachable(self._address, error) from error
            for name in ("ray", "ray.data"):
                logging.getLogger(name).setLevel(level)
            yield
        finally:
            with suppress(Exception):  # what matters is said already
                ray.shutdown()

    def _job(self, plan: _Plan) -> Any:
        """Return a :class:`_Job` here; by ``ray://`` one in the cluster, with the same methods."""
        import ray

        resources = ray.cluster_resources()
        gpus = int(resources.get("GPU", 0)) if plan.options["engine"] == "keras" else 0
        self._workers = self._workers or gpus or max(1, int(resources.get("CPU", 1)))
        if ray.available_resources().get("GPU" if gpus else "CPU", 0) < 1:
            self.notify("The cluster is busy or still starting: waiting for a free core.")
        tally = ray.remote(num_cpus=0, max_restarts=-1, max_task_retries=-1)(_Tally).remote()
        job = (plan, tally, self._workers, self.batch_size or BATCH, gpus > 0, self._verbose)
        if self._address.startswith("ray://"):
            return _Remote(ray.remote(num_cpus=0)(_Job).remote(*job))
        return _Job(*job)


def _set_environment(address: str) -> None:
    """Say to Ray what it takes from the environment alone, when it is imported first."""
    if "ray" in sys.modules:
        return
    settings = {
        "RAY_USAGE_STATS_ENABLED": "0",
        "RAY_ENABLE_AUTO_CONNECT": "0",  # its threads would start another one after the end
        "RAY_DEDUP_LOGS_SKIP_REGEX": ".",  # what it prints among the results, on stdout
    }
    if address:  # else it tries for a quarter of an hour, deaf to Ctrl-C
        settings |= {"RAY_NUM_REDIS_GET_RETRIES": "2", "RAY_py_gcs_connect_timeout_s": "5"}
    else:  # its ports are open to the network: nobody but this run has the token for them
        settings |= {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": secrets.token_hex(32)}
    for name, value in settings.items():
        os.environ.setdefault(name, value)


def _knock(address: str) -> None:
    """Check that somebody listens, which Ray would find out after a minute.

    Raises:
        ClusterError: Nobody does.
    """
    host, _, port = address.removeprefix("ray://").rpartition(":")
    if host:
        try:
            socket.create_connection((host.strip("[]"), int(port)), timeout=_PATIENCE).close()
        except (OSError, OverflowError) as error:
            raise _unreachable(address, error) from error


def _unreachable(address: str, error: Exception) -> ClusterError:
    if isinstance(error, ModuleNotFoundError):
        return ClusterError(f"Ray lacks a part: {error}", f"Install it with: {INSTALL}")
    text = getattr(error, "strerror", None) or " ".join(str(error).split())
    if not address:
        return ClusterError(f"Ray does not start on this machine: {text[:300]}")
    if address == "auto" and isinstance(error, ConnectionError):
        text = "none is running that this machine is part of"
    return ClusterError(
        f"no Ray cluster can be reached at {address}: {text[:300]}",
        "Is it running (ray start --head), and is that its address and port? Leave out the "
        "address to use this machine alone.",
    )


# What is sent


@dataclass(frozen=True)
class _Plan:
    """What every worker is told.

    Attributes:
        open: Opens the network there, by the following two.
        options: Plain arguments of :class:`Classifier`.
        identity: What tells the network from others, its weights' content too.
        folder: What relative paths are below.
        version: Of this package.
    """

    open: Callable[[dict[str, Any], dict[str, Any]], Classifier]
    options: dict[str, Any]
    identity: dict[str, Any]
    folder: str
    version: str = __version__


@dataclass(frozen=True)
class _Done:
    """A batch that comes back; or in ``failure`` why there will be none: type, message, hint."""

    records: tuple[Record, ...] = ()
    decoding: float = 0.0
    predicting: float = 0.0
    failure: tuple[type[Mnv2Error], str, str] | None = None


def _blocks(sources: list[Source], number: int, size: int) -> list[pa.Table]:
    """Return the sources as Arrow tables of ``size`` rows, numbered from ``number`` on."""
    import pyarrow as pa

    return [
        pa.table(
            {
                "number": pa.array(range(number + i, number + i + len(part)), pa.int64()),
                "path": pa.array([os.fsencode(source.path) for source in part], pa.binary()),
                "error": pa.array([os.fsencode(source.error) for source in part], pa.binary()),
                "position": pa.array([source.position for source in part], pa.int64()),
            }
        )
        for i in range(0, len(sources), size)
        for part in [sources[i : i + size]]
    ]


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
            batches = [_open_batch(content) for _, content in block]
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


def _open_batch(content: bytes) -> _Done:
    batch: _Done = pickle.loads(content)
    if batch.failure:
        error, message, hint = batch.failure
        raise error(message, hint)
    return batch


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


# The one who gives work out


class _Job:
    """A Ray Dataset for each window of sources.

    Args:
        plan: What workers are told.
        tally: The handle of the :class:`_Tally`.
        workers: How many at the most.
        batch: Images that they do at a time.
        gpu: A GPU for each worker, instead of a core.
        verbose: Let Ray tell of its work.
    """

    def __init__(
        self, plan: _Plan, tally: Any, workers: int, batch: int, gpu: bool, verbose: bool
    ) -> None:
        self._plan, self._tally = plan, tally
        self._workers, self._batch = workers, batch
        self._gpu, self._verbose = gpu, verbose
        self._done: Iterator[Block] = iter(())

    def start(self, sources: list[Source], number: int) -> None:
        """Give out a window of sources, the first of which has this number."""
        import ray

        each = -(-len(sources) // (self._workers * _BLOCKS_EACH * self._batch))
        size = self._batch * max(1, min(each, _LARGEST_BLOCK // self._batch))
        blocks = _blocks(sources, number, size)
        dataset = ray.data.from_arrow(blocks)
        dataset.context.execution_options.preserve_order = True
        dataset.context.enable_progress_bars = False
        dataset.context.print_on_execution_start = self._verbose
        workers = min(self._workers, len(blocks))
        # Workers that die are started anew, and their blocks given out again, without end: that
        # is what Ray Data does by itself.
        dataset = dataset.map_batches(
            _Worker,
            fn_constructor_args=(self._plan, self._tally),
            batch_size=self._batch,
            batch_format="pyarrow",
            # They come as cores get free; one is enough to go on.
            compute=ray.data.ActorPoolStrategy(min_size=1, max_size=workers, initial_size=workers),
            **({"num_gpus": 1} if self._gpu else {"num_cpus": 1}),
        )
        tables = dataset.iter_batches(batch_size=None, batch_format="pyarrow")
        self._done = (
            [(row["number"], row["done"]) for row in table.to_pylist()] for table in tables
        )

    def next(self) -> Block:
        """Return some batches that are done, the next in order; none at the end."""
        return next(self._done, [])


class _Remote:
    """A :class:`_Job` in the cluster: Ray Data does not run through Ray's client."""

    def __init__(self, actor: Any) -> None:
        self._actor = actor

    def start(self, sources: list[Source], number: int) -> None:
        """As :meth:`_Job.start`."""
        import ray

        ray.get(self._actor.start.remote(sources, number))

    def next(self) -> Block:
        """As :meth:`_Job.next`."""
        import ray

        block: Block = ray.get(self._actor.next.remote())
        return block


class _Tally:
    """Knows what was begun and not ended; an actor, as it must outlive the workers."""

    def __init__(self) -> None:
        self._begun: Counter[Hashable] = Counter()

    def begin(self, key: Hashable) -> int:
        """Note a beginning, and return how many there were before without an end."""
        self._begun[key] += 1
        return self._begun[key] - 1

    def end(self, key: Hashable) -> None:
        """Note that it is done."""
        self._begun.pop(key, None)


# The workers


def open_classifier(options: dict[str, Any], identity: dict[str, Any]) -> Classifier:
    """Open the network on a worker's machine.

    Raises:
        WeightsError: The weights cannot be had there, or are others than at home.
        Mnv2Error: Whatever else :meth:`Classifier.load` raises.
    """
    set_process_limit(options.get("max_pixels", DEFAULT_MAX_PIXELS))
    classifier = Classifier(**options, notify=_log.warning, warn=_log.warning)
    if classifier.resolve().identity() != identity:
        raise WeightsError(
            f"{socket.gethostname()} has other weights of {classifier.network.name}",
            "Remove them there, or use the same --weights file everywhere.",
        )
    classifier.load()
    return classifier


def _told(error: Exception) -> Mnv2Error:
    """Return an error that is fit to be told."""
    if isinstance(error, Mnv2Error):
        return error
    text = " ".join(str(error).split())[:300]
    return ClusterError(f"a worker on {socket.gethostname()} met {type(error).__name__}: {text}")


class _Worker:
    """Reads, decodes and predicts batches; Ray Data makes an actor of it.

    Args:
        plan: What to do.
        tally: The handle of the :class:`_Tally`.
    """

    def __init__(self, plan: _Plan, tally: Any) -> None:
        import ray

        self._plan, self._tally = plan, tally
        self._failure: Mnv2Error | None = None
        # Ray Data has a worker for each core, and TensorFlow would take all cores in each.
        os.environ.setdefault("TF_NUM_INTRAOP_THREADS", "1")
        os.environ.setdefault("TF_NUM_INTEROP_THREADS", "1")
        opening = ("open", ray.get_runtime_context().get_actor_id())
        if self._begin(opening) >= _STRIKES:
            self._failure = ClusterError(
                f"a worker on {socket.gethostname()} died three times while it opened the network"
            )
            return
        try:
            if plan.version != __version__:
                raise ClusterError(
                    f"{socket.gethostname()} has mnv2cli {__version__}, not {plan.version}",
                    "Install the same version on all machines.",
                )
            self._classifier = plan.open(plan.options, plan.identity)
        except Exception as error:
            self._failure = _told(error)
        self._end(opening)

    def __call__(self, batch: pa.Table) -> dict[str, list[Any]]:
        """Return one row: the number of the first image, and a pickled :class:`_Done`."""
        number = batch["number"][0].as_py()
        try:
            if self._failure:
                raise self._failure
            done = self._work(batch, number)
        except Exception as error:  # Ray would bury it in its own
            failure = _told(error)
            done = _Done(failure=(type(failure), failure.message, failure.hint))
        return {"number": [number], "done": [pickle.dumps(done)]}

    def _work(self, batch: pa.Table, number: int) -> _Done:
        sources = [
            Source(os.fsdecode(row["path"]), os.fsdecode(row["error"]), row["position"])
            for row in batch.to_pylist()
        ]
        timings = Timings()
        key = ("batch", number)
        if not self._begin(key):
            records = self._classify(sources, timings)
            self._end(key)
        else:  # it killed a worker, or was with one that died
            records = []
            strikes = 0
            for i, source in enumerate(sources, number):
                record = self._carefully(source, i, timings)
                strikes += record is None
                records.append(record or self._killer(source))
            if not strikes:  # else it stays as it is: it may be given out again
                self._end(key)
        return _Done(tuple(records), timings.decoding, timings.predicting)

    def _carefully(self, source: Source, number: int, timings: Timings) -> Record | None:
        """Return the record of one image, or None if it has killed enough workers."""
        key = ("image", number)
        if self._begin(key) >= _STRIKES - 1:  # it died with its batch before
            return None
        (record,) = self._classify([source], timings)
        self._end(key)
        return record

    def _killer(self, source: Source) -> Record:
        return Record(
            redact(source.path),
            error="killed its worker: three times",
            model=self._classifier.network.model,
            position=source.position,
        )

    def _classify(self, sources: list[Source], timings: Timings) -> list[Record]:
        there = [replace(source, path=self._absolute(source.path)) for source in sources]
        records = self._classifier.run(iter(there), timings)
        return [
            replace(record, path=redact(source.path))
            for record, source in zip(records, sources, strict=True)
        ]

    def _absolute(self, path: str) -> str:
        # Workers have a folder of their own.
        return absolute(path, self._plan.folder) if path else path

    def _begin(self, key: Hashable) -> int:
        import ray

        count: int = ray.get(self._tally.begin.remote(key))
        return count

    def _end(self, key: Hashable) -> None:
        self._tally.end.remote(key)  # nobody waits
