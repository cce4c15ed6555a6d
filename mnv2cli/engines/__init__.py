"""Run a network on batches, with LiteRT on a compiled model or with Keras, behind one Protocol."""

from mnv2cli.engines.options import EngineOptions
from mnv2cli.engines.protocol import Engine, Network
from mnv2cli.engines.registry import ENGINES, open_engine, register

__all__ = ["ENGINES", "Engine", "EngineOptions", "Network", "open_engine", "register"]
