"""Which photos have tags of earlier runs."""

from __future__ import annotations

from collections.abc import Iterator

from mnv2cli.records import Source
from mnv2cli.tagging.options import PlaceOptions


class Untagged:
    """Choose the images without tags of earlier runs, before any network runs.

    Args:
        place: Where tags are written, and so where they are looked for.

    Attributes:
        tagged: The number of images that were not chosen so far.
    """

    def __init__(self, place: PlaceOptions | None = None) -> None:
        self.tagged = 0
        self._place = place or PlaceOptions()

    def __call__(self, sources: Iterator[Source]) -> Iterator[Source]:
        """Yield the chosen images.

        Raises:
            InputError: An image is not on this machine.
        """
        raise NotImplementedError
