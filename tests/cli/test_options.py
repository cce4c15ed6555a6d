"""Options of the command agree with those of Python."""

from __future__ import annotations

from mnv2cli.cli.classify import classify
from mnv2cli.images.options import DEFAULT_MAX_PIXELS, LONGEST_TIMEOUT, ImageOptions


def test_the_limits_are_the_same_on_the_command_line() -> None:
    options = {option.name: option for option in classify.params}
    assert options["max_pixels"].default == DEFAULT_MAX_PIXELS
    assert options["timeout"].type.max == LONGEST_TIMEOUT  # type: ignore[attr-defined]
    assert options["timeout"].default == ImageOptions().timeout
