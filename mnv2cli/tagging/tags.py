"""The keywords of one photo."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Tags:
    """What to write into one photo or its sidecar.

    Attributes:
        keywords: Flat keywords, best first, each once ignoring case; the prefix is included.
        paths: The same words as places in a hierarchy, each from the most general name on, such as
            ``("auto", "cat", "tiger cat")``.
        model: The model that produced them; may be empty.
        score: The score of the best label in [0, 1]; 0 if unknown.
    """

    keywords: tuple[str, ...]
    paths: tuple[tuple[str, ...], ...] = ()
    model: str = ""
    score: float = 0.0
