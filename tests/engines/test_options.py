"""Engine options that cannot be combined."""

from __future__ import annotations

from typing import Any

import pytest

from mnv2cli import Classifier
from mnv2cli.engines import EngineOptions
from mnv2cli.errors import InputError


@pytest.mark.parametrize(
    "bad", [{"name": "onnx"}, {"name": "keras", "precision": "int8"}, {"calibrate": "."},
            {"precision": "int8", "calibrate": "nowhere"}, {"threads": -1}]
)  # fmt: skip
def test_clashing_options_are_refused(bad: dict[str, Any]) -> None:
    with pytest.raises(InputError):
        Classifier(engine=EngineOptions(**bad))


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        ({"precision": "fp16"}, "precision must be float32 or int8, not .fp16."),
        ({"batch_size": 1.5}, "must be whole numbers"),
        ({"threads": "2"}, "must be whole numbers"),
        ({"threads": -1}, "must be at least 1"),
        ({"calibrate": "."}, "--calibrate requires --precision int8"),
    ],
)
def test_invalid_values_are_refused(bad: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        EngineOptions(**bad)
