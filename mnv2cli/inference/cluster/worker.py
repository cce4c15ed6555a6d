"""The worker on each core of a cluster: reads, decodes and predicts a batch at a time.

Ray restarts workers that die and submits their batches again, even if one image kills every worker
that touches it. Workers therefore report to a tally what they start and end, so that this image is
detected and becomes a record with an error.
"""

from __future__ import annotations

import logging
import os
import pickle
import socket
from collections.abc import Hashable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from mnv2cli import __version__
from mnv2cli.errors import Mnv2Error, WeightsError
from mnv2cli.events import RunEvents
from mnv2cli.images.decode import set_process_limit
from mnv2cli.inference.classifier import Classifier
from mnv2cli.inference.cluster.protocol import ClusterError, Done, JobSpec
from mnv2cli.inference.options import ClassifierOptions
from mnv2cli.inference.timings import Timings
from mnv2cli.records import Record, Source
from mnv2cli.sources.urls import absolute
from mnv2cli.system.urls import redact

if TYPE_CHECKING:
    import pyarrow as pa

_MAX_CRASHES = 3

_log = logging.getLogger("mnv2cli")


def open_classifier(options: ClassifierOptions, identity: dict[str, Any]) -> Classifier:
    """Load the network on a worker's machine.

    Raises:
        WeightsError: The weights are missing there, or differ from the weights of the run.
        Mnv2Error: Any other error of :meth:`Classifier.load`.
    """
    set_process_limit(options.images.max_pixels)
    events = RunEvents(notice=_log.warning, warning=_log.warning)
    classifier = Classifier(**options.keywords(), events=events)
    if classifier.resolve().identity() != identity:
        raise WeightsError(
            f"{socket.gethostname()} has different weights for {classifier.network.name}",
            "Remove them there to download them again, or use the same --weights file everywhere.",
        )
    classifier.load()
    return classifier


def _as_mnv2_error(error: Exception) -> Mnv2Error:
    """Return any error as an Mnv2Error with a message for users."""
    if isinstance(error, Mnv2Error):
        return error
    text = " ".join(str(error).split())[:300]
    return ClusterError(
        f"worker on {socket.gethostname()} failed: {type(error).__name__}: {text}",
        "Run with --verbose to see Ray's own messages.",
    )


class Worker:
    """Read, decode and predict batches; Ray Data runs it as an actor.

    Args:
        spec: The network and the options.
        tally: The handle of the :class:`Tally`.
    """

    def __init__(self, spec: JobSpec, tally: Any) -> None:
        import ray

        self._spec, self._tally = spec, tally
        self._failure: Mnv2Error | None = None
        # There is a worker on each core, and TensorFlow would use all cores in each.
        os.environ.setdefault("TF_NUM_INTRAOP_THREADS", "1")
        os.environ.setdefault("TF_NUM_INTEROP_THREADS", "1")
        opening = ("open", ray.get_runtime_context().get_actor_id())
        if self._begin(opening) >= _MAX_CRASHES:
            self._failure = ClusterError(
                f"worker on {socket.gethostname()} died three times while loading the network",
                "Check that the machine has enough free memory.",
            )
            return
        try:
            if spec.version != __version__:
                raise ClusterError(
                    f"{socket.gethostname()} has mnv2cli {__version__}, this machine has "
                    f"{spec.version}",
                    "Install the same version on every machine.",
                )
            self._classifier = spec.open(spec.options, spec.identity)
        except Exception as error:
            self._failure = _as_mnv2_error(error)
        self._end(opening)

    def __call__(self, batch: pa.Table) -> dict[str, list[Any]]:
        """Classify a batch; return the number of its first image and a pickled :class:`Done`."""
        number = batch["number"][0].as_py()
        try:
            if self._failure:
                raise self._failure
            done = self._work(batch, number)
        except Exception as error:  # raised, it would be buried in an error of Ray
            failure = _as_mnv2_error(error)
            done = Done(failure=(type(failure), failure.message, failure.hint))
        return {"number": [number], "done": [pickle.dumps(done)]}

    def _work(self, batch: pa.Table, number: int) -> Done:
        sources = [
            Source(os.fsdecode(row["path"]), os.fsdecode(row["error"]), row["position"])
            for row in batch.to_pylist()
        ]
        timings = Timings()
        key = ("batch", number)
        if not self._begin(key):
            records = self._classify(sources, timings)
            self._end(key)
        else:  # a worker died while classifying it
            records = []
            crashes = 0
            for i, source in enumerate(sources, number):
                record = self._classify_alone(source, i, timings)
                crashes += record is None
                records.append(record or self._crash_record(source))
            if not crashes:  # else stay careful: Ray may submit it again
                self._end(key)
        return Done(tuple(records), timings.decoding, timings.predicting)

    def _classify_alone(self, source: Source, number: int, timings: Timings) -> Record | None:
        """Return the record of one image, or None if too many workers died while classifying it."""
        key = ("image", number)
        if self._begin(key) >= _MAX_CRASHES - 1:  # the first death was with its batch
            return None
        (record,) = self._classify([source], timings)
        self._end(key)
        return record

    def _crash_record(self, source: Source) -> Record:
        return Record(
            redact(source.path),
            error="killed its worker: three times",
            model=self._classifier.network.model,
            position=source.position,
        )

    def _classify(self, sources: list[Source], timings: Timings) -> list[Record]:
        located = (replace(source, path=self._absolute(source.path)) for source in sources)
        records = self._classifier.run(located, timings)
        return [
            replace(record, path=redact(source.path))
            for record, source in zip(records, sources, strict=True)
        ]

    def _absolute(self, path: str) -> str:
        # A worker has another current folder than the run.
        return absolute(path, self._spec.folder) if path else path

    def _begin(self, key: Hashable) -> int:
        import ray

        count: int = ray.get(self._tally.begin.remote(key))
        return count

    def _end(self, key: Hashable) -> None:
        self._tally.end.remote(key)  # no need to wait
