"""Options that commands share, as decorators.

Each decorator passes its options to the command function as one object: ``@input_options`` as
``inputs``, ``@label_options`` as ``labels``, ``@image_options`` as ``images``, ``@model_options``
as ``model``, ``@speed_options`` as ``engine``, ``@cluster_options`` as ``cluster`` and
``@terminal_options`` as ``terminal``. ``@as_classifier_options``, below all of them, combines those
of a classifier into ``options``.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import TYPE_CHECKING, Any, get_args

import click

from mnv2cli.cli.grouping import grouped, section, together
from mnv2cli.cli.types import Score
from mnv2cli.engines import ENGINES
from mnv2cli.engines.options import EngineOptions, Precision
from mnv2cli.images.options import (
    DEFAULT_MAX_PIXELS,
    LONGEST_TIMEOUT,
    Fit,
    ImageOptions,
    Interpolation,
)
from mnv2cli.inference.options import ClassifierOptions
from mnv2cli.labels.imagenet import CLASS_COUNT
from mnv2cli.labels.options import LabelOptions
from mnv2cli.models import MODELS
from mnv2cli.models.options import ModelOptions
from mnv2cli.sources.names import IMAGE_SUFFIXES
from mnv2cli.sources.options import Filters, Inputs

if TYPE_CHECKING:
    from mnv2cli.cli.terminal.screen import Screen


def _inputs(paths: tuple[str, ...], files_from: str | None, null: bool, **filters: Any) -> Inputs:
    return Inputs(paths, files_from, null, Filters(**filters))


_input = section("Images")
input_options = grouped(
    "inputs",
    _inputs,
    click.argument("paths", metavar="[PATH]...", nargs=-1, type=click.Path()),
    _input(
        "--files-from",
        type=click.Path(exists=True, dir_okay=False, allow_dash=True),
        metavar="FILE",
        help="Read more paths from FILE, one per line; - is stdin.",
    ),
    _input(
        "-0",
        "--null",
        advanced=True,
        is_flag=True,
        help="Paths in --files-from end with NUL, as from find -print0.",
    ),
    _input(
        "--recursive/--no-recursive", advanced=True, default=True, help="Search subfolders, or not."
    ),
    _input(
        "--include",
        multiple=True,
        metavar="PATTERN",
        help="Use only matching files, such as '*.jpg'; repeatable.",
    ),
    _input(
        "--exclude",
        multiple=True,
        metavar="PATTERN",
        help="Skip matching files and folders; repeatable.",
    ),
    _input(
        "--all-files",
        advanced=True,
        is_flag=True,
        help="In folders, try every file. Otherwise only these: " + " ".join(IMAGE_SUFFIXES) + ".",
    ),
    _input("--hidden", advanced=True, is_flag=True, help="Include hidden files and folders."),
    _input("--follow-links", advanced=True, is_flag=True, help="Follow symbolic links to folders."),
)


def _labels(*, category: bool, categories: str | None, **values: Any) -> LabelOptions:
    return LabelOptions(
        category=category or categories is not None, categories=categories, **values
    )


def categories_option(heading: Callable[..., Callable[[Any], Any]]) -> Callable[[Any], Any]:
    """Return the option for a file of categories, in a section of the help."""
    return heading(
        "--categories",
        advanced=True,
        type=click.Path(exists=True, dir_okay=False),
        metavar="FILE",
        help="Use the categories in FILE (TOML, see mnv2 labels --toml).  [default: built-in]",
    )


_result = section("Results")
label_options = grouped(
    "labels",
    _labels,
    _result(
        "-k",
        "--top",
        type=click.IntRange(1, CLASS_COUNT),
        default=5,
        metavar="N",
        help="Report the N best labels of each image.",
    ),
    _result(
        "--min-score",
        type=Score(),
        default=0.0,
        metavar="SCORE",
        help="Omit labels with a lower score (0 to 1).  [default: 0]",
        show_default=False,
    ),
    _result(
        "--category",
        is_flag=True,
        help="Add the category, such as dog, car or mountain.",
    ),
    categories_option(_result),
    _result(
        "--rollup",
        advanced=True,
        type=Score(min_open=True),
        metavar="SCORE",
        help="Add the most specific WordNet name whose summed score reaches SCORE: spaniel, "
        "else dog, else animal.  [default: off]",
    ),
)

_image = section("Decoding")
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

_model = section("Model")
variant_options = together(
    _model(
        "--alpha",
        advanced=True,
        type=float,
        metavar="WIDTH",
        help="Width of MobileNetV2: 0.35, 0.5, 0.75, 1.0, 1.3 or 1.4; less is faster.  "
        "[default: 1.0]",
    ),
    _model(
        "--size",
        advanced=True,
        type=int,
        metavar="PIXELS",
        help="Input size of MobileNetV2: 96, 128, 160, 192 or 224; less is faster. Only 224 "
        "with an alpha above 1.  [default: 224]",
    ),
)
_network_options = together(
    _model(
        "--model",
        type=click.Choice(MODELS),
        envvar="MNV2_MODEL",
        metavar="NAME",
        help="Use mobilenet_v2 [default] or efficientnet_lite0.",
    ),
    variant_options,
    _model(
        "--weights",
        advanced=True,
        type=click.Path(exists=True, dir_okay=False),
        metavar="FILE",
        help="Use your own weights: .h5, .hdf5 or .keras; .pth for efficientnet_lite0.  "
        "[default: ImageNet weights, downloaded once]",
    ),
)


def _model_options(
    *, model: str | None, refresh_weights: bool = False, **values: Any
) -> ModelOptions:
    return ModelOptions(model or "", refresh=refresh_weights, **values)


network_options = grouped("model", _model_options, _network_options)
model_options = grouped(
    "model",
    _model_options,
    _network_options,
    _model(
        "--refresh-weights",
        advanced=True,
        is_flag=True,
        help="Download the ImageNet weights again.",
    ),
)


def _engine(
    *,
    engine: str,
    calibrate: str | None,
    batch_size: int | None,
    threads: int | None,
    **values: Any,
) -> EngineOptions:
    return EngineOptions(
        engine,
        calibrate=calibrate or "",
        batch_size=batch_size or 0,
        threads=threads or 0,
        **values,
    )


_speed = section("Speed")
speed_options = grouped(
    "engine",
    _engine,
    _speed(
        "--engine",
        advanced=True,
        type=click.Choice(ENGINES),
        default="auto",
        metavar="NAME",
        help="Run the model with litert (compiled once) or keras; auto is litert on a CPU, keras "
        "on a GPU.",
    ),
    _speed(
        "--precision",
        advanced=True,
        type=click.Choice(get_args(Precision)),
        default="float32",
        metavar="TYPE",
        help="Compute in float32 or int8; int8 is faster on CPUs with 8-bit instructions, and "
        "changes scores slightly.",
    ),
    _speed(
        "--calibrate",
        advanced=True,
        type=click.Path(exists=True, file_okay=False),
        metavar="DIR",
        help="Calibrate int8 on up to 200 typical images in DIR.  [default: a sample of the "
        "inputs]",
    ),
    _speed(
        "--threads",
        advanced=True,
        type=click.IntRange(min=1, max=1024),
        metavar="N",
        help="Decode and predict with N workers.  [default: one per core]",
    ),
    _speed(
        "--batch-size",
        advanced=True,
        type=click.IntRange(min=1, max=4096),
        metavar="N",
        help="Predict N images at a time per worker.  [default: the engine's best]",
    ),
)


def _address(ctx: click.Context, param: click.Parameter, value: str | None) -> str | None:
    """Refuse a value that cannot be an address, such as a path after ``--ray``."""
    if value is None:
        return None
    from mnv2cli.inference.cluster.connection import is_address

    if not is_address(value):
        raise click.UsageError(
            f"--ray {value!r} is not the address of a cluster: use --ray=ADDRESS with auto, "
            "host:port or ray://host:port. To start a cluster on this machine, put --ray last: "
            f"mnv2 {ctx.info_name} PATH --ray"
        )
    return value


cluster_options = together(
    _speed(
        "--ray",
        "cluster",
        advanced=True,
        is_flag=False,
        flag_value="",
        callback=_address,
        metavar="[ADDRESS]",
        help="Classify on a Ray cluster: auto, host:port or ray://host:port; without ADDRESS, "
        "start one on this machine. --threads sets the number of workers.  [default: off]",
    ),
)


@dataclass(frozen=True, slots=True)
class TerminalOptions:
    """How much a command shows on stderr.

    Attributes:
        quiet: Show only errors and warnings.
        verbose: Also show each skipped or unreadable file, and messages of libraries.
    """

    quiet: bool = False
    verbose: bool = False

    def screen(self) -> Screen:
        """Return the screen for these options."""
        from mnv2cli.cli.terminal.screen import Screen

        return Screen(quiet=self.quiet, verbose=self.verbose)


def _terminal_options(quiet: bool, verbose: bool) -> TerminalOptions:
    if quiet and verbose:
        raise click.UsageError("--quiet cannot be combined with --verbose.")
    return TerminalOptions(quiet, verbose)


_terminal = section("Terminal")
terminal_options = grouped(
    "terminal",
    _terminal_options,
    _terminal("-q", "--quiet", is_flag=True, help="Show only errors and warnings."),
    _terminal("-v", "--verbose", is_flag=True, help="Show details, such as each skipped image."),
)


def as_classifier_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """Combine the objects of other decorators into the ``options`` of a classifier.

    Requires ``inputs``, ``images``, ``model`` and ``engine``; uses ``labels`` if it is given.
    """

    @wraps(function)
    def command(
        *,
        inputs: Inputs,
        images: ImageOptions,
        model: ModelOptions,
        engine: EngineOptions,
        labels: LabelOptions | None = None,
        **others: Any,
    ) -> Any:
        options = ClassifierOptions(labels or LabelOptions(), model, engine, images, inputs.filters)
        return function(inputs=inputs, options=options, **others)

    return command
