"""Options for decoding; ``@image_options`` or ``@limit_options`` passes them as ``images``."""

from __future__ import annotations

from typing import get_args

import click

from mnv2cli.cli.grouping import grouped, section
from mnv2cli.images.options import (
    DEFAULT_MAX_PIXELS,
    LONGEST_TIMEOUT,
    Fit,
    ImageOptions,
    Interpolation,
)

_image = section("Decoding")
_limits = (
    _image(
        "--max-pixels",
        advanced=True,
        type=click.IntRange(min=1),
        default=DEFAULT_MAX_PIXELS,
        metavar="N",
        help="Reject images with more than N pixels.",
    ),
    _image(
        "--allow-truncated",
        advanced=True,
        is_flag=True,
        help="Use the readable part of a truncated JPEG, PNG, GIF, BMP or plain TIFF.",
    ),
    _image(
        "--isolate",
        advanced=True,
        is_flag=True,
        help="Decode in separate processes, so a crash loses one image, not the run.",
    ),
    _image(
        "--timeout",
        advanced=True,
        type=click.FloatRange(0, LONGEST_TIMEOUT),
        default=60.0,
        metavar="SECONDS",
        help="Give up on an image after SECONDS of decoding; 0 waits forever.",
    ),
)
image_options = grouped(
    "images",
    ImageOptions,
    _image(
        "--fit",
        advanced=True,
        type=click.Choice(get_args(Fit)),
        default="crop",
        metavar="METHOD",
        help="Make the image square: crop its centre, pad with grey, or stretch it.",
    ),
    _image(
        "--interpolation",
        advanced=True,
        type=click.Choice(get_args(Interpolation)),
        default="bilinear",
        metavar="METHOD",
        help=f"Resample with {', '.join(get_args(Interpolation)[:-1])} or "
        f"{get_args(Interpolation)[-1]}; all but nearest antialias.",
    ),
    *_limits,
)
limit_options = grouped("images", ImageOptions, *_limits)
