"""From records to a plan: which file gets which keywords; nothing is changed."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from mnv2cli.errors import InputError
from mnv2cli.images.packets import embedded
from mnv2cli.journals.moves import PathKeys
from mnv2cli.records import Record, Source
from mnv2cli.sources.names import suffix_of
from mnv2cli.sources.urls import check_local
from mnv2cli.tagging.actions import Kind, TagAction, TagPlan, WriteOptions
from mnv2cli.tagging.embedding import with_theirs
from mnv2cli.tagging.keywords import lacks_category, tags_of
from mnv2cli.tagging.options import PlaceOptions, TagOptions
from mnv2cli.tagging.sidecars import Sidecars
from mnv2cli.tagging.start import has_other_start
from mnv2cli.tagging.tagged import (
    has_tags,
    is_embeddable,
    read_sidecar,
    tags_in_packet,
    tags_in_photo,
)
from mnv2cli.tagging.tags import Tags
from mnv2cli.tagging.xmp.keywords import Keywords, Ours, XmpError
from mnv2cli.tagging.xmp.read import read_keywords

_REPAIR = "repair or rename the sidecar, then run again"
TAGGED, UNTAGGED = "it has these tags already", "it has no tags of earlier runs"


def root_of(paths: Iterable[str]) -> str:
    """Return the deepest folder that contains all photos, an absolute path.

    Raises:
        InputError: There are no photos, or they are on different drives.
    """
    folders = {os.path.dirname(path) for path in paths}
    if not folders:
        raise InputError("there are no photos to tag")
    try:
        return os.path.commonpath([os.path.abspath(folder) for folder in folders])
    except ValueError as error:
        raise InputError(
            "cannot tag photos on different drives in one run", "Tag each drive in its own run."
        ) from error


def not_embeddable(path: str, root: str) -> str:
    """Return why nothing can be embedded into a photo where it is; empty if it can.

    Args:
        path: The photo.
        root: The folder of the run.
    """
    try:
        links = os.stat(path).st_nlink
    except OSError:
        return ""  # writing it fails with the reason
    if links > 1:
        return f"it has {links} hard links, which embedding would separate"
    if os.path.islink(path):
        inside = os.path.realpath(root).rstrip(os.sep) + os.sep
        if not os.path.realpath(path).startswith(inside):
            return f"it links to a photo outside {root}"
    return ""


def make_plan(
    records: Iterable[Record],
    options: TagOptions | None = None,
    place: PlaceOptions | None = None,
    write: WriteOptions | None = None,
) -> TagPlan:
    """Plan which keywords the photos get; change nothing.

    Raw photos that are companions of a photo get its keywords too, each in its own file.

    Args:
        records: The photos, in order.
        options: Which keywords they get.
        place: Which files these are written to.
        write: How files are written.

    Raises:
        InputError: There are no photos, or one is not on this machine.
    """
    options = options or TagOptions()
    photos: list[_Photo] = []
    without_category = 0
    for record in records:
        check_local(record.path, "tag")
        photos.append(_Photo(record.path, *tags_of(record, options), bool(record.error)))
        without_category += lacks_category(record, options)
    planner = _Planner(photos, place or PlaceOptions(), write or WriteOptions())
    plan = planner.plan()
    plan.without_category = without_category
    return plan


def removal_plan(
    sources: Iterable[Source], place: PlaceOptions | None = None, write: WriteOptions | None = None
) -> TagPlan:
    """Plan to remove the keywords of earlier runs; change nothing.

    Args:
        sources: The photos, in order.
        place: With ``embed``, keywords are removed from photos and sidecars, else from sidecars;
            photos with keywords of earlier runs are then left with a reason.
        write: How files are written.

    Raises:
        InputError: There are no photos, or one is not on this machine.
    """
    photos: list[_Photo] = []
    for source in sources:
        check_local(source.path, "tag")
        photos.append(_Photo(source.path, None, source.error, is_failure=bool(source.error)))
    planner = _Planner(photos, place or PlaceOptions(), write or WriteOptions(), removes=True)
    plan = planner.plan()
    plan.is_removal = True
    return plan


@dataclass(frozen=True, slots=True)
class _Photo:
    """A photo with its tags, or the reason for none; ``is_failure``: it should have some."""

    path: str
    tags: Tags | None
    reason: str = ""
    kind: Kind = ""
    is_failure: bool = False


class _Planner:
    """Plan the actions of all photos, folder by folder.

    Args:
        photos: The photos.
        place: Which files are written.
        write: How they are written.
        removes: Remove the keywords of earlier runs.
    """

    def __init__(
        self,
        photos: Sequence[_Photo],
        place: PlaceOptions,
        write: WriteOptions,
        *,
        removes: bool = False,
    ) -> None:
        self._photos = photos
        self._place = place
        self._write = write
        self._removes = removes
        self._sidecars = Sidecars(place.style)
        deepest = root_of(photo.path for photo in photos)
        self._root = os.path.abspath(place.root) if place.root else deepest
        self._real_folder = PathKeys().folder
        self._embedded: dict[str, str] = {}  # photos to write, by their real paths
        self._led: dict[str, dict[str, list[str]]] = {}  # raw companions, by folder and leader
        self._leaders: dict[str, list[str]] = {}  # by folder
        for photo in photos:
            # A raw photo that cannot be read still gets the tags of its developed image.
            if not photo.is_failure:
                folder, name = os.path.split(photo.path)
                self._leaders.setdefault(self._real_folder(folder), []).append(name)

    def plan(self) -> TagPlan:
        """Return the plan; a photo that is listed twice has one action."""
        plan = TagPlan(self._root, write=self._write)
        seen: set[tuple[str, str]] = set()
        for photo in self._photos:
            folder, name = os.path.split(photo.path)
            key = (self._real_folder(folder), name)
            if key in seen:
                continue
            seen.add(key)
            led = self._companions(folder)
            if led and photo.is_failure and any(name in raws for raws in led.values()):
                continue
            plan.actions += self._actions(photo)
            for raw in led.get(name, ()) if led else ():
                found = self._actions(_Photo(os.path.join(folder, raw), photo.tags, f"as {name}"))
                plan.actions += (each for each in found if each.method != "leave")
        return plan

    def _companions(self, folder: str) -> dict[str, list[str]]:
        real = self._real_folder(folder)
        if real not in self._led:
            self._led[real] = self._sidecars.raws(folder, self._leaders.get(real, ()))
        return self._led[real]

    def _actions(self, photo: _Photo) -> Iterator[TagAction]:
        path = photo.path
        if photo.is_failure:
            yield TagAction(path, "leave", reason=photo.reason, is_failure=True, kind=photo.kind)
        elif not self._sidecars.has(*os.path.split(path)):
            yield TagAction(path, "leave", reason="it does not exist any more", is_failure=True)
        elif self._removes:
            yield from self._removal(path)
        elif self._place.embed and is_embeddable(path):
            yield self._embedding(photo)
        else:
            yield self._sidecar(photo)

    def _removal(self, path: str) -> Iterator[TagAction]:
        photo = _Photo(path, None, UNTAGGED, "untagged")
        found = [self._sidecar(photo)]
        try:
            if tags_in_photo(path) is not None:
                if self._place.embed:
                    found.append(self._embedding(photo))
                else:
                    reason = "its tags are in the photo, which only --embed changes"
                    found.append(TagAction(path, "leave", reason=reason))
        except XmpError as error:
            reason = f"unreadable XMP in the photo: {error}"
            found.append(TagAction(path, "leave", reason=reason, is_failure=True))
        # The photo has one action, or one for each place with tags.
        yield from (each for each in found if each.kind != "untagged" or len(found) == 1)

    def _sidecar(self, photo: _Photo) -> TagAction:
        path, tags = photo.path, photo.tags
        sidecar = self._sidecars.of(path)
        try:
            content = read_sidecar(sidecar.path) if sidecar.exists else b""
            present = tags_in_packet(content)
            if action := self._action(photo, present):
                return action
            if present is None:
                read_keywords(content)  # it will be written, and has not been parsed yet
        except XmpError as error:
            why = f"unreadable sidecar: {os.path.basename(sidecar.path)}: {error}; {_REPAIR}"
            return TagAction(path, "leave", reason=why, is_failure=True)
        if sidecar.is_too_long:
            why = "its name is too long for a sidecar beside it; use --embed, or rename it"
            return TagAction(path, "leave", reason=why, is_failure=True)
        reasons = ["" if self._removes else photo.reason, sidecar.reason]
        if self._place.embed and tags is not None:
            suffix = suffix_of(os.path.basename(path))
            reasons.append(f"tags are not embedded into {suffix} files")
        return TagAction(path, "sidecar", sidecar.path, tags, "; ".join(filter(None, reasons)))

    def _embedding(self, photo: _Photo) -> TagAction:
        path = photo.path
        try:
            present = tags_in_photo(path)
        except XmpError as error:
            why = f"unreadable XMP in the photo: {error}"
            return TagAction(path, "leave", reason=why, is_failure=True)
        written = photo
        if photo.tags and present:
            iptc = embedded(path).iptc
            written = replace(photo, tags=with_theirs(photo.tags, present, iptc))
        action = self._action(written, present)
        if action is not None:
            return action
        why = self._not_embeddable(path)
        if why:
            return TagAction(path, "leave", reason=why)
        return TagAction(path, "embed", path, photo.tags, "" if self._removes else photo.reason)

    def _not_embeddable(self, path: str) -> str:
        """Return why nothing is embedded into a photo; empty if it is."""
        folder, name = os.path.split(path)
        real = os.path.join(self._real_folder(folder), name)
        if why := not_embeddable(path, self._root):
            return why
        if os.path.islink(path):
            real = os.path.realpath(path)
        first = self._embedded.setdefault(real, path)
        if first != path:
            return f"it is the same file as {first}"
        return ""

    def _action(self, photo: _Photo, present: Keywords | None) -> TagAction | None:
        """Return the action for a photo of which nothing is written; else None."""
        path, tags = photo.path, photo.tags
        if tags is None:
            if present is not None and (self._removes or self._place.refresh):
                return None
            return TagAction(path, "leave", reason=photo.reason, kind=photo.kind)
        if present is None:
            return None
        ours = present.ours or Ours()
        if has_tags(present, tags, hierarchy=self._write.hierarchy) and not (
            self._place.refresh and has_other_start(path, ours)
        ):
            return TagAction(path, "skip", reason=TAGGED, kind="tagged")
        if not self._place.refresh:
            why = "it has other tags, which --refresh replaces"
            return TagAction(path, "skip", reason=why, kind="tagged")
        return None
