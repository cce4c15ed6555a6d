"""The classifier: its inputs, the values it refuses, and runs that stop early."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from mnv2cli.engines.options import EngineOptions
from mnv2cli.errors import InputError
from mnv2cli.inference.classifier import Classifier
from mnv2cli.inference.timings import Timings
from mnv2cli.labels.options import LabelOptions
from mnv2cli.models.options import ModelOptions
from mnv2cli.records import Source
from tests.conftest import FakeEngine, image_bytes
from tests.decoders import children
from tests.hosts import Site, answer, hold


def test_closing_a_run_does_not_wait_for_a_slow_host(site: Site, fake_engine: FakeEngine) -> None:
    release = threading.Event()
    site.pages["/a.png"] = answer(image_bytes())
    site.pages["/slow.png"] = hold(release)
    classifier = Classifier(engine=EngineOptions(batch_size=1))
    records = classifier.classify(f"{site.url}/a.png", f"{site.url}/slow.png")
    next(records)
    records.close()
    assert not release.is_set()  # the host has not answered yet
    release.set()


def test_a_run_that_stops_early_ends_its_processes(hostile: Path, fake_engine: FakeEngine) -> None:
    before = children()
    classifier = Classifier(engine=EngineOptions(threads=2, batch_size=1))
    classifier.isolate = True
    records = classifier.classify(*[str(hostile / "img2.jpg")] * 50)
    assert next(records).status == "ok" and children() != before
    records.close()
    assert children() == before


@pytest.mark.parametrize("make", [list, tuple, iter])
def test_a_run_takes_any_iterable_of_sources(
    photos: Path, fake_engine: FakeEngine, make: Callable[[list[Source]], Iterable[Source]]
) -> None:
    paths = [str(photos / "img2.jpg"), str(photos / "img10.png")]
    records = list(Classifier().run(make([Source(path) for path in paths])))
    assert [record.path for record in records] == paths


@pytest.mark.parametrize(("threads", "workers"), [(0, FakeEngine.workers), (1, 1), (5, 5)])
def test_timings_include_the_number_of_workers(
    photos: Path, fake_engine: FakeEngine, threads: int, workers: int
) -> None:
    timings = Timings()
    classifier = Classifier(engine=EngineOptions(threads=threads))
    list(classifier.run([Source(str(photos / "img2.jpg"))], timings))
    assert timings.workers == workers


@pytest.mark.usefixtures("random_weights")
@pytest.mark.parametrize(
    "make",
    [
        lambda: Classifier(top=0),
        lambda: Classifier(top=1001),
        lambda: Classifier(labels=LabelOptions(min_score=-0.1)),
        lambda: Classifier(labels=LabelOptions(min_score=2)),
        lambda: Classifier(model=ModelOptions(size=225)),
    ],
)
def test_values_out_of_range_are_refused(make: Callable[[], Classifier]) -> None:
    with pytest.raises(InputError):
        make()


ACCURATE = ModelOptions(accurate=True)


def test_accurate_sees_the_whole_square_and_its_mirror_image(
    tmp_path: Path, fake_engine: FakeEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[NDArray[np.uint8]] = []
    predict = fake_engine.predict

    def record(batch: NDArray[np.uint8]) -> NDArray[np.float32]:
        seen.append(batch)
        return predict(batch)

    monkeypatch.setattr(fake_engine, "predict", record)
    image = Image.new("RGB", (300, 256), (10, 10, 10))
    image.paste((200, 10, 10), (22, 0, 24, 256))  # at the left edge of the centre square
    image.save(tmp_path / "a.png")
    classifier = Classifier(model=ACCURATE)
    (row,) = classifier.classify(tmp_path)
    assert row.model == "mobilenet_v2_1.0_224_accurate"
    assert classifier.about == "mobilenet_v2_1.0_224_accurate, fake float32"
    straight, mirrored = (batch[0] for batch in seen)
    assert straight.shape == (256, 256, 3) and (straight[:, :2, 0] > 150).all()
    assert np.array_equal(mirrored, straight[:, ::-1])
    seen.clear()
    list(Classifier().classify(tmp_path))
    (straight,) = (batch[0] for batch in seen)
    assert straight.shape == (224, 224, 3) and straight.max() < 150  # the edge is cropped


def test_settings_of_a_run_include_accurate(fake_engine: FakeEngine) -> None:
    assert [Classifier(model=m).settings()["accurate"] for m in ("", ACCURATE)] == [False, True]


def test_int8_is_refused_for_networks_that_it_does_not_suit() -> None:
    with pytest.raises(InputError, match="--precision int8 cannot be combined with --model conv"):
        Classifier(model="convnext_tiny", engine=EngineOptions(precision="int8"))
