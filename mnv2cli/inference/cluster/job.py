"""Distribute the work: a Ray Dataset for each window of sources, and a tally of started work."""

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
"""Images sent to a worker at a time. Ray spends about 10 ms on each block, whatever its size, but
rows appear only when their block is done."""

_BLOCKS_PER_WORKER = 8  # at least, so that all workers end at about the same time


@dataclass(frozen=True, slots=True)
class Resources:
    """The resources that a job may use.

    Attributes:
        workers: Number of workers, at most.
        batch: Images that a worker classifies at a time.
        gpu: Give each worker a GPU instead of a core.
        verbose: Show Ray Data's execution plan.
    """

    workers: int
    batch: int
    gpu: bool = False
    verbose: bool = False


class Job:
    """Classify windows of sources, each as a Ray Dataset.

    Args:
        spec: What every worker receives.
        tally: The handle of the :class:`Tally`.
        resources: The number of workers, and the resources of each.
    """

    def __init__(self, spec: JobSpec, tally: Any, resources: Resources) -> None:
        self._spec, self._tally = spec, tally
        self._workers, self._batch = resources.workers, resources.batch
        self._gpu, self._verbose = resources.gpu, resources.verbose
        self._tables: Iterator[Any] = iter(())

    def start(self, sources: list[Source], number: int) -> None:
        """Submit a window of sources; ``number`` counts the sources before it."""
        import ray

        each = -(-len(sources) // (self._workers * _BLOCKS_PER_WORKER * self._batch))
        size = self._batch * max(1, min(each, _LARGEST_BLOCK // self._batch))
        blocks = source_blocks(sources, number, size)
        # from_arrow would ask workers for the tables' schema, and wait for them to start.
        dataset = ray.data.from_blocks(blocks)
        dataset.context.execution_options.preserve_order = True
        dataset.context.enable_progress_bars = False
        dataset.context.print_on_execution_start = self._verbose
        workers = min(self._workers, len(blocks))
        # Ray Data restarts workers that die and submits their blocks again, without limit.
        dataset = dataset.map_batches(
            Worker,
            fn_constructor_args=(self._spec, self._tally),
            batch_size=self._batch,
            batch_format="pyarrow",
            # Workers start as cores become free; one is enough to begin.
            compute=ray.data.ActorPoolStrategy(min_size=1, max_size=workers, initial_size=workers),
            **({"num_gpus": 1} if self._gpu else {"num_cpus": 1}),
        )
        self._tables = iter(dataset.iter_batches(batch_size=None, batch_format="pyarrow"))

    def next(self) -> Block:
        """Wait for the next batches in order, and return them; an empty list at the end."""
        for table in self._tables:
            return [(row["number"], row["done"]) for row in table.to_pylist()]
        return []

    def close(self) -> None:
        """Stop all running work before Ray shuts down, or Ray would complain on stderr."""
        close = getattr(self._tables, "close", None)
        if close is not None:
            with suppress(Exception):
                close()


class RemoteJob:
    """A :class:`Job` in the cluster, because Ray Data does not run through Ray's client."""

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
        """Do nothing: the cluster ends the job when this process disconnects."""


class Tally:
    """Counts unfinished work; a separate actor that outlives the workers."""

    def __init__(self) -> None:
        self._begun: Counter[Hashable] = Counter()

    def begin(self, key: Hashable) -> int:
        """Count a start of ``key``; return the number of earlier starts that did not end."""
        self._begun[key] += 1
        return self._begun[key] - 1

    def end(self, key: Hashable) -> None:
        """Forget ``key``: it is done."""
        self._begun.pop(key, None)
