"""Stub."""

from __future__ import annotations

EMBEDDABLE = frozenset(
    {".jpg", ".jpeg", ".png", ".webp", ".tif", ".tiff", ".heic", ".heif", ".avif", ".dng"}
)
