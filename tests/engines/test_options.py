from __future__ import annotations

from typing import Any

import pytest

from mnv2cli.engines.options import EngineOptions
from mnv2cli.errors import InputError


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        ({"precision": "fp16"}, "precision is 'fp16', but must be one of"),
        ({"batch_size": 1.5}, "must be whole numbers"),
        ({"threads": "2"}, "must be whole numbers"),
        ({"threads": -1}, "must be at least 1"),
        ({"calibrate": "."}, "--calibrate is for int8"),
    ],
)
def test_values_that_cannot_be_used_are_refused(bad: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        EngineOptions(**bad)
