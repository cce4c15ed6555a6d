"""Which photos have tags of earlier runs, and what these tags are."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence

from mnv2cli.images.packets import embedded_packet
from mnv2cli.journals.running import FileChangedError, Progress, ignore_progress, reason_of
from mnv2cli.records import Source
from mnv2cli.sources.names import suffix_of
from mnv2cli.sources.urls import check_local
from mnv2cli.tagging.embedding import EMBEDDABLE
from mnv2cli.tagging.options import PlaceOptions
from mnv2cli.tagging.sidecars import Sidecars
from mnv2cli.tagging.tags import Tags
from mnv2cli.tagging.writing import read_seen
from mnv2cli.tagging.xmp.keywords import NAMESPACE, Keywords, Ours, XmpError
from mnv2cli.tagging.xmp.read import read_keywords
from mnv2cli.tagging.xmp.text import MAX_BYTES
from mnv2cli.tagging.xmp.words import clean, missing, occurrences, words_of

_MARKS = tuple(NAMESPACE.encode(codec) for codec in ("utf-8", "utf-16-le", "utf-16-be"))


class Untagged:
    """Choose the images without tags of earlier runs, before any network runs.

    A sidecar that cannot be read has no tags; its photo is chosen, and fails when it is tagged. A
    photo with tags is chosen if a raw photo of its shot has none: these come later from a camera.

    Args:
        place: Where tags are written, and so where they are looked for.

    Attributes:
        tagged: The number of images that were not chosen so far.
    """

    def __init__(self, place: PlaceOptions | None = None) -> None:
        self.tagged = 0
        self._place = place or PlaceOptions()
        self._sidecars = Sidecars(self._place.style)

    def __call__(
        self, sources: Sequence[Source], progress: Progress = ignore_progress
    ) -> Iterator[Source]:
        """Yield the chosen images.

        Args:
            sources: The images.
            progress: Called with the number of images looked at since the last call.

        Raises:
            InputError: An image is not on this machine.
        """
        leaders: dict[str, list[str]] = {}  # by folder
        for source in sources:
            check_local(source.path, "tag")
            if not source.error:
                folder, name = os.path.split(source.path)
                leaders.setdefault(folder, []).append(name)
        raws: dict[str, dict[str, list[str]]] = {}  # by folder and leader
        for source in sources:
            folder, name = os.path.split(source.path)
            if source.error or not self._is_tagged(source.path):
                yield source
            else:
                if folder not in raws:
                    raws[folder] = self._sidecars.raws(folder, leaders[folder])
                shot = (os.path.join(folder, raw) for raw in raws[folder].get(name, ()))
                if all(map(self._is_tagged, shot)):
                    self.tagged += 1
                else:
                    yield source
            progress(1)

    def _is_tagged(self, path: str) -> bool:
        try:
            if self._place.embed and is_embeddable(path):
                return tags_in_photo(path) is not None
            sidecar = self._sidecars.of(path)
            return sidecar.exists and tags_in_sidecar(sidecar.path) is not None
        except XmpError:
            return False


def is_embeddable(path: str) -> bool:
    """Return whether keywords can be embedded into a photo of this suffix."""
    return suffix_of(os.path.basename(path)) in EMBEDDABLE


def tags_in_photo(path: str) -> Keywords | None:
    """Return the keywords embedded in a photo; None if no earlier run wrote any of them.

    Raises:
        XmpError: Its packet has tags of earlier runs, and cannot be read.
    """
    return tags_in_packet(embedded_packet(path))


def tags_in_sidecar(path: str) -> Keywords | None:
    """Return the keywords of a sidecar; None if no earlier run wrote any of them.

    Raises:
        XmpError: It cannot be read; well-formedness is not checked without tags of earlier runs.
    """
    return tags_in_packet(read_sidecar(path))


def read_sidecar(path: str) -> bytes:
    """Return the content of a sidecar, whose access time is kept if possible.

    Raises:
        XmpError: It cannot be read, or is too large.
    """
    try:
        content, seen = read_seen(path, MAX_BYTES)
    except (OSError, ValueError, FileChangedError) as error:
        raise XmpError(f"it {reason_of(error)}" if type(error) is ValueError else
                       reason_of(error)) from error  # fmt: skip
    if seen is None:
        raise XmpError("no such file")
    return content


def tags_in_packet(packet: bytes) -> Keywords | None:
    """Return the keywords of a packet; None if no earlier run wrote any of them.

    Raises:
        XmpError: It has tags of earlier runs, and cannot be read.
    """
    if not any(mark in packet for mark in _MARKS):
        return None
    found = read_keywords(packet)
    return found if found.ours else None


def has_tags(found: Keywords, tags: Tags, *, hierarchy: bool) -> bool:
    """Return whether writing tags would change nothing.

    Args:
        found: The keywords of a sidecar or photo.
        tags: The tags to write.
        hierarchy: Whether hierarchical keywords are written also where the file has none.
    """
    ours = found.ours or Ours()
    if (ours.model, f"{ours.score:.4f}") != (clean(tags.model), f"{tags.score:.4f}"):
        return False
    lists = (
        ("subject", found.subjects, ours.keywords, True),
        ("hierarchy", found.hierarchy, ours.hierarchy, hierarchy),
        ("tags_list", found.tags_list, ours.tags_list, hierarchy),
    )
    for key, words, mine, always in lists:
        removed = set(occurrences(words, mine))
        theirs = [word for place, word in enumerate(words) if place not in removed]
        wanted = missing(words_of(tags, key), theirs) if always or theirs else ()
        # A word that a person removed is written again.
        if len(removed) != len(mine) or wanted != mine:
            return False
    return True
