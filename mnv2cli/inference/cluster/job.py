"""Gives work out: a Ray Dataset for each window of sources, and the tally of what was started."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from mnv2cli.inference.cluster.protocol import Block, JobSpec, source_blocks
from mnv2cli.inference.cluster.worker import Worker
from mnv2cli.records import Source

_LARGEST_BLOCK = 256
"""Images that a worker is sent at a time. Ray spends some 10 ms on each block, whatever its size,
and rows are seen when a block is done."""

_BLOCKS_EACH = 8  # for each worker at least, so that they end at about the same time


@dataclass(frozen=True, slots=True)
class Resources:
    """What a job may use.

    Attributes:
        workers: How many at most.
        batch: Images that they do at a time.
        gpu: A GPU for each worker, instead of a core.
        verbose: Let Ray report its work.
    """

    workers: int
    batch: int
    gpu: bool = False
    verbose: bool = False


class Job:
    """A Ray Dataset for each window of sources.

    Args:
        spec: What workers receive.
        tally: The handle of the :class:`Tally`.
        resources: How many workers, and what each has.
    """

    def __init__(self, spec: JobSpec, tally: Any, resources: Resources) -> None:
        self._spec, self._tally = spec, tally
        self._workers, self._batch = resources.workers, resources.batch
        self._gpu, self._verbose = resources.gpu, resources.verbose
        self._tables: Iterator[Any] = iter(())

    def start(self, sources: list[Source], number: int) -> None:
        """Give out a window of sources, the first of which has this number."""
        import ray

        each = -(-len(sources) // (self._workers * _BLOCKS_EACH * self._batch))
        size = self._batch * max(1, min(each, _LARGEST_BLOCK // self._batch))
        blocks = source_blocks(sources, number, size)
        dataset = ray.data.from_arrow(blocks)
        dataset.context.execution_options.preserve_order = True
        dataset.context.enable_progress_bars = False
        dataset.context.print_on_execution_start = self._verbose
        workers = min(self._workers, len(blocks))
        # Workers that die are started anew, and their blocks given out again, without end: that
        # is what Ray Data does by itself.
        dataset = dataset.map_batches(
            Worker,
            fn_constructor_args=(self._spec, self._tally),
            batch_size=self._batch,
            batch_format="pyarrow",
            # They come as cores get free; one is enough to go on.
            compute=ray.data.ActorPoolStrategy(min_size=1, max_size=workers, initial_size=workers),
            **({"num_gpus": 1} if self._gpu else {"num_cpus": 1}),
        )
        self._tables = iter(dataset.iter_batches(batch_size=None, batch_format="pyarrow"))

    def next(self) -> Block:
        """Return some batches that are done, the next in order; none at the end."""
        for table in self._tables:
            return [(row["number"], row["done"]) for row in table.to_pylist()]
        return []

    def close(self) -> None:
        """End what is still under way, while Ray is there: later it would complain on stderr."""
        close = getattr(self._tables, "close", None)
        if close is not None:
            with suppress(Exception):
                close()


class RemoteJob:
    """A :class:`Job` in the cluster: Ray Data does not run through Ray's client."""

    def __init__(self, actor: Any) -> None:
        self._actor = actor

    def start(self, sources: list[Source], number: int) -> None:
        """As :meth:`Job.start`."""
        import ray

        ray.get(self._actor.start.remote(sources, number))

    def next(self) -> Block:
        """As :meth:`Job.next`."""
        import ray

        block: Block = ray.get(self._actor.next.remote())
        return block

    def close(self) -> None:
        """Leave it to the cluster, which ends it when this process disconnects."""


class Tally:
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
