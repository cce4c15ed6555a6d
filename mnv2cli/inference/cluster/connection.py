"""Connect to a Ray cluster, or start one on this machine for a run."""

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
from mnv2cli.system.messages import reason

_CONNECT_TIMEOUT = 10.0  # seconds to wait for a cluster's port
_ADDRESS = re.compile(r"auto|(ray://)?([\w.-]+|\[[0-9A-Fa-f:]+\]):\d{1,5}")


def is_address(text: str) -> bool:
    """Return whether a text is the address of a Ray cluster; empty means this machine."""
    return not text or _ADDRESS.fullmatch(text) is not None


@contextmanager
def connected(address: str, cores: int, *, verbose: bool) -> Iterator[None]:
    """Connect to a cluster or start one on this machine, and disconnect or stop it at the end.

    Args:
        address: The cluster; empty to start one.
        cores: Cores of a cluster that is started; 0 for all.
        verbose: Show Ray's own messages.

    Raises:
        ClusterError: The cluster cannot be reached or started.
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
            if signal.getsignal(signal.SIGTERM) is not ours:  # Ray's handler exits at once
                signal.signal(signal.SIGTERM, ours)
        except Exception as error:  # ConnectionError, RuntimeError, ValueError, gRPC's own
            raise _unreachable(address, error) from error
        for name in ("ray", "ray.data"):
            logging.getLogger(name).setLevel(level)
        yield
    finally:
        with suppress(Exception):  # the run's own result or error matters more
            ray.shutdown()


def _set_environment(address: str) -> None:
    """Set what Ray reads from the environment alone, when it is first imported."""
    if "ray" in sys.modules:
        return
    settings = {
        "RAY_USAGE_STATS_ENABLED": "0",
        "RAY_ENABLE_AUTO_CONNECT": "0",  # its threads would start a new cluster after shutdown
        "RAY_DEDUP_LOGS_SKIP_REGEX": ".",  # else its summaries land among the results on stdout
    }
    if address:  # by default Ray retries for 15 minutes and ignores Ctrl-C
        settings |= {"RAY_NUM_REDIS_GET_RETRIES": "2", "RAY_py_gcs_connect_timeout_s": "5"}
    else:  # its ports are open to the network: only this run knows the token
        settings |= {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": secrets.token_hex(32)}
    for name, value in settings.items():
        os.environ.setdefault(name, value)


def _check_reachable(address: str) -> None:
    """Check that the port accepts connections; Ray itself takes a minute to report that.

    Raises:
        ClusterError: No program accepts connections there.
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
        return ClusterError(f"Ray is incomplete: {error}", f"Install it with: {INSTALL}")
    text = " ".join((reason(error) if isinstance(error, OSError) else str(error)).split())
    if not address:
        return ClusterError(
            f"cannot start Ray on this machine: {text[:300]}",
            "Run with --verbose to see Ray's own messages, or without --ray.",
        )
    if address == "auto" and isinstance(error, ConnectionError):
        text = "this machine does not belong to a running cluster"
    return ClusterError(
        f"cannot reach a Ray cluster at {address}: {text[:300]}",
        "Check that it is running (ray start --head) and that the address is right, or use a bare "
        "--ray to use this machine only.",
    )
