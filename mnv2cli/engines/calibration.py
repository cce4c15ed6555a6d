"""The images that int8 is calibrated on: how many, whose, and what too few of them mean."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mnv2cli.errors import CompileError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from mnv2cli.events import Notice

CALIBRATION_IMAGES = 200
"""How many images int8 is calibrated on at the most."""

RELIABLE_IMAGES = 50
"""With fewer of a run's images than this an int8 model serves its run, but is not kept."""


class NothingToCalibrateError(CompileError):
    """int8 has no readable image to be calibrated on."""


@dataclass(frozen=True)
class Calibration:
    """The images that int8 is calibrated on.

    Attributes:
        key: Identifies this set.
        images: Returns them, uint8 [n, size, size, 3], n up to :data:`CALIBRATION_IMAGES`; called
            only when there is something to compile.
        own: The images are the run's own, not a folder that the user chose for this.
    """

    key: str
    images: Callable[[], NDArray[np.uint8]]
    own: bool = True

    def is_reliable(self, count: int) -> bool:
        """Return whether a model that is calibrated on so many images may be kept."""
        return count >= RELIABLE_IMAGES or not self.own


def load_images(calibration: Calibration, notify: Notice) -> NDArray[np.uint8]:
    """Return the images to calibrate on, uint8 [n, size, size, 3], n at least 1.

    Raises:
        NothingToCalibrateError: None of them could be read.
    """
    images = calibration.images()
    if not len(images):
        raise NothingToCalibrateError(
            "int8 needs images to be calibrated on, and none could be read",
            "Name a folder of typical photos with --calibrate.",
        )
    if len(images) < RELIABLE_IMAGES:
        notify(
            f"int8 is calibrated on {len(images)} images only, which takes half a minute and is "
            f"not kept if they are the run's: better is --calibrate with a folder of "
            f"{CALIBRATION_IMAGES} typical photos."
        )
    return images
