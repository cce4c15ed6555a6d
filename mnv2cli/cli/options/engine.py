"""Options for speed: ``@speed_options`` passes ``engine``, ``@cluster_options`` ``cluster``."""

from __future__ import annotations

from functools import partial
from typing import Any, get_args

import click

from mnv2cli.cli.grouping import grouped, section, together
from mnv2cli.engines import ENGINES
from mnv2cli.engines.options import EngineOptions, Precision


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
_engine_option = _speed(
    "--engine",
    advanced=True,
    type=click.Choice(ENGINES),
    default="auto",
    metavar="NAME",
    help="Run the model with litert (compiled once) or keras; auto is litert on a CPU, keras "
    "on a GPU.",
)
_workers = together(
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
speed_options = grouped(
    "engine",
    _engine,
    _engine_option,
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
    _workers,
)
float_speed_options = grouped("engine", partial(_engine, calibrate=None), _engine_option, _workers)
"""The options of engines that compute in float32."""


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
