"""The classifier: values it refuses, and runs that are broken off."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from mnv2cli.engines.options import EngineOptions
from mnv2cli.errors import InputError
from mnv2cli.inference.classifier import Classifier
from mnv2cli.labels.options import LabelOptions
from mnv2cli.models.options import ModelOptions
from tests.conftest import FakeEngine, picture
from tests.decoders import children
from tests.hosts import Site, answer, hold


def test_the_run_stops_at_once_while_a_host_is_slow(site: Site, fake_engine: FakeEngine) -> None:
    over = threading.Event()
    site.pages["/a.png"] = answer(picture())
    site.pages["/slow.png"] = hold(over)
    classifier = Classifier(engine=EngineOptions(batch_size=1))
    records = classifier.classify(f"{site.url}/a.png", f"{site.url}/slow.png")
    next(records)
    start = time.monotonic()
    records.close()
    assert time.monotonic() - start < 3
    over.set()


def test_a_run_that_is_broken_off_ends_its_processes(
    hostile: Path, fake_engine: FakeEngine
) -> None:
    before = children()
    classifier = Classifier(engine=EngineOptions(threads=2, batch_size=1))
    classifier.isolate = True
    records = classifier.classify(*[str(hostile / "img2.jpg")] * 50)
    assert next(records).status == "ok" and children() != before
    records.close()
    assert children() == before


@pytest.mark.usefixtures("random_weights")
@pytest.mark.parametrize(
    "make",
    [
        lambda: Classifier(top=0),
        lambda: Classifier(top=1001),
        lambda: Classifier(labels=LabelOptions(threshold=-0.1)),
        lambda: Classifier(labels=LabelOptions(threshold=2)),
        lambda: Classifier(model=ModelOptions(size=225)),
    ],
)
def test_values_out_of_range_are_refused(make: Callable[[], Classifier]) -> None:
    with pytest.raises(InputError):
        make()
