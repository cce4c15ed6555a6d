from __future__ import annotations

import threading
import time
from collections.abc import Callable, Generator, Iterator
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from mnv2cli.errors import ImageError, Mnv2Error
from mnv2cli.images.budget import SMALL, MemoryBudget
from mnv2cli.inference import pipeline
from mnv2cli.inference.labelling import Labelling
from mnv2cli.inference.pipeline import WINDOW, PipelineOptions
from mnv2cli.inference.timings import Timings
from mnv2cli.records import Prediction, Record, Source
from tests.conftest import FakeEngine

Pixels = NDArray[np.uint8]


def decode(path: str) -> Pixels:
    if path.startswith("bad"):
        raise ImageError("damaged", path)
    time.sleep(0.002 * (int(path) % 3))
    return np.full((8, 8, 3), int(path) % 256, np.uint8)


def rank(scores: NDArray[np.float32]) -> tuple[Prediction, ...]:
    best = int(scores.argmax())
    if best == 13:
        raise ImageError("no usable scores")
    return (Prediction(f"n{best}", str(best), 1.0),)


class Images:
    """A reader that returns what a function makes."""

    def __init__(self, decode: Callable[[str], Pixels]) -> None:
        self.decode = decode

    def wait(self, path: str) -> None:
        """Return at once."""

    def close(self) -> None:
        """Do nothing."""


def classify(
    sources: Iterator[Source],
    *,
    decode: Callable[[str], Pixels],
    engine: FakeEngine,
    rank: Callable[[NDArray[np.float32]], tuple[Prediction, ...]],
    timings: Timings | None = None,
    **options: Any,
) -> Generator[Record, None, None]:
    return pipeline.classify(
        sources, Images(decode), engine, Labelling(rank), PipelineOptions(**options), timings
    )


def sources(*paths: object) -> Iterator[Source]:
    return iter([Source(str(path)) for path in paths])


def test_records_come_in_order_one_for_each_source() -> None:
    engine = FakeEngine()
    paths = ["bad0", *range(10), "bad1", "bad2", *range(20, 26), 13, "bad3"]
    records = list(classify(sources(*paths), decode=decode, engine=engine, rank=rank, threads=4))
    assert [r.path for r in records] == [str(p) for p in paths]
    for record in records:
        if record.path.startswith("bad"):
            assert record.error == f"damaged: {record.path}" and record.status == "error"
        elif record.path == "13":
            assert record.error == record.reason == "no usable scores"
        else:
            assert record.predictions[0].label == record.path and record.status == "ok"
    assert sum(engine.batches) == 17 and max(engine.batches) <= 4


def test_a_batch_of_only_bad_images_never_reaches_the_engine() -> None:
    engine = FakeEngine()
    run = classify(sources(*["bad"] * 50), decode=decode, engine=engine, rank=rank)
    assert len(list(run)) == 50
    assert engine.batches == []


def test_sources_with_an_error_are_not_decoded() -> None:
    found = iter([Source("locked", "folder cannot be listed")])
    (record,) = classify(found, decode=decode, engine=FakeEngine(), rank=rank)
    assert record.error == "folder cannot be listed"


def test_sources_are_taken_at_most_a_window_ahead() -> None:
    taken = 0

    def endless() -> Iterator[Source]:
        nonlocal taken
        while True:
            taken += 1
            yield Source(str(taken % 10))

    run = classify(
        endless(), decode=decode, engine=FakeEngine(), rank=rank, batch_size=4, threads=2
    )
    for _ in range(40):
        next(run)
    time.sleep(0.5)
    window = WINDOW + 2 * 4
    assert taken <= 40 + window + 2 * 4 + 4
    run.close()
    time.sleep(0.3)
    after = taken
    time.sleep(0.3)
    assert taken == after


def test_a_slow_image_does_not_delay_others_within_the_window() -> None:
    release = threading.Event()
    decoded: list[int] = []

    def slow(path: str) -> Pixels:
        if path == "0":
            assert release.wait(20)
        decoded.append(int(path))
        return np.zeros((8, 8, 3), np.uint8)

    run = classify(
        sources(*range(1000)), decode=slow, engine=FakeEngine(), rank=rank, batch_size=4, threads=2
    )
    threading.Timer(1.0, release.set).start()
    assert next(run).path == "0"
    before = decoded.index(0)
    assert WINDOW - 4 <= before <= WINDOW + 8
    assert [int(r.path) for r in run] == list(range(1, 1000))


def test_an_error_of_the_engine_ends_the_run() -> None:
    class Broken(FakeEngine):
        def predict(self, batch: Pixels) -> NDArray[np.float32]:
            if batch.max() >= 20:
                raise Mnv2Error("the engine is broken")
            return super().predict(batch)

    seen = []
    with pytest.raises(Mnv2Error, match="the engine is broken"):
        for record in classify(
            sources(*range(40)), decode=decode, engine=Broken(), rank=rank, batch_size=4
        ):
            seen.append(int(record.path))
    assert seen == list(range(20))


def test_images_of_a_slow_list_are_classified_as_they_arrive() -> None:
    release = threading.Event()

    def slow() -> Iterator[Source]:
        yield Source("1")
        yield Source("2")
        assert release.wait(20)
        yield Source("3")

    run = classify(slow(), decode=decode, engine=FakeEngine(), rank=rank, batch_size=100)
    assert [next(run).path, next(run).path] == ["1", "2"]
    release.set()
    assert [r.path for r in run] == ["3"]


def test_an_error_while_finding_follows_the_images_found_before() -> None:
    def broken() -> Iterator[Source]:
        yield Source("1")
        raise Mnv2Error("the list is broken")

    run = classify(broken(), decode=decode, engine=FakeEngine(), rank=rank)
    assert next(run).path == "1"
    with pytest.raises(Mnv2Error, match="the list is broken"):
        next(run)


def test_threads_end_with_the_run() -> None:
    before = threading.active_count()
    list(classify(sources(*range(20)), decode=decode, engine=FakeEngine(), rank=rank))
    run = classify(sources(*range(200)), decode=decode, engine=FakeEngine(), rank=rank)
    next(run)
    run.close()
    time.sleep(0.5)
    assert threading.active_count() <= before


def test_times_are_split_by_stage() -> None:
    timings = Timings()
    list(
        classify(
            sources(*range(30)), decode=decode, engine=FakeEngine(), rank=rank, timings=timings
        )
    )
    assert timings.decoding >= 0.02 and timings.predicting > 0 and timings.finding > 0


def test_an_image_over_the_limit_is_an_error_and_its_batch_continues() -> None:
    release = threading.Event()
    begun: list[str] = []

    def stuck(path: str) -> Pixels:
        begun.append(path)
        if path in ("5", "6", "30"):
            release.wait(30)
            if path == "6":
                raise RuntimeError("too late to be reported")
        return decode(path)

    engine = FakeEngine()
    run = classify(
        sources(*range(10), "bad", *range(20, 40)),
        decode=stuck, engine=engine, rank=rank, batch_size=8, threads=2, limit=0.4,
    )  # fmt: skip
    records = []
    for record in run:
        records.append(record)
        if record.path == "20":
            release.set()  # late results arrive while others are decoded
    assert [r.path for r in records] == [*map(str, range(10)), "bad", *map(str, range(20, 40))]
    for record in records:
        if record.path in ("5", "6"):
            assert record.error == "took too long: over 0.4 seconds"
        elif record.path == "bad":
            assert record.error == "damaged: bad"
        elif record.path != "30":  # which may have been released in time
            assert record.predictions[0].label == record.path
    assert len(begun) == 31


def test_a_run_ends_although_threads_are_stuck() -> None:
    release = threading.Event()

    def stuck(path: str) -> Pixels:
        if path == "3" and not release.wait(20):
            release.set()
        return decode(path)

    run = classify(
        sources(*range(12)), decode=stuck, engine=FakeEngine(), rank=rank, threads=1, limit=1.0
    )
    records = list(run)
    assert [r.error for r in records] == ["", "", "", "took too long: over 1 second", *[""] * 8]
    run = classify(
        sources(*range(30)), decode=stuck, engine=FakeEngine(), rank=rank, batch_size=1,
        threads=2, limit=1.0,
    )  # fmt: skip
    next(run)
    run.close()
    assert not release.is_set()  # no run has waited for its stuck thread
    release.set()


def test_a_limit_that_no_image_reaches_has_no_effect() -> None:
    before = threading.active_count()
    run = classify(
        sources(*range(200)), decode=decode, engine=FakeEngine(), rank=rank, threads=4, limit=0.5
    )
    assert [r.path for r in run if not r.error] == [str(i) for i in range(200) if i != 13]
    time.sleep(0.2)
    assert threading.active_count() <= before


def test_the_limit_applies_to_an_image_that_was_waited_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The watcher reads the age while an image is waited for, and writes it when it is decoded."""
    waiting, decoding, release = threading.Event(), threading.Event(), threading.Event()

    class Batch(pipeline.Batch):
        _age = 0.0

        @property
        def age(self) -> float:
            age = self._age
            if age < 0 and threading.current_thread().name == "mnv2-watch":
                waiting.set()
                decoding.wait(0.5)
            return age

        @age.setter
        def age(self, age: float) -> None:
            self._age = age
            if waiting.is_set() and age == 0:
                decoding.set()

    class Remote(Images):
        def wait(self, path: str) -> None:
            waiting.wait(10)

    def stuck(path: str) -> Pixels:
        release.wait(10)
        return np.zeros((8, 8, 3), np.uint8)

    monkeypatch.setattr(pipeline, "Batch", Batch)
    (record,) = pipeline.classify(
        sources(1), Remote(stuck), FakeEngine(), Labelling(rank), PipelineOptions(limit=0.2)
    )
    release.set()
    assert record.error == "took too long: over 0.2 seconds"


def test_time_waiting_for_the_memory_of_large_images_does_not_count(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    shared = MemoryBudget(SMALL)
    monkeypatch.setattr(pipeline, "DECODING", shared)

    def large(path: str) -> Pixels:
        with shared.hold(SMALL):
            return np.zeros((8, 8, 3), np.uint8)

    records: list[Record] = []
    with shared.hold(SMALL):
        runner = threading.Thread(
            target=lambda: records.extend(
                classify(sources(1, 2), decode=large, engine=FakeEngine(), rank=rank, limit=0.2)
            )
        )
        runner.start()
        runner.join(1.0)  # longer than the limit
        assert not records
    runner.join(10)
    assert [record.error for record in records] == ["", ""]


def test_a_worker_that_cannot_be_replaced_ends_the_run(monkeypatch: pytest.MonkeyPatch) -> None:
    release = threading.Event()
    start = threading.Thread.start

    def refuse(thread: threading.Thread) -> None:
        if threading.current_thread().name == "mnv2-watch":
            raise RuntimeError("can't start new thread")
        start(thread)

    def stuck(path: str) -> Pixels:
        release.wait(10)
        return decode(path)

    monkeypatch.setattr(threading.Thread, "start", refuse)
    run = classify(sources(1, 2), decode=stuck, engine=FakeEngine(), rank=rank, limit=0.2)
    threading.Timer(8, release.set).start()
    with pytest.raises(Mnv2Error, match="cannot start another thread"):
        list(run)
    release.set()
