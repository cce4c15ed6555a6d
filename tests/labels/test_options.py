"""What is reported of each image is checked when it is asked for."""

from __future__ import annotations

from typing import Any

import pytest

from mnv2cli.errors import InputError
from mnv2cli.labels.options import LabelOptions


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"top": 0}, "top is 0, but must be 1 to 1000"),
        ({"top": 1001}, "top is 1001, but must be 1 to 1000"),
        ({"top": "5"}, "top must be a whole number, not '5'"),
        ({"top": 5.0}, "top must be a whole number, not 5.0"),
        ({"min_score": -0.1}, "min_score is -0.1, but scores are 0 to 1"),
        ({"min_score": 1.5}, "min_score is 1.5, but scores are 0 to 1"),
        ({"min_score": float("nan")}, "min_score is nan, but scores are 0 to 1"),
        ({"rollup": 0.0}, "rollup is 0.0, but must be over 0 and at most 1"),
        ({"rollup": 1.1}, "rollup is 1.1, but must be over 0 and at most 1"),
    ],
)
def test_values_that_cannot_be_used_are_refused(values: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError) as caught:
        LabelOptions(**values)
    assert caught.value.message == message


def test_values_at_the_limits_are_taken() -> None:
    for top, min_score, rollup in ((1, 0.0, 1.0), (1000, 1.0, 1e-9), (5, 0.5, None)):
        options = LabelOptions(top=top, min_score=min_score, rollup=rollup)
        assert (options.top, options.min_score, options.rollup) == (top, min_score, rollup)
