"""The keywords that people gave a photo: those in it and in its sidecar, without ours."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from mnv2cli.images.packets import embedded
from mnv2cli.tagging.sidecars import Sidecars
from mnv2cli.tagging.tagged import read_sidecar
from mnv2cli.tagging.xmp.keywords import Keywords, Ours, XmpError
from mnv2cli.tagging.xmp.read import read_keywords
from mnv2cli.tagging.xmp.words import distinct, fold, without


@dataclass(frozen=True, slots=True)
class PhotoKeywords:
    """The keywords of a photo and its sidecar.

    Attributes:
        theirs: The words of people and other programs, each once ignoring case.
        ours: What this tool wrote, into the sidecar first; None for nothing.
    """

    theirs: tuple[str, ...] = ()
    ours: Ours | None = None


def photo_keywords(
    path: str, sidecars: Sidecars | None = None, raws: Iterable[str] = ()
) -> PhotoKeywords:
    """Return the keywords of a photo: of its sidecar, its XMP packet and its IPTC Keywords.

    A word that our record names is not theirs, as far as removing ours would remove it. The words
    of ``dc:subject`` count; if there are none, the last names of hierarchical keywords.

    Args:
        path: The photo, on this machine.
        sidecars: Finds the sidecar; given for many photos, each folder is listed once.
        raws: The raw photos of its shot, whose keywords are also its own.

    Raises:
        XmpError: A sidecar or a packet cannot be read.
    """
    sidecars = sidecars or Sidecars()
    words: list[str] = []
    records: list[Ours | None] = []
    for each in (path, *raws):
        sidecar = _sidecar_keywords(each, sidecars)
        photo = embedded(each)
        inside = _packet_keywords(photo.packet)
        ours = inside.ours or Ours()
        words += [*_theirs(sidecar), *_theirs(inside), *without(photo.iptc, ours.iptc)]
        records += [sidecar.ours, inside.ours]
    return PhotoKeywords(tuple(distinct(words)), next(filter(None, records), None))


def _packet_keywords(packet: bytes) -> Keywords:
    try:
        return read_keywords(packet)
    except XmpError as error:
        raise XmpError(f"unreadable XMP in the photo: {error}") from error


def _sidecar_keywords(path: str, sidecars: Sidecars) -> Keywords:
    sidecar = sidecars.of(path)
    if not sidecar.exists:
        return Keywords()
    try:
        return read_keywords(read_sidecar(sidecar.path))
    except XmpError as error:
        raise XmpError(f"unreadable sidecar: {os.path.basename(sidecar.path)}: {error}") from error


def _theirs(found: Keywords) -> list[str]:
    """Return the words of a packet that are not ours."""
    ours = found.ours or Ours()
    if words := without(found.subjects, ours.keywords):
        return words
    leaves = [
        *_leaves(without(found.hierarchy, ours.hierarchy), "|"),
        *_leaves(without(found.tags_list, ours.tags_list), "/"),
    ]
    # Programs that read our words from dc:subject add them to the hierarchical lists.
    copied = set(map(fold, ours.keywords))
    return [leaf for leaf in leaves if fold(leaf) not in copied]


def _leaves(paths: Iterable[str], separator: str) -> Iterator[str]:
    return (path.rpartition(separator)[2] for path in paths)
