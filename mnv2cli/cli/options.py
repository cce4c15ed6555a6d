"""Options that commands share, as decorators; each one stands here once."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, TypeVar

import click

from mnv2cli.cli.terminal.help import SectionOption
from mnv2cli.engines import ENGINES
from mnv2cli.models import MODELS
from mnv2cli.sources.finder import IMAGE_SUFFIXES

F = TypeVar("F", bound=Callable[..., Any])

# As in decode.DEFAULT_MAX_PIXELS, which --help need not import; a test holds them together.
MAX_PIXELS = 256_000_000


def _together(*decorators: Callable[[Any], Any]) -> Callable[[F], F]:
    def decorate(function: F) -> F:
        for decorator in reversed(decorators):
            function = decorator(function)
        return function

    return decorate


def section(name: str) -> Callable[..., Callable[[Any], Any]]:
    """Return what makes options that stand under a heading of the help."""
    return partial(click.option, cls=SectionOption, section=name, show_default=True)


_input = section("Which images")
input_options = _together(
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

_category = section("Categories")
category_options = _together(
    _category(
        "--category",
        is_flag=True,
        help="Tell each image's category too, one of some forty such as dog, car and mountain.",
    ),
    _category(
        "--categories",
        type=click.Path(exists=True, dir_okay=False),
        metavar="FILE",
        help="Your own categories, a TOML file as mnv2 labels --toml prints it.  [default: the "
        "built-in ones]",
    ),
    _category(
        "--rollup",
        type=click.FloatRange(0, 1, min_open=True),
        metavar="P",
        help="Tell the most exact name whose score reaches this: spaniel, else dog, else animal.  "
        "[default: not told]",
    ),
)

_image = section("Reading images")
image_options = _together(
    _image(
        "--fit",
        type=click.Choice(["crop", "pad", "stretch"]),
        default="crop",
        help="How a photo becomes a square: its centre; all of it with grey around; distorted.",
    ),
    _image(
        "--interpolation",
        type=click.Choice(["bilinear", "bicubic", "nearest", "lanczos"]),
        default="bilinear",
        help="How pixels are resampled; all but nearest are antialiased.",
    ),
    _image(
        "--max-pixels",
        type=click.IntRange(min=1),
        default=MAX_PIXELS,
        metavar="N",
        help="Do not decode images with more pixels than this.",
    ),
    _image(
        "--allow-truncated",
        is_flag=True,
        help="Take what is there of a JPEG, PNG, GIF, BMP or plain TIFF that ends early.",
    ),
    _image(
        "--isolate",
        is_flag=True,
        help="Decode in processes of their own: a file that crashes a decoder costs its row, not "
        "the run.",
    ),
    _image(
        "--timeout",
        type=click.FloatRange(0, 86_400),
        default=60.0,
        metavar="SECONDS",
        help="An image that takes longer to decode is an error; 0 waits for ever.",
    ),
)

_model = section("Network")
variant_options = _together(
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
network_options = _together(
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
model_options = _together(
    network_options,
    _model("--refresh-weights", is_flag=True, help="Download the published weights again."),
)

_speed = section("Speed")
speed_options = _together(
    _speed(
        "--engine",
        type=click.Choice(ENGINES),
        default="auto",
        help="What runs the network: litert, compiled for this processor once; keras, the "
        "reference; auto, litert on a CPU and keras on a GPU.",
    ),
    _speed(
        "--precision",
        type=click.Choice(["float32", "int8"]),
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
    from mnv2cli.inference.cluster import is_address

    if not is_address(value):
        raise click.UsageError(
            f"--ray takes {value!r} for the address of a cluster, and it is none: write "
            "--ray=ADDRESS with auto, host:port or ray://host:port. For a cluster on this "
            f"machine put --ray last: mnv2 {ctx.info_name} PATH --ray"
        )
    return value


cluster_options = _together(
    _speed(
        "--ray",
        is_flag=False,
        flag_value="",
        callback=_address,
        metavar="[ADDRESS]",
        help="Classify on a Ray cluster: auto, host:port or ray://host:port; without an address "
        "on one that is started on this machine. --threads is how many workers.  [default: no]",
    ),
)

_terminal = section("Terminal")
terminal_options = _together(
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
