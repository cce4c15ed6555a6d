"""Shots: which files of a folder come from one press of the shutter, and which image leads them.

A shot is an image with its companions: files in the same folder that have its stem, ignoring case
and Unicode composition, or its whole name, as in ``IMG_1.jpg.xmp``. These are raw photos, sidecars
and the video of a Live Photo. A developed image (JPEG, HEIC, ...) leads before a raw photo; raw
photos without one are led by the first of them. Two developed images of one stem are two shots, as
one may show something else, such as an edited copy; what they share belongs to the first.

Only names are compared. No file is opened.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from itertools import chain
from typing import Literal, get_args

from mnv2cli.sources.names import IMAGE_SUFFIXES, RAW_SUFFIXES, name_key, suffix_of

Pairs = Literal["first", "both"]
"""Which images of a shot are classified: the one that leads it, or each."""

PAIRS: tuple[Pairs, ...] = get_args(Pairs)

SIDECAR_SUFFIXES = (
    ".xmp", ".aae", ".thm", ".wav", ".mov", ".mp4", ".json", ".gpx", ".raw",
    ".pp3", ".arp", ".dop", ".on1", ".vrd", ".dr4",
)  # fmt: skip
"""Suffixes of companions that are not images: metadata, edits, sound, and videos of Live Photos.

``.raw`` is among them because only beside an image of its stem it is certainly a photo.
"""

_IMAGES, _RAWS = frozenset(IMAGE_SUFFIXES), frozenset(RAW_SUFFIXES)
_DEVELOPED = _IMAGES - _RAWS
COMPANION_SUFFIXES = frozenset((*RAW_SUFFIXES, *SIDECAR_SUFFIXES))
"""Suffixes of files that may be companions, in lower case."""

_TAKEOUT = "supplemental-metadata"
"""Google Takeout names a sidecar ``IMG_1.jpg.supplemental-metadata.json``, cut to 51 characters."""

_NUMBER = re.compile(r"\([1-9][0-9]{0,8}\)(?: \([1-9][0-9]{0,8}\))?\Z")
"""The number that Google Takeout gives a duplicate name, and the one that sorting may add."""


def stem_key(name: str) -> str:
    """Return the key of a name without its suffix, which the images of a shot share."""
    dot = name.rfind(".")
    return name_key(name[:dot] if dot > 0 else name)


def developed_first(names: Iterable[str]) -> list[str]:
    """Return images in the order in which they lead shots: raw photos last, else unchanged."""
    return sorted(names, key=lambda name: suffix_of(name) in _RAWS)


def companions(names: Collection[str], leaders: Iterable[str] | None = None) -> dict[str, str]:
    """Return the companions among the files of one folder, each with the image that leads it.

    Args:
        names: The names of the files; in natural order, if ``leaders`` is None.
        leaders: The images that lead a shot, in order; developed images still precede raw photos.
            None for every developed image and, of raw photos without one, the first.

    Returns:
        By the name of each companion, the name of its leading image. No leader is a companion.
    """
    chosen = None if leaders is None else dict.fromkeys(leaders)
    bases = _bases(names, chosen or ())
    if not bases:
        return {}
    # Only what the companions ask for is stored: a folder may have a million other images.
    wanted = set(bases.values())
    ordered: Iterable[str]
    if chosen is None:
        developed = (name for name in names if name[name.rfind(".") :].lower() in _DEVELOPED)
        ordered = chain(developed, (name for name in bases if suffix_of(name) in _RAWS))
    else:
        ordered = developed_first(chosen)
    by_stem: dict[str, str] = {}
    for name in ordered:
        if (key := stem_key(name)) in wanted and key not in by_stem:
            by_stem[key] = name
    named: dict[str, str] = {}  # images whose whole name others contain
    if any(suffix_of(base) in _IMAGES for base in wanted):
        images = (name for name in names if suffix_of(name) in _IMAGES)
        named = {key: name for name in images if (key := name_key(name)) in wanted}
    found = {}
    for name, base in bases.items():
        leader = by_stem.get(base)
        if named and (whole := named.get(base)):
            if whole in bases:  # a raw photo, which may be a companion itself
                leader = by_stem.get(bases[whole])
            else:
                leader = whole if chosen is None or whole in chosen else None
        if leader is not None and leader != name:
            found[name] = leader
    return found


def _bases(names: Iterable[str], chosen: Collection[str]) -> dict[str, str]:
    """Return by the name of each possible companion the key of what it shares with its image."""
    bases = {}
    for name in names:
        suffix = name[(dot := name.rfind(".")) :].lower()
        if suffix in COMPANION_SUFFIXES and name not in chosen:
            bases[name] = name_key(name[:dot] if suffix != ".json" else _json_base(name[:dot]))
    return bases


def _json_base(base: str) -> str:
    """Return the name that a JSON sidecar of Google Takeout adds something to.

    The number of a duplicate is at the end here, but before the suffix in the name of its photo:
    ``IMG_1.jpg.supplemental-metadata(1)`` or ``IMG_1.jpg(1)`` belongs to ``IMG_1(1).jpg``.
    """
    numbered = _NUMBER.search(base)
    end = numbered.start() if numbered else len(base)
    whole, _, cut = base[:end].rpartition(".")
    is_takeout = cut and _TAKEOUT.startswith(cut.lower()) and suffix_of(whole) in _IMAGES
    if not is_takeout:
        whole = base[:end]
    suffix = suffix_of(whole)
    if numbered and suffix in _IMAGES:
        return whole[: -len(suffix)] + numbered[0] + whole[-len(suffix) :]
    return whole if is_takeout else base
