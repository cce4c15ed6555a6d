"""Options of engines that clash."""

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
