"""Import what fitting needs while the network is still computing features."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from importlib import import_module
from threading import Thread

_MODULES = ("sklearn.linear_model", "threadpoolctl", "h5py")
"""Their import takes about a second, more where nothing is in the page cache."""


@contextmanager
def preloading() -> Iterator[None]:
    """Import the libraries of fitting during the block; they are imported at its end."""
    thread = Thread(target=_import, daemon=True, name="mnv2-preload")
    thread.start()
    yield
    thread.join()


def _import() -> None:
    for name in _MODULES:
        with suppress(Exception):  # raised again where it is used
            import_module(name)
