"""The section ``[tags]`` of a file of categories: which names become keywords."""

from __future__ import annotations

from mnv2cli.tagging.options import TagLists


def load_lists(path: str) -> TagLists:
    """Return the lists of a TOML file; empty lists if it has no section ``[tags]``.

    Raises:
        InputError: The file cannot be read or is not valid.
    """
    raise NotImplementedError
