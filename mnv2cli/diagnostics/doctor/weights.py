"""The weights of both networks, and the host that they come from."""

from __future__ import annotations

import os
from collections.abc import Iterator
from urllib.parse import urlsplit

from mnv2cli.diagnostics.doctor.check import Check

_GROUP = "Weights"


def reach_host() -> tuple[str, str]:
    """Return the address of the weights, and why its host cannot be reached; empty if it can."""
    from mnv2cli.errors import Mnv2Error
    from mnv2cli.models.download import reach
    from mnv2cli.models.mobilenet_v2 import MobileNetV2

    try:
        url = MobileNetV2().origin.url
    except Mnv2Error as error:
        return os.environ.get("MNV2_WEIGHTS_URL", ""), error.message
    return url, reach(url)


def check_weights(host: tuple[str, str]) -> Iterator[Check]:
    """Yield checks of both networks' weights and of the host.

    Args:
        host: What :func:`reach_host` returned.
    """
    url, unreachable = host
    yield _check_mobilenet(unreachable)
    yield _check_lite0()
    yield _check_host(urlsplit(url).hostname or url, unreachable)


def _check_mobilenet(unreachable: str) -> Check:
    from mnv2cli.errors import WeightsError
    from mnv2cli.models.efficientnet_lite0 import INSTALL, EfficientNetLite0
    from mnv2cli.models.mobilenet_v2 import MobileNetV2
    from mnv2cli.models.weights import check_file

    network, other = MobileNetV2(), EfficientNetLite0()
    name = network.family
    if path := network.find():
        try:
            check_file(path, "")
        except WeightsError as error:
            advice = "Fetch it again: mnv2 models download --refresh"
            return Check(_GROUP, name, "fail", error.message, advice)
        return Check(_GROUP, name, "ok", _file_text(path))
    if not unreachable:
        advice = "The first run does it, 14 MB; or now: mnv2 models download"
        return Check(_GROUP, name, "warn", "not downloaded yet", advice)
    text = "not here, and the host cannot be reached"
    if other.find():
        return Check(_GROUP, name, "warn", text, f"{other.name} is used instead, with a warning.")
    return Check(
        _GROUP,
        name,
        "fail",
        text,
        f"Take the other network: {INSTALL}. Or carry this one over: mnv2 models import FILE",
    )


def _check_lite0() -> Check:
    from mnv2cli.models.efficientnet_lite0 import INSTALL, LARGEST_FILE, EfficientNetLite0
    from mnv2cli.models.torch_checkpoint import read_checkpoint

    network = EfficientNetLite0()
    path = network.find()
    if not path:
        return Check(_GROUP, network.family, "ok", f"not installed (to have it: {INSTALL})")
    try:
        read_checkpoint(path, LARGEST_FILE)
        return Check(_GROUP, network.family, "ok", _file_text(path))
    except (OSError, ValueError) as error:
        text = f"the file {path} {error}"
        return Check(_GROUP, network.family, "fail", text, f"Remove it, and: {INSTALL}")


def _check_host(name: str, unreachable: str) -> Check:
    if unreachable:
        return Check(
            _GROUP,
            "host",
            "warn",
            f"{name}: {unreachable}",
            "Needed for downloads alone; MNV2_WEIGHTS_URL names a mirror, https_proxy a proxy.",
        )
    return Check(_GROUP, "host", "ok", f"{name} can be reached")


def _file_text(path: str) -> str:
    return f"{os.path.getsize(path) / 1e6:.1f} MB in {os.path.dirname(path)}"
