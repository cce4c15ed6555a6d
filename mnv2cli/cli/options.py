"""Options that commands share, as decorators; each one stands here once.

A group of options reaches the command function as one object: ``@input_options`` as ``inputs``,
``@label_options`` as ``labels``, ``@image_options`` as ``images``, ``@model_options`` as ``model``,
``@speed_options`` as ``engine``, ``@cluster_options`` as ``cluster`` and ``@terminal_options`` as
``terminal``. ``@as_classifier_options``, below all of them, joins those that make a classifier
into ``options``.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import TYPE_CHECKING, Any, get_args

import click

from mnv2cli.cli.grouping import grouped, section, together
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


_input = section("Which images")
input_options = grouped(
    "inputs",
    _inputs,
    click.argument("paths", metavar="[PATH]...", nargs=-1, type=click.Path()),
    _input(
        "--files-from",
        type=click.Path(exists=True, dir_okay=False, allow_dash=True),
        metavar="FILE",
        help="Take more paths from a file, one a line; - is standard input.",
    ),
    _input(
        "-0", "--null", is_flag=True, help="The paths of --files-from end with NUL (find -print0)."
    ),
    _input("--recursive/--no-recursive", default=True, help="Walk into subfolders."),
    _input(
        "--include",
        multiple=True,
        metavar="PATTERN",
        help="Take only files that match, such as 'IMG_*' or '2024/**/*.jpg'; may be repeated.",
    ),
    _input(
        "--exclude",
        multiple=True,
        metavar="PATTERN",
        help="Leave out files and folders that match; may be repeated.",
    ),
    _input(
        "--all-files",
        is_flag=True,
        help="In folders, try every file, not only those that end in "
        + " ".join(IMAGE_SUFFIXES)
        + ". Files that you name are always tried.",
    ),
    _input("--hidden", is_flag=True, help="In folders, take hidden files and folders too."),
    _input("--follow-links", is_flag=True, help="Walk into symbolic links to folders."),
)


def _labels(*, category: bool, categories: str | None, **values: Any) -> LabelOptions:
    return LabelOptions(
        category=category or categories is not None, categories=categories, **values
    )


def categories_option(heading: Callable[..., Callable[[Any], Any]]) -> Callable[[Any], Any]:
    """Return the option that names a file of categories, under a heading of the help."""
    return heading(
        "--categories",
        type=click.Path(exists=True, dir_okay=False),
        metavar="FILE",
        help="Your own categories, a TOML file as mnv2 labels --toml prints it.  [default: the "
        "built-in ones]",
    )


_result = section("Results")
_category = section("Categories")
label_options = grouped(
    "labels",
    _labels,
    _result(
        "-k",
        "--top",
        type=click.IntRange(1, CLASS_COUNT),
        default=5,
        metavar="K",
        help="How many labels for each image, best first.",
    ),
    _result(
        "--threshold",
        type=click.FloatRange(0, 1),
        default=0.0,
        metavar="P",
        help="Leave out labels with a score below this.",
    ),
    _category(
        "--category",
        is_flag=True,
        help="Tell each image's category too, one of some forty such as dog, car and mountain.",
    ),
    categories_option(_category),
    _category(
        "--rollup",
        type=click.FloatRange(0, 1, min_open=True),
        metavar="P",
        help="Tell the most exact name whose score reaches this: spaniel, else dog, else animal.  "
        "[default: not told]",
    ),
)

_image = section("Reading images")
image_options = grouped(
    "images",
    ImageOptions,
    _image(
        "--fit",
        type=click.Choice(get_args(Fit)),
        default="crop",
        help="How a photo becomes a square: its centre; all of it with grey around; distorted.",
    ),
    _image(
        "--interpolation",
        advanced=True,
        type=click.Choice(get_args(Interpolation)),
        default="bilinear",
        help="How pixels are resampled; all but nearest are antialiased.",
    ),
    _image(
        "--max-pixels",
        advanced=True,
        type=click.IntRange(min=1),
        default=DEFAULT_MAX_PIXELS,
        metavar="N",
        help="Do not decode images with more pixels than this.",
    ),
    _image(
        "--allow-truncated",
        advanced=True,
        is_flag=True,
        help="Take what is there of a JPEG, PNG, GIF, BMP or plain TIFF that ends early.",
    ),
    _image(
        "--isolate",
        advanced=True,
        is_flag=True,
        help="Decode in processes of their own: a file that crashes a decoder costs its row, not "
        "the run.",
    ),
    _image(
        "--timeout",
        advanced=True,
        type=click.FloatRange(0, LONGEST_TIMEOUT),
        default=60.0,
        metavar="SECONDS",
        help="An image that takes longer to decode is an error; 0 waits for ever.",
    ),
)

_model = section("Network")
variant_options = together(
    _model(
        "--alpha",
        type=float,
        metavar="WIDTH",
        help="Width of MobileNetV2: 0.35, 0.5, 0.75, 1.0, 1.3 or 1.4; narrower is faster.  "
        "[default: 1.0]",
    ),
    _model(
        "--size",
        type=int,
        metavar="PIXELS",
        help="Side of its input: 96, 128, 160, 192 or 224; 224 alone for alpha over 1.  "
        "[default: 224]",
    ),
)
_network_options = together(
    _model(
        "--model",
        type=click.Choice(MODELS),
        envvar="MNV2_MODEL",
        help="Which network; MNV2_MODEL in the environment says it too.  [default: mobilenet_v2; "
        "where its weights cannot be had, efficientnet_lite0 if installed, with a warning]",
    ),
    variant_options,
    _model(
        "--weights",
        type=click.Path(exists=True, dir_okay=False),
        metavar="FILE",
        help="Your own weights of this network: .h5, .hdf5 or .keras in any alpha and size, "
        "or .pth for efficientnet_lite0.  [default: the published ImageNet weights, downloaded "
        "once into Keras's cache]",
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
    _model("--refresh-weights", is_flag=True, help="Download the published weights again."),
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
        type=click.Choice(ENGINES),
        default="auto",
        help="What runs the network: litert, compiled for this processor once; keras, the "
        "reference; auto, litert on a CPU and keras on a GPU.",
    ),
    _speed(
        "--precision",
        type=click.Choice(get_args(Precision)),
        default="float32",
        help="int8 is faster on processors with instructions for it, and moves scores a little.",
    ),
    _speed(
        "--calibrate",
        type=click.Path(exists=True, file_okay=False),
        metavar="DIR",
        help="Typical photos to calibrate int8 on, up to 200, once.  [default: a sample of the "
        "run's own images]",
    ),
    _speed(
        "--threads",
        type=click.IntRange(min=1, max=1024),
        metavar="N",
        help="Workers that decode and predict.  [default: one for each core]",
    ),
    _speed(
        "--batch-size",
        type=click.IntRange(min=1, max=4096),
        metavar="N",
        help="Images that a worker takes at a time.  [default: what measured best]",
    ),
)


def _address(ctx: click.Context, param: click.Parameter, value: str | None) -> str | None:
    """Refuse what is no address, such as a path that was meant to be classified."""
    if value is None:
        return None
    from mnv2cli.inference.cluster.connection import is_address

    if not is_address(value):
        raise click.UsageError(
            f"--ray takes {value!r} for the address of a cluster, and it is none: write "
            "--ray=ADDRESS with auto, host:port or ray://host:port. For a cluster on this "
            f"machine put --ray last: mnv2 {ctx.info_name} PATH --ray"
        )
    return value


cluster_options = together(
    _speed(
        "--ray",
        "cluster",
        is_flag=False,
        flag_value="",
        callback=_address,
        metavar="[ADDRESS]",
        help="Classify on a Ray cluster: auto, host:port or ray://host:port; without an address "
        "on one that is started on this machine. --threads is how many workers.  [default: no]",
    ),
)


@dataclass(frozen=True, slots=True)
class TerminalOptions:
    """How much a command says on stderr.

    Attributes:
        quiet: Errors and warnings only.
        verbose: Each thing that is skipped, and libraries' own messages.
    """

    quiet: bool = False
    verbose: bool = False

    def screen(self) -> Screen:
        """Return what shows it."""
        from mnv2cli.cli.terminal.screen import Screen

        return Screen(quiet=self.quiet, verbose=self.verbose)


_terminal = section("Terminal")
terminal_options = grouped(
    "terminal",
    TerminalOptions,
    _terminal(
        "-q",
        "--quiet",
        is_flag=True,
        help="Show errors and warnings only: no progress, no summary.",
    ),
    _terminal(
        "-v", "--verbose", is_flag=True, help="Tell what is left out and why, and what is loaded."
    ),
)


def as_classifier_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """Join what other decorators hand out and a classifier needs; the function gets ``options``.

    It needs ``inputs``, ``images``, ``model`` and ``engine``, and takes ``labels`` if it is there.
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
