"""Which sidecar a photo has or gets."""

from __future__ import annotations

from dataclasses import dataclass

from mnv2cli.tagging.options import Style


@dataclass(frozen=True, slots=True)
class Sidecar:
    """The sidecar of a photo.

    Attributes:
        path: Its path, in the same folder as the path of the photo.
        exists: Whether it is already in the folder.
        reason: Why it is not named as the style says; may be empty.
    """

    path: str
    exists: bool
    reason: str = ""


class Sidecars:
    """Find the sidecar of each photo; each folder is listed once.

    Args:
        style: The name of new sidecars.
    """

    def __init__(self, style: Style = "full") -> None:
        self._style = style

    def of(self, photo: str) -> Sidecar:
        """Return the sidecar that a photo has or would get."""
        raise NotImplementedError
