"""Options of decoding: invalid values, and the key of the others."""

from __future__ import annotations

import pytest

from mnv2cli.errors import InputError
from mnv2cli.images.options import ImageOptions


@pytest.mark.parametrize(
    "bad",
    [
        {"fit": "fill"},
        {"interpolation": "cubic"},
        {"max_pixels": 0},
        {"timeout": -1},
        {"crop_ratio": 0.9},
        {"crop_ratio": float("nan")},
    ],
)
def test_invalid_options_are_refused(bad: dict[str, object]) -> None:
    with pytest.raises(InputError):
        ImageOptions(**bad)  # type: ignore[arg-type]


def test_choices_are_named_as_words() -> None:
    with pytest.raises(InputError, match=r"^fit must be crop, pad or stretch, not 'nope'$"):
        ImageOptions(fit="nope")  # type: ignore[arg-type]


def test_the_key_of_the_pixels_never_changes() -> None:
    # Keys of compiled models and the logs of runs contain a digest of exactly this text.
    assert ImageOptions().pixels_key(224) == (
        "DecodeOptions(size=224, fit='crop', interpolation='bilinear', max_pixels=256000000, "
        "allow_truncated=False)"
    )
    assert ImageOptions("pad", "nearest", 400, True, True, 1.5).pixels_key(96) == (
        "DecodeOptions(size=96, fit='pad', interpolation='nearest', max_pixels=400, "
        "allow_truncated=True)"
    )
    assert ImageOptions(crop_ratio=1.0).pixels_key(256).endswith(", crop_ratio=1.0)")
