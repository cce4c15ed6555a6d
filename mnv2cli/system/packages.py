"""Installed packages and their versions, without importing them."""

from __future__ import annotations

from collections.abc import Iterator

# importlib.metadata takes about 10 ms to import, so functions import it when they need it.


def installed_version(name: str) -> str:
    """Return the version of a package, such as ``2.18.0``; empty if it is not installed."""
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version(name)
    except PackageNotFoundError:
        return ""


def is_installed(name: str) -> bool:
    """Return whether a package is installed in any version."""
    from importlib.metadata import PackageNotFoundError, distribution

    try:
        distribution(name)
    except PackageNotFoundError:
        return False
    return True


def installed_names() -> Iterator[str]:
    """Yield the names of all installed packages, as their metadata spell them."""
    from importlib.metadata import distributions

    for found in distributions():
        if name := found.metadata["Name"]:
            yield name
