"""The images that int8 is calibrated on: their number, their origin, and when they are too few."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mnv2cli.errors import CompileError
from mnv2cli.system.messages import count

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from mnv2cli.events import Notice

CALIBRATION_IMAGES = 200
"""Maximum number of images that int8 is calibrated on."""

RELIABLE_IMAGES = 50
"""Minimum number of a run's own images for an int8 model to be kept beyond that run."""


class NothingToCalibrateError(CompileError):
    """There is no readable image to calibrate int8 on."""


@dataclass(frozen=True)
class Calibration:
    """The images that int8 is calibrated on.

    Attributes:
        key: Identifies this set of images.
        images: Returns the images, uint8 [n, size, size, 3], n up to :data:`CALIBRATION_IMAGES`;
            called only to compile.
        own: The images are the run's own, not from a folder given with ``--calibrate``.
    """

    key: str
    images: Callable[[], NDArray[np.uint8]]
    own: bool = True

    def is_reliable(self, count: int) -> bool:
        """Return whether a model calibrated on this number of images may be kept."""
        return count >= RELIABLE_IMAGES or not self.own


def load_images(calibration: Calibration, notify: Notice) -> NDArray[np.uint8]:
    """Return the images to calibrate on, uint8 [n, size, size, 3], n at least 1.

    Args:
        calibration: The images.
        notify: Called if they are few.

    Raises:
        NothingToCalibrateError: None of them is readable.
    """
    images = calibration.images()
    if not len(images):
        raise NothingToCalibrateError(
            "cannot calibrate int8: no readable image",
            "Name a folder of typical photos with --calibrate DIR.",
        )
    if len(images) < RELIABLE_IMAGES:
        notify(
            f"Calibrating int8 on {count(len(images), 'image')} only: scores may be inaccurate, "
            f"and every run compiles again. Use --calibrate DIR with {CALIBRATION_IMAGES} typical "
            "photos."
            if calibration.own
            else f"Calibrating int8 on {count(len(images), 'image')} only: scores may be "
            f"inaccurate. Use --calibrate DIR with {CALIBRATION_IMAGES} typical photos."
        )
    return images
