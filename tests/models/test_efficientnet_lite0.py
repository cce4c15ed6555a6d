"""EfficientNet-Lite0's weights come from a PyTorch checkpoint."""

from __future__ import annotations

import os
from collections import OrderedDict
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mnv2cli.errors import WeightsError
from mnv2cli.models.efficientnet_lite0 import EfficientNetLite0
from tests.checkpoints import Tensor, checkpoint, dump, tensor


def test_lite0_is_loaded_from_a_checkpoint(tensors: dict[str, Tensor], lite0_file: Path) -> None:
    model = EfficientNetLite0(weights=str(lite0_file)).build()
    assert len([layer for layer in model.layers if layer.weights]) == 99
    stem = model.get_layer("conv_stem").get_weights()[0]
    storage = tensors["_conv_stem.weight"].arguments[0]
    assert np.array_equal(stem, storage.numbers.reshape(3, 3, 3, 32))
    norm = model.get_layer("blocks-3-bn1").get_weights()
    for part, array in zip(("weight", "bias", "running_mean", "running_var"), norm, strict=True):
        assert np.array_equal(array, tensors[f"_blocks.3._bn1.{part}"].arguments[0].numbers)
    images = np.random.default_rng(0).uniform(-1, 1, (2, 224, 224, 3)).astype("f4")
    scores = np.asarray(model(images))
    assert scores.shape == (2, 1000) and np.allclose(scores.sum(axis=1), 1, atol=1e-5)
    assert np.ptp(scores) > 0


@pytest.mark.parametrize(
    ("name", "change", "message"),
    [
        ("_fc.bias", None, "_fc.bias is missing"),
        ("_fc.bias", np.zeros(1001, "f4"), r"the shape \[1001\], which does not fit \[1000\]"),
        ("_conv_stem.weight", np.zeros((3, 32, 3, 3), "f4"), r"\[3, 32, 3, 3\]"),
        ("_blocks.99._bn0.weight", np.zeros(4, "f4"), "_blocks.99._bn0.weight belongs to no"),
        ("_bn0.bias", np.full(32, np.nan, "f4"), "is not finite"),
    ],
)
def test_checkpoints_of_other_shapes_are_refused(
    tmp_path: Path, tensors: dict[str, Tensor], name: str, change: Any, message: str
) -> None:
    changed = dict(tensors)
    changed.pop(name, None)
    if change is not None:
        changed[name] = tensor("new", change)
    path = tmp_path / "w.pth"
    path.write_bytes(checkpoint(changed))
    with pytest.raises(WeightsError, match=message) as caught:
        EfficientNetLite0(weights=str(path)).build()
    assert str(path) in caught.value.message and "offline" in caught.value.hint


class Touch:
    def __init__(self, path: Path) -> None:
        self._path = path

    def __reduce__(self) -> Any:
        return os.system, (f"touch {self._path}",)


def test_malicious_and_truncated_checkpoints_are_one_clear_error(
    tmp_path: Path, tensors: dict[str, Tensor], lite0_file: Path
) -> None:
    ran, path = tmp_path / "ran", tmp_path / "w.pth"
    evil = dump(OrderedDict({**tensors, "x": Touch(ran)}))
    for content, message in [
        (checkpoint(tensors, state=evil), "names 'posix.system': refused"),
        (lite0_file.read_bytes()[:-1000], "is truncated"),
        (b"", "is empty"),
    ]:
        path.write_bytes(content)
        with pytest.raises(WeightsError, match=message):
            EfficientNetLite0(weights=str(path)).build()
    assert not ran.exists()
