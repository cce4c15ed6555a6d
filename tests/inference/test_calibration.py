"""The images to calibrate int8 on."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from mnv2cli.engines.calibration import Calibration
from mnv2cli.engines.options import EngineOptions
from mnv2cli.images.options import ImageOptions
from mnv2cli.inference.classifier import Classifier
from mnv2cli.inference.timings import Timings
from mnv2cli.models.options import ModelOptions
from tests.conftest import FakeEngine, draw
from tests.decoders import children

SMALL = ModelOptions(alpha=0.35, size=96)


def test_calibration_images_are_isolated_too(hostile: Path, fake_engine: FakeEngine) -> None:
    before = children()
    classifier = Classifier(
        images=ImageOptions(isolate=True, timeout=1), engine=EngineOptions(precision="int8")
    )
    pixels = classifier._calibration(lambda: map(str, sorted(hostile.iterdir()))).images()
    assert pixels.shape == (2, 224, 224, 3) and children() == before


@pytest.mark.usefixtures("random_weights")
def test_int8_is_calibrated_again_for_other_images(tmp_path: Path) -> None:
    for folder in ("a", "b"):
        draw(tmp_path / folder / "x.png", (1, 2, 3))
    keys = set()
    for folder, fit in [("a", "crop"), ("b", "crop"), ("a", "pad")]:
        classifier = Classifier(
            model=SMALL,
            engine=EngineOptions(precision="int8"),
            images=ImageOptions(fit),  # type: ignore[arg-type]
        )
        inputs = [str(tmp_path / folder)]
        keys.add(classifier._calibration(lambda c=classifier, i=inputs: c.sample(i)).key)  # type: ignore[misc]
    assert len(keys) == 3


@pytest.mark.usefixtures("random_weights")
def test_a_sample_is_even_and_reproducible(tmp_path: Path) -> None:
    for i in range(500):
        (tmp_path / f"{i}.jpg").write_bytes(b"")
    classifier = Classifier(model=SMALL)
    sample = classifier.sample([str(tmp_path)])
    assert len(set(sample)) == 200 and sample == classifier.sample([str(tmp_path)])
    late = sum(int(Path(path).stem) >= 250 for path in sample)
    assert 70 < late < 130


@pytest.mark.usefixtures("random_weights")
def test_a_list_is_sampled_from_its_first_images(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    paths = [str(draw(tmp_path / f"{i}.png", (i, 0, 0), (4, 4))) for i in range(250)]
    seen: list[int] = []

    def opened(options: Any, network: Any, calibration: Calibration, notify: Any) -> FakeEngine:
        seen.append(len(calibration.images()))
        return FakeEngine()

    monkeypatch.setattr("mnv2cli.inference.classifier.open_engine", opened)
    classifier = Classifier(model=SMALL, engine=EngineOptions(precision="int8"))
    records = list(classifier.run(classifier.sources((), None, paths), Timings()))
    assert seen == [200] and [r.path for r in records] == paths
