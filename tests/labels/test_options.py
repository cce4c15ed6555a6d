"""Options of labels are checked when they are created."""

from __future__ import annotations

from typing import Any

import pytest

from mnv2cli.errors import InputError
from mnv2cli.labels.options import LabelOptions


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"top": 0}, "top must be 1 to 1000, not 0"),
        ({"top": 1001}, "top must be 1 to 1000, not 1001"),
        ({"top": "5"}, "top must be a whole number, not '5'"),
        ({"top": 5.0}, "top must be a whole number, not 5.0"),
        ({"min_score": -0.1}, "min_score must be 0 to 1, not -0.1"),
        ({"min_score": 1.5}, "min_score must be 0 to 1, not 1.5"),
        ({"min_score": float("nan")}, "min_score must be 0 to 1, not nan"),
        ({"min_margin": -0.1}, "min_margin must be 0 to 1, not -0.1"),
        ({"min_margin": 1.5}, "min_margin must be 0 to 1, not 1.5"),
        ({"min_margin": float("nan")}, "min_margin must be 0 to 1, not nan"),
        ({"rollup": 0.0}, "rollup must be above 0 and at most 1, not 0.0"),
        ({"rollup": 1.1}, "rollup must be above 0 and at most 1, not 1.1"),
    ],
)
def test_values_that_cannot_be_used_are_refused(values: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError) as caught:
        LabelOptions(**values)
    assert caught.value.message == message


def test_values_at_the_limits_are_accepted() -> None:
    for top, min_score, rollup in ((1, 0.0, 1.0), (1000, 1.0, 1e-9), (5, 0.5, None)):
        options = LabelOptions(top=top, min_score=min_score, rollup=rollup)
        assert (options.top, options.min_score, options.rollup) == (top, min_score, rollup)
