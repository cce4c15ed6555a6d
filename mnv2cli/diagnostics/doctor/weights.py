"""The weights of every network family, and the host that they come from."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from mnv2cli.diagnostics.doctor.check import Check

if TYPE_CHECKING:
    from mnv2cli.models import Model

_GROUP = "Weights"


def reach_host() -> tuple[str, str]:
    """Return the URL of the default weights, and why they cannot be downloaded; empty if they can.

    Nothing is downloaded.
    """
    from mnv2cli.errors import Mnv2Error
    from mnv2cli.models import ModelOptions, open_model
    from mnv2cli.models.download import reach
    from mnv2cli.system.urls import redact_address

    try:
        url = open_model(ModelOptions()).origin.url
    except Mnv2Error as error:
        return redact_address(os.environ.get("MNV2_WEIGHTS_URL", "")), error.message
    return url, reach(url)


def check_weights(host: tuple[str, str]) -> Iterator[Check]:
    """Yield a check of each family's weights, in its default width and size, and of the host.

    Args:
        host: What :func:`reach_host` returned.
    """
    from mnv2cli.models import MODELS, ModelOptions, open_model

    url, unreachable = host
    for name in MODELS:
        yield _check_model(open_model(ModelOptions(name)), unreachable)
    yield _check_host(urlsplit(url).hostname or url, unreachable)


def _check_model(model: Model, unreachable: str) -> Check:
    from mnv2cli.errors import WeightsError

    name = model.family
    path = model.find()
    if not path:
        return _missing(model, unreachable)
    try:
        model.check_file(path)
    except WeightsError as error:
        advice = error.hint or f"Remove the file, then get it again with: {model.how_to_get}"
        return Check(_GROUP, name, "fail", error.message, advice)
    return Check(_GROUP, name, "ok", _file_text(path))


def _missing(model: Model, unreachable: str) -> Check:
    from mnv2cli.models import DEFAULT_MODEL, ModelOptions, open_model
    from mnv2cli.models.registry import STAND_IN

    name = model.family
    if name != DEFAULT_MODEL:
        state = "not installed" if model.packaged else "not downloaded"
        return Check(_GROUP, name, "ok", f"{state}; optional: {model.how_to_get}")
    if not unreachable:
        advice = f"The first run downloads them; to do it now: {model.how_to_get}"
        return Check(_GROUP, name, "warn", "not downloaded yet", advice)
    text = "missing, and cannot be downloaded"
    other = open_model(ModelOptions(STAND_IN))
    if other.find():
        advice = (
            f"{other.family} is used instead; its scores differ. Copy the file from another "
            f"machine with: mnv2 models import {os.path.basename(model.cached)}"
        )
        return Check(_GROUP, name, "warn", text, advice)
    advice = (
        f"Install the other network with: {other.how_to_get}, or copy the file from another "
        f"machine with: mnv2 models import {os.path.basename(model.cached)}"
    )
    return Check(_GROUP, name, "fail", text, advice)


def _check_host(name: str, unreachable: str) -> Check:
    if unreachable:
        return Check(
            _GROUP,
            "host",
            "warn",
            f"{name}: {unreachable}",
            "Only downloads need it. Set MNV2_WEIGHTS_URL to a mirror, or https_proxy to a proxy.",
        )
    return Check(_GROUP, "host", "ok", f"{name} is reachable")


def _file_text(path: str) -> str:
    return f"{os.path.getsize(path) / 1e6:.1f} MB in {os.path.dirname(path)}"
