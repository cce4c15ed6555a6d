"""Reaching a Ray cluster, or starting one on this machine for a run."""

from __future__ import annotations

import logging
import os
import re
import secrets
import signal
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from mnv2cli.inference.cluster.protocol import INSTALL, ClusterError
from mnv2cli.system.hardware import usable_cores

_CONNECT_TIMEOUT = 10.0  # seconds to wait for a cluster's port
_ADDRESS = re.compile(r"auto|(ray://)?([\w.-]+|\[[0-9A-Fa-f:]+\]):\d{1,5}")


def is_address(text: str) -> bool:
    """Return whether a text is the address of a Ray cluster; empty for one on this machine."""
    return not text or _ADDRESS.fullmatch(text) is not None


@contextmanager
def connected(address: str, cores: int, *, verbose: bool) -> Iterator[None]:
    """Connect to a cluster, or start one here, and leave it at the end.

    Args:
        address: Of the cluster; empty to start one.
        cores: Of one that is started; 0 for all.
        verbose: Let Ray's own messages through.

    Raises:
        ClusterError: It cannot be reached.
    """
    _set_environment(address)
    import ray
    import ray.data

    if ray.is_initialized():
        yield
        return
    level = logging.INFO if verbose else logging.CRITICAL
    options: dict[str, Any] = {"log_to_driver": False, "logging_level": level}
    if not address:
        options |= {
            "address": "local",
            "num_cpus": cores or usable_cores(),
            "include_dashboard": False,
        }
    else:
        options["address"] = address
        _check_reachable(address)
    ours = signal.getsignal(signal.SIGTERM)
    try:
        try:
            ray.init(**options)
            if signal.getsignal(signal.SIGTERM) is not ours:  # Ray would end us at once
                signal.signal(signal.SIGTERM, ours)
        except Exception as error:  # ConnectionError, RuntimeError, ValueError, gRPC's own
            raise _unreachable(address, error) from error
        for name in ("ray", "ray.data"):
            logging.getLogger(name).setLevel(level)
        yield
    finally:
        with suppress(Exception):  # what matters is said already
            ray.shutdown()


def _set_environment(address: str) -> None:
    """Say to Ray what it takes from the environment alone, when it is imported first."""
    if "ray" in sys.modules:
        return
    settings = {
        "RAY_USAGE_STATS_ENABLED": "0",
        "RAY_ENABLE_AUTO_CONNECT": "0",  # its threads would start another one after the end
        "RAY_DEDUP_LOGS_SKIP_REGEX": ".",  # what it prints among the results, on stdout
    }
    if address:  # else it tries for a quarter of an hour, deaf to Ctrl-C
        settings |= {"RAY_NUM_REDIS_GET_RETRIES": "2", "RAY_py_gcs_connect_timeout_s": "5"}
    else:  # its ports are open to the network: nobody but this run has the token for them
        settings |= {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": secrets.token_hex(32)}
    for name, value in settings.items():
        os.environ.setdefault(name, value)


def _check_reachable(address: str) -> None:
    """Check that somebody listens, which Ray would find out after a minute.

    Raises:
        ClusterError: Nobody does.
    """
    host, _, port = address.removeprefix("ray://").rpartition(":")
    if host:
        try:
            socket.create_connection(
                (host.strip("[]"), int(port)), timeout=_CONNECT_TIMEOUT
            ).close()
        except (OSError, OverflowError) as error:
            raise _unreachable(address, error) from error


def _unreachable(address: str, error: Exception) -> ClusterError:
    if isinstance(error, ModuleNotFoundError):
        return ClusterError(f"Ray lacks a part: {error}", f"Install it with: {INSTALL}")
    text = getattr(error, "strerror", None) or " ".join(str(error).split())
    if not address:
        return ClusterError(f"Ray does not start on this machine: {text[:300]}")
    if address == "auto" and isinstance(error, ConnectionError):
        text = "none is running that this machine is part of"
    return ClusterError(
        f"no Ray cluster can be reached at {address}: {text[:300]}",
        "Is it running (ray start --head), and is that its address and port? Leave out the "
        "address to use this machine alone.",
    )
