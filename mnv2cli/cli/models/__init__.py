"""``mnv2 models``: which networks there are, where their weights are, and how they are made."""

from __future__ import annotations

import json
import os
import re
from contextlib import suppress
from dataclasses import asdict
from time import perf_counter, time
from typing import TYPE_CHECKING, Any

import click

from mnv2cli.cli.options import MODELS, section, terminal_options, variant_options
from mnv2cli.cli.terminal.help import ExampleCommand, ExampleGroup
from mnv2cli.cli.terminal.text import print_path, printable
from mnv2cli.errors import ExitCode, InputError, Mnv2Error, OutputError, WeightsError

if TYPE_CHECKING:
    from mnv2cli.models import Model
    from mnv2cli.models.describe import Description

EXAMPLES = (
    ("what there is, and what is on this machine", "mnv2 models list"),
    ("carry the weights to a machine without internet", 'cp "$(mnv2 models path)" /media/stick/'),
    ("and take them in there", "mnv2 models import /media/stick/mobilenet_v2_*.h5"),
)

_PUBLISHED_NAME = re.compile(
    r"mobilenet_v2_weights_tf_dim_ordering_tf_kernels_(?P<alpha>[0-9]+\.[0-9]+)_(?P<size>[0-9]+)\.h5"
)

_model = click.argument(
    "model", type=click.Choice(MODELS), default=MODELS[0], envvar="MNV2_MODEL", metavar="[MODEL]"
)
_option = section("Options")
_json = _option("--json", "as_json", is_flag=True, help="Print it as JSON.")


@click.group(cls=ExampleGroup, examples=EXAMPLES, short_help="List, fetch and look at networks.")
def models() -> None:
    """List, fetch, check, compile and look at the networks and their weights.

    MODEL is mobilenet_v2 or efficientnet_lite0; MNV2_MODEL in the environment names the default.
    """


@models.command(
    "list",
    cls=ExampleCommand,
    short_help="List all networks, and what is on this machine.",
    examples=(
        ("what there is", "mnv2 models list"),
        ("what is ready to run", "mnv2 models list --json | jq -r '.[] | select(.weights).model'"),
    ),
)
@_json
def list_models(as_json: bool) -> None:
    """List all networks: cost, accuracy as published, and what is on this machine.

    Parameters and multiply-adds (of one image) are in millions. Top-1 is the published share of
    ImageNet's validation images whose first label is right.
    """
    from mnv2cli.engines.cache import cache_folder, compiled_as, entries
    from mnv2cli.models import all_models, keras_home
    from mnv2cli.models.published import published

    figures, compiled = published(), entries()
    rows = []
    for model in all_models():
        path = model.find()
        state, error = [], ""
        if path:
            try:
                state = [str(precision) for precision in compiled_as(model, compiled)]
            except Mnv2Error as caught:
                path, error = "", caught.message
        rows.append(
            {
                "model": model.model,
                "size": model.size,
                **asdict(figures[model.model]),
                "weights": path or None,
                "missing": None if path else error or _how_to_get(model),
                "compiled": state,
            }
        )
    if as_json:
        click.echo(json.dumps(rows, indent=1))
        return

    from rich import box
    from rich.table import Table

    from mnv2cli.cli.terminal.console import PlainConsole
    from mnv2cli.cli.terminal.text import home_text, size_text

    console = PlainConsole(highlight=False)
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, collapse_padding=True)
    table.add_column("Model", no_wrap=True)
    for name in ("Size", "Params", "MAdds", "Top-1"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("Weights", no_wrap=True)
    table.add_column("Compiled", no_wrap=True)
    for row in rows:
        where = "-"
        if row["weights"]:
            kept = row["weights"].startswith(keras_home() + os.sep)
            where = size_text(os.path.getsize(row["weights"])) + ("" if kept else ", package")
        elif row["model"] == "efficientnet_lite0":
            where = "not installed"
        table.add_row(
            row["model"],
            str(row["size"]),
            f"{row['parameters'] / 1e6:.2f}",
            f"{row['multiply_adds'] / 1e6:.0f}",
            f"{row['top1']:.1f} %",
            where,
            ", ".join(row["compiled"]) or "-",
            style="" if row["weights"] else "dim",
        )
    console.print(table)
    places = {"Weights": f"{keras_home()}{os.sep}models", "Compiled": cache_folder()}
    for what, place in places.items():
        text = f"{what} are in".ljust(17) + printable(home_text(place))
        console.print(text, soft_wrap=True, markup=False)
    for row in rows:
        if row["missing"] and row["model"] == "efficientnet_lite0":
            text = printable(f"{row['model']}: {row['missing']}")
            console.print(text, soft_wrap=True, markup=False)
    if any(row["missing"] for row in rows):
        console.print("mnv2 models download --alpha WIDTH --size PIXELS fetches what is missing.")


def _how_to_get(model: Model) -> str:
    from mnv2cli.models import EfficientNetLite0
    from mnv2cli.models.efficientnet_lite0 import INSTALL

    if isinstance(model, EfficientNetLite0):
        return INSTALL
    return f"mnv2 models download --alpha {model.alpha} --size {model.size}"


@models.command(
    cls=ExampleCommand,
    short_help="Download published weights, checked.",
    examples=(
        ("before going offline", "mnv2 models download"),
        ("a small one", "mnv2 models download --alpha 0.35 --size 96"),
        ("from a mirror", "mnv2 models download --from https://mirror.example.org/mobilenet_v2/"),
    ),
)
@_model
@variant_options
@_option("--all", "every", is_flag=True, help="All widths and sizes of MobileNetV2, 250 MB.")
@_option(
    "--from",
    "mirror",
    metavar="URL",
    help="The folder of a mirror, or the file itself; http, https or file.  [default: "
    "MNV2_WEIGHTS_URL, else the host that Keras uses]",
)
@_option("--refresh", is_flag=True, help="Download again what is already there.")
@terminal_options
def download(
    model: str,
    alpha: float | None,
    size: int | None,
    every: bool,
    mirror: str | None,
    refresh: bool,
    quiet: bool,
    verbose: bool,
) -> None:
    """Download published weights into Keras's cache, each checked by loading it.

    A file appears in the cache only when it is whole and fits the network.
    """
    if every and (alpha is not None or size is not None):
        raise click.UsageError("--all is all of them: leave out --alpha and --size.")
    if every and model != MODELS[0]:
        raise click.UsageError(f"--all is about {MODELS[0]}.")
    from mnv2cli.cli.terminal.screen import Screen
    from mnv2cli.models import EfficientNetLite0, all_models, open_model

    screen = Screen(quiet=quiet, verbose=verbose)
    chosen: list[Model]
    if every:
        chosen = [m for m in all_models() if not isinstance(m, EfficientNetLite0)]
        if mirror and mirror.endswith(".h5"):
            raise click.UsageError("--all needs a folder: --from names one file.")
    else:
        chosen = [open_model(model, alpha=alpha, size=size)]
    failed: Mnv2Error | None = None
    for one in chosen:
        try:
            _download(one, mirror, refresh=refresh, screen=screen)
        except WeightsError as error:
            if not every:
                raise
            failed = error
            screen.warning(error.message)
    if failed:
        raise WeightsError("not all weights could be downloaded", failed.hint)


def _download(model: Model, mirror: str | None, *, refresh: bool, screen: Any) -> None:
    from mnv2cli.models import EfficientNetLite0
    from mnv2cli.models.download import Origin, address, download
    from mnv2cli.models.efficientnet_lite0 import INSTALL

    if (path := model.find()) and not refresh:
        screen.notice(f"{model.model} is already there: {path}", "")
        return
    name = os.path.basename(model.cached)
    if mirror:
        folder = mirror if mirror.endswith(("/", ".h5", ".pth")) else mirror + "/"
        url = address(folder if not folder.endswith("/") else folder + name)
    elif isinstance(model, EfficientNetLite0):
        raise InputError(
            f"the weights of {model.name} come with a package", f"Install it with: {INSTALL}"
        )
    else:
        url = model.origin.url
    with screen.loading(model.name):
        download(Origin(url, model.cached), screen.download, model.check)
    screen.notice(f"{model.model}: {model.cached}", "")


@models.command(
    cls=ExampleCommand,
    short_help="Print where a network's weights are.",
    examples=(("onto a stick", 'cp "$(mnv2 models path)" /media/stick/'),),
)
@_model
@variant_options
def path(model: str, alpha: float | None, size: int | None) -> None:
    """Print where a network's weights are; exit 1 if they are not there yet."""
    from mnv2cli.models import open_model

    chosen = open_model(model, alpha=alpha, size=size)
    found = chosen.find()
    print_path(found or chosen.cached)
    if not found:
        click.echo(f"Not there yet. To get it: {_how_to_get(chosen)}", err=True)
        click.get_current_context().exit(ExitCode.FAILED)


@models.command(
    "import",
    cls=ExampleCommand,
    short_help="Take in a weights file carried over by hand.",
    examples=(
        ("under its published name", "mnv2 models import mobilenet_v2_weights_tf_*_1.0_224.h5"),
        ("under another name", "mnv2 models import narrow.h5 --alpha 0.35 --size 96"),
    ),
)
@click.argument("file", metavar="FILE", type=click.Path(exists=True, dir_okay=False))
@variant_options
@_option("--force", is_flag=True, help="Replace weights that are already there.")
def import_file(file: str, alpha: float | None, size: int | None, force: bool) -> None:
    """Take in a weights file that was carried over by hand, once it is checked.

    The published name says which network, width and size it is for; otherwise say so. A .pth file
    is taken for efficientnet_lite0.
    """
    from mnv2cli.cli.terminal.screen import Screen
    from mnv2cli.models import open_model
    from mnv2cli.models.weights import LARGEST_FILE
    from mnv2cli.system.files import PartFile, content_digest

    Screen(quiet=False, verbose=False)  # keeps the libraries' own lines off the terminal
    name, variant = _network_of(file, alpha, size)
    chosen = open_model(name, **variant)
    what = f"the file {file}"
    target = chosen.cached
    if not os.path.isfile(file) or os.path.getsize(file) > LARGEST_FILE:
        raise InputError(f"{what} is no weights file: it is no regular file, or far too large")
    try:
        if os.path.exists(target):
            if content_digest(target) == content_digest(file):
                click.echo(f"{chosen.model} is already there: {printable(target)}", err=True)
                return
            if not force:
                raise InputError(
                    f"{target} is already there, and is another file", "Replace it with --force."
                )
        os.makedirs(os.path.dirname(target), exist_ok=True)
        part = PartFile(target, ".part" + os.path.splitext(target)[1])
    except OSError as error:
        raise OutputError(f"{target} cannot be written: {error.strerror or error}") from error
    try:
        with open(file, "rb") as source:
            while block := source.read(1 << 20):
                part.file.write(block)
        part.file.flush()
        chosen.check(part.name, "", what)  # what is checked is what is kept
        part.commit()
    except OSError as error:
        raise OutputError(f"{what} cannot be taken in: {error.strerror or error}") from error
    finally:
        part.discard()
    click.echo(f"{chosen.model}: {printable(target)}", err=True)


def _network_of(
    file: str, alpha: float | None, size: int | None
) -> tuple[str, dict[str, float | int | None]]:
    """Return name and options of the network that a file is for."""
    if file.endswith(".pth"):
        return "efficientnet_lite0", {"alpha": alpha, "size": size}
    match = _PUBLISHED_NAME.fullmatch(os.path.basename(file))
    if match:
        said = (float(match["alpha"]), int(match["size"]))
        if (alpha or said[0], size or said[1]) != said:
            raise click.UsageError(
                f"{os.path.basename(file)!r} is for alpha {said[0]} and size {said[1]} by its name."
            )
        return "mobilenet_v2", {"alpha": said[0], "size": said[1]}
    if alpha is None or size is None:
        raise click.UsageError(
            f"{os.path.basename(file)!r} does not say what it is for: add --alpha and --size."
        )
    return "mobilenet_v2", {"alpha": alpha, "size": size}


@models.command(
    "compile",
    cls=ExampleCommand,
    short_help="Compile a network for this processor now.",
    examples=(
        ("before the first run", "mnv2 models compile"),
        ("for 8 bits", "mnv2 models compile --precision int8 --calibrate photos"),
    ),
)
@_model
@variant_options
@_option(
    "--precision",
    type=click.Choice(["float32", "int8"]),
    default="float32",
    help="What to compute in; int8 needs --calibrate.",
)
@_option(
    "--calibrate",
    type=click.Path(exists=True, file_okay=False),
    metavar="DIR",
    help="Typical photos to calibrate int8 on, up to 200.",
)
@terminal_options
def compile_model(
    model: str,
    alpha: float | None,
    size: int | None,
    precision: Any,
    calibrate: str | None,
    quiet: bool,
    verbose: bool,
) -> None:
    """Compile a network for this processor now, so that the first run need not."""
    if precision == "int8" and not calibrate:
        raise click.UsageError("int8 needs typical photos: add --calibrate DIR.")
    from mnv2cli.cli.terminal.screen import Screen
    from mnv2cli.engines.cache import cache_folder
    from mnv2cli.engines.litert import LiteRTEngine
    from mnv2cli.inference.classifier import Classifier

    screen = Screen(quiet=quiet, verbose=verbose)
    classifier = Classifier(
        model=model,
        alpha=alpha,
        size=size,
        engine="litert",
        precision=precision,
        calibrate=calibrate,
        progress=screen.download,
        notify=screen.notice,
    )
    start = perf_counter()
    with screen.loading(classifier.network.name):
        engine = classifier.load()
    assert isinstance(engine, LiteRTEngine)
    if engine.compiled.temporary is not None:
        raise OutputError(
            f"the compiled model cannot be kept in {cache_folder()}",
            "Name a folder that can be written with MNV2_CACHE.",
        )
    print_path(os.path.dirname(engine.compiled.model))
    screen.notice(f"{classifier.network.model} {precision}, {perf_counter() - start:.1f} s")


@models.command(
    cls=ExampleCommand,
    short_help="Remove compiled models and leftovers.",
    examples=(
        ("what there is to gain", "mnv2 models clean --dry-run"),
        ("downloaded weights as well", "mnv2 models clean --weights"),
    ),
)
@_option("--weights", is_flag=True, help="Remove downloaded weights as well, once you confirm it.")
@_option("--dry-run", is_flag=True, help="Tell what would be removed, and remove nothing.")
@_option("-y", "--yes", is_flag=True, help="Do not ask.")
def clean(weights: bool, dry_run: bool, yes: bool) -> None:
    """Remove compiled models, which the next run makes again, and leftovers of killed runs.

    Nothing else in the cache folder is touched.
    """
    from mnv2cli.cli.terminal.text import size_text
    from mnv2cli.engines.cache import remove_all
    from mnv2cli.models import all_models

    count, size = remove_all(dry_run=dry_run)
    parts = _old_parts()
    for part in [] if dry_run else parts:
        with suppress(OSError):
            os.unlink(part)
    done = "would be removed" if dry_run else "removed"
    click.echo(f"{count} compiled models {done}, {size_text(size)}", err=True)
    if parts:
        click.echo(f"{len(parts)} interrupted downloads {done}", err=True)
    if not weights:
        return
    found = [model.cached for model in all_models() if os.path.isfile(model.cached)]
    size = sum(map(os.path.getsize, found))
    if found and not (dry_run or yes):
        for file in found:
            click.echo(printable(file), err=True)
        click.confirm(
            f"Remove these {len(found)} weights files, {size_text(size)}?", abort=True, err=True
        )
    for file in [] if dry_run else found:
        try:
            os.unlink(file)
        except OSError as error:
            raise OutputError(f"{file} cannot be removed: {error.strerror}") from error
    click.echo(f"{len(found)} weights files {done}, {size_text(size)}", err=True)


def _old_parts() -> list[str]:
    """Return what killed downloads left, an hour after they were last written to."""
    from mnv2cli.models import all_models

    found = []
    for model in all_models():
        folder, name = os.path.split(model.cached)
        try:
            others = os.listdir(folder)
        except OSError:
            return []
        for other in others:
            path = os.path.join(folder, other)
            if other.startswith(f".{name}.") and ".part" in other:
                with suppress(OSError):
                    if time() - os.path.getmtime(path) > 3600:
                        found.append(path)
    return found


@models.command(
    cls=ExampleCommand,
    short_help="Show how a network is made, stage by stage.",
    examples=(
        ("the network of the paper", "mnv2 models show mobilenet_v2"),
        ("for your notes", "mnv2 models show --alpha 0.5 --markdown > network.md"),
    ),
)
@_model
@variant_options
@_option("--markdown", is_flag=True, help="Print it as Markdown.")
@_json
def show(model: str, alpha: float | None, size: int | None, markdown: bool, as_json: bool) -> None:
    """Show how a network is made, stage by stage, and the ideas behind it.

    All figures are counted from the Keras model itself; its weights need not be there. MAdds are
    the multiply-adds of one image.
    """
    if markdown and as_json:
        raise click.UsageError("--markdown and --json are two forms: choose one.")
    from mnv2cli.cli.terminal.screen import Screen
    from mnv2cli.models import open_model
    from mnv2cli.models.describe import describe

    screen = Screen(quiet=False, verbose=False)
    chosen = open_model(model, alpha=alpha, size=size)
    with screen.loading(chosen.name):
        description = describe(chosen.build_untrained())
    if as_json:
        click.echo(json.dumps(_as_object(chosen, description), indent=1))
    elif markdown:
        click.echo(_as_markdown(chosen, description))
    else:
        _print(chosen, description)


_COLUMNS = ("Input", "Operator", "Kernel", "Expansion", "Channels", "Repeats", "Stride",
            "Parameters", "MAdds")  # fmt: skip


def _cells(description: Description) -> list[list[str]]:
    rows = []
    for stage in description.stages:
        side = f"{stage.size} x {stage.size} x " if stage.size > 1 else ""
        is_filter = stage.operator in ("conv2d", "bottleneck")
        rows.append(
            [
                f"{side}{stage.inputs}",
                stage.operator,
                f"{stage.kernel} x {stage.kernel}" if stage.operator != "dense" else "-",
                "-" if stage.expansion is None else str(stage.expansion),
                str(stage.channels),
                str(stage.repeats) if is_filter else "-",
                str(stage.stride) if is_filter else "-",
                f"{stage.parameters:,}" if stage.parameters else "-",
                f"{stage.multiply_adds:,}" if stage.multiply_adds else "-",
            ]
        )
    return rows


def _totals(description: Description) -> str:
    return (
        f"{description.parameters:,} parameters and {description.multiply_adds:,} multiply-adds. "
        f"The batch norms hold {description.statistics:,} means and variances besides."
    )


def _as_object(model: Model, description: Description) -> dict[str, Any]:
    return {
        "model": model.model,
        "name": model.name,
        "size": model.size,
        "parameters": description.parameters,
        "multiply_adds": description.multiply_adds,
        "batch_norm_statistics": description.statistics,
        "stages": [asdict(stage) for stage in description.stages],
        "ideas": dict(model.ideas),
    }


def _as_markdown(model: Model, description: Description) -> str:
    lines = [f"# {model.name}", ""]
    lines += ["| " + " | ".join(_COLUMNS) + " |", "|---|---|" + "---:|" * (len(_COLUMNS) - 2)]
    lines += ["| " + " | ".join(row) + " |" for row in _cells(description)]
    lines += ["", _totals(description), ""]
    lines += [f"- **{title}.** {text}" for title, text in model.ideas]
    return "\n".join(lines)


def _print(model: Model, description: Description) -> None:
    from rich import box
    from rich.padding import Padding
    from rich.table import Table

    from mnv2cli.cli.terminal.console import PlainConsole

    console = PlainConsole(highlight=False)
    wide = console.width >= 100
    short = {"Kernel": "k", "Expansion": "t", "Channels": "c", "Repeats": "n", "Stride": "s"}
    console.print(model.name, style="bold")
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, collapse_padding=True)
    for i, name in enumerate(_COLUMNS):
        shown = name if wide else short.get(name, name)
        table.add_column(shown, justify="left" if i < 2 else "right", no_wrap=True)
    for row in _cells(description):
        table.add_row(*row)
    console.print(table)
    if not wide:
        legend = "k: kernel, t: expansion, c: channels, n: repeats, s: stride of the first"
        console.print(legend, style="dim")
    console.print(_totals(description))
    for title, text in model.ideas:
        console.print(f"\n{title}", style="bold")
        console.print(Padding(text, (0, 0, 0, 2)))
