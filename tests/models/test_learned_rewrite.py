"""A learned model with another head is the file that would have been written with that head."""

from __future__ import annotations

import zipfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from mnv2cli.errors import WeightsError
from mnv2cli.models import open_model
from mnv2cli.models.head import Head
from mnv2cli.models.learned_file import read_learned
from mnv2cli.models.learned_rewrite import rewrite_learned
from mnv2cli.models.learned_template import write_learned
from mnv2cli.models.unknown import Unknown
from mnv2cli.models.weights import import_keras
from tests.models.test_learned import BACKBONE, learned

__all__ = ["learned"]  # a fixture


def test_keras_loads_the_new_head(learned: Path, tmp_path: Path) -> None:
    old = read_learned(str(learned))
    assert old.head.unknown is not None
    unknown = replace(old.head.unknown, temperature=3.0)
    head = Head(old.head.kernel / 3, old.head.bias / 3, unknown)
    new = replace(old, head=head, thresholds={"cat": 0.5}, training={"photos": 9})
    rewritten, written = tmp_path / "rewritten.keras", tmp_path / "written.keras"
    rewrite_learned(str(learned), str(rewritten), new)
    write_learned(str(written), new, open_model(BACKBONE))
    with zipfile.ZipFile(rewritten) as first, zipfile.ZipFile(written) as second:
        assert first.namelist() == second.namelist()
        for name in ("config.json", "metadata.json", "mnv2.json", "mnv2.npz"):
            assert first.read(name) == second.read(name), name
    found = read_learned(str(rewritten))
    assert (found.thresholds, found.training) == ({"cat": 0.5}, {"photos": 9})
    assert found.head.unknown is not None and found.head.unknown.temperature == 3
    keras = import_keras()
    models = [keras.models.load_model(path, compile=False) for path in (rewritten, written)]
    pixels = np.random.default_rng(0).integers(0, 256, (2, 96, 96, 3)).astype(np.float32)
    np.testing.assert_array_equal(*(np.asarray(model(pixels)) for model in models))


@pytest.mark.parametrize("temperature", [[0.0], [-1.0], [1e9], [1.0, 2.0]])
def test_a_temperature_that_cannot_be_is_refused(temperature: list[float]) -> None:
    two = np.ones(2, np.float32)
    measure = Unknown(np.ones((2, 4), np.float32), two, two, np.arange(3, dtype=np.float32))
    arrays = measure.arrays() | {"temperature": np.array(temperature, np.float32)}
    with pytest.raises(ValueError, match="temperature"):
        Unknown.from_arrays(arrays)


def test_a_file_that_is_not_an_archive_is_damaged(learned: Path, tmp_path: Path) -> None:
    content = read_learned(str(learned))
    broken = tmp_path / "broken.keras"
    broken.write_bytes(b"nothing")
    with pytest.raises(WeightsError, match="damaged"):
        rewrite_learned(str(broken), str(broken), content)
    assert broken.read_bytes() == b"nothing"
    with pytest.raises(WeightsError, match="cannot read"):
        rewrite_learned(str(tmp_path / "gone.keras"), str(broken), content)
