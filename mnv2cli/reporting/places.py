"""Where the photos of results are now, and how a page refers to them."""

from __future__ import annotations

import os
from urllib.parse import quote

from mnv2cli.sources.urls import is_url


class Places:
    """Finds the photos of results on this machine.

    Args:
        base: The folder of relative paths; empty for the current one.
    """

    def __init__(self, base: str = "") -> None:
        self._base = base

    def local(self, path: str) -> str:
        """Return where a photo is on this machine; empty if it is elsewhere."""
        return "" if is_url(path) else os.path.join(self._base, path)

    def href(self, path: str, page: str) -> str:
        """Return the URL of the folder of a photo, with a final slash, for a page.

        Args:
            path: The photo, as in the results.
            page: The file of the page.

        Returns:
            A URL relative to the page; empty for a photo that is not on this machine.
        """
        local = self.local(path)
        if not local:
            return ""
        folder = os.path.abspath(os.path.dirname(local) or os.curdir)
        if not os.path.isdir(folder):
            return ""
        start = os.path.dirname(os.path.abspath(page))
        relative = os.path.relpath(folder, start).replace(os.sep, "/")
        return "./" + quote(os.fsencode(relative)) + "/"
