"""Which network, with which weights; each network is a file here and a line in ``MODELS``."""

from __future__ import annotations

from collections.abc import Callable

from mnv2cli.engines import Network
from mnv2cli.models import mobilenet_v2
from mnv2cli.models.weights import Progress, keras_home

__all__ = ["DEFAULT_MODEL", "MODELS", "Network", "Progress", "keras_home"]

DEFAULT_MODEL = "mobilenet_v2"

MODELS: dict[str, Callable[..., Network]] = {DEFAULT_MODEL: mobilenet_v2.MobileNetV2}
