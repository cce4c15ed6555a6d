"""What the pixels of models made elsewhere are scaled to."""

from __future__ import annotations

SCALES: dict[str, tuple[float, float]] = {
    "0..255": (1.0, 0.0),
    "0..1": (255.0, 0.0),
    "-1..1": (127.5, 1.0),
}
"""What pixels are scaled to, with the ``divisor`` and ``shift`` of a model."""

SCALE_HINT = (
    "Add --scale 0..1 if it was trained on pixels divided by 255, --scale=-1..1 if on pixels / "
    "127.5 - 1, or --scale 0..255 if on pixels as they are."
)
