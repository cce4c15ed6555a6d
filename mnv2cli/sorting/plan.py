"""From records to a plan: which photo goes where, and which photos stay; nothing is changed."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterable

from mnv2cli.journals.folder import names_in
from mnv2cli.records import Record
from mnv2cli.sorting.actions import IN_DESTINATION, LINKS_TO_MOVED, Action, Plan
from mnv2cli.sorting.companions import Companions, Exclusion
from mnv2cli.sorting.dates import ReadDate, no_date
from mnv2cli.sorting.destination import EarlierRuns
from mnv2cli.sorting.naming import ActionPlanner
from mnv2cli.sorting.options import SortOptions
from mnv2cli.sorting.photos import local_records
from mnv2cli.sorting.placement import OTHER, UNSURE, FolderChooser, Placement
from mnv2cli.sorting.reviewed import Chooser, ReviewedChooser, Reviews
from mnv2cli.sources.names import IMAGE_SUFFIXES, natural_sorted, suffix_of
from mnv2cli.sources.pairs import COMPANION_SUFFIXES, companions

_MAX_LINKS = 40  # in a chain, as on Linux


def make_plan(
    records: Iterable[Record],
    options: SortOptions,
    taken: ReadDate = no_date,
    origin: str = "the file of results",
    reviews: Reviews | None = None,
    earlier: EarlierRuns | None = None,
) -> Plan:
    """Plan how to sort photos into a destination; change nothing.

    Args:
        records: The photos.
        options: How to sort them.
        taken: Returns when a photo was taken, for templates with a date.
        origin: Where the records come from, for errors.
        reviews: What a person said about the photos, which decides whatever their scores.
        earlier: Where earlier runs put files; None to read their journals.

    Raises:
        InputError: The records lack a field of the template, or a photo is not on this machine.
    """
    folders: Chooser = FolderChooser(options.folders, taken, origin)
    if reviews is not None:
        folders = ReviewedChooser(folders, reviews)
    unreadable: list[str] = []

    def place(record: Record) -> tuple[str, Placement]:
        if record.error:
            unreadable.append(record.path)
        return record.path, folders.choose(record)

    placed = [place(record) for record in local_records(records)]
    return plan_placed(placed, options, unreadable, earlier)


def plan_placed(
    placed: list[tuple[str, Placement]],
    options: SortOptions,
    unreadable_paths: Iterable[str] = (),
    earlier: EarlierRuns | None = None,
) -> Plan:
    """Plan to put photos where they belong; change nothing.

    Args:
        placed: The photos, each with the place where it belongs.
        options: How to sort them; only the folders' template and thresholds are ignored.
        unreadable_paths: The photos that cannot be read.
        earlier: Where earlier runs put files; None to read their journals.
    """
    dest = os.path.abspath(options.dest)
    absolute = _AbsolutePaths()
    unreadable = set(map(absolute, unreadable_paths))
    placed = _without_repeats(placed, absolute)
    if options.pairs == "first":
        placed = _by_leaders(placed, absolute)
    own = dest.rstrip(os.sep) + os.sep
    inside = [absolute(path).startswith(own) for path, _ in placed]
    if not all(inside):  # a destination within the photos: its files have been sorted
        placed = [
            (path, Placement("", IN_DESTINATION) if within else placement)
            for (path, placement), within in zip(placed, inside, strict=True)
        ]
    if options.method == "move":
        placed = _without_links_to_moved(placed)
    placed = _join_small(placed, dest, options.folders.min_count)
    spelled = _spelling({placement.folder for _, placement in placed if placement.folder}, dest)
    staying = {absolute(path) for path, placement in placed if not placement.folder} - unreadable
    excluded = Exclusion(options.exclude, options.given) if options.exclude else None
    going = (path for path, placement in placed if placement.folder)
    found = Companions(going, staying, absolute, excluded)
    by_default = options.folders.threshold is None
    earlier = earlier or EarlierRuns(dest)
    keep = by_default and not options.refresh
    planner = ActionPlanner(dest, options.method, found, earlier, keep=keep)
    plan = Plan(dest, by_default=by_default)
    for path, placement in placed:
        if not placement.folder and absolute(path) in unreadable:
            if found.has(path):
                continue  # a companion that cannot be classified; it goes with its photo
            if not os.path.lexists(path) and (target := earlier.moved(absolute(path))):
                folder, why = os.path.dirname(target), f"already sorted: {target}"
                photo = found.former_photo(path)
                plan.actions.append(Action(path, "skip", folder, "", why, photo=photo))
                continue
        folder = spelled.get(placement.folder, "")
        plan.actions.extend(planner.actions(path, Placement(folder, placement.reason)))
    if options.method == "move":
        plan.actions = _with_links_kept(plan.actions, absolute)
    return plan


class _AbsolutePaths:
    """Return the absolute paths of files; each folder is looked up once."""

    def __init__(self) -> None:
        self._folders: dict[str, str] = {}

    def __call__(self, path: str) -> str:
        folder, name = os.path.split(path)
        if name in ("", os.curdir, os.pardir):
            return os.path.abspath(path)
        if folder not in self._folders:
            self._folders[folder] = os.path.abspath(folder)
        return os.path.join(self._folders[folder], name)


def _without_repeats(
    placed: Iterable[tuple[str, Placement]], absolute: Callable[[str], str]
) -> list[tuple[str, Placement]]:
    """Drop photos that are named twice, such as ``a.jpg`` and ``./a.jpg``."""
    seen: set[str] = set()
    found = []
    for path, placement in placed:
        if (whole := absolute(path)) not in seen:
            seen.add(whole)
            found.append((path, placement))
    return found


def _by_leaders(
    placed: list[tuple[str, Placement]], absolute: Callable[[str], str]
) -> list[tuple[str, Placement]]:
    """Drop photos that go with the leading image of their shot; they stay if that image stays."""
    if not any(suffix_of(path) in COMPANION_SUFFIXES for path, _ in placed):
        return placed
    names: dict[str, list[str]] = {}
    for path, _ in placed:
        folder, name = os.path.split(absolute(path))
        names.setdefault(folder, []).append(name)
    leaders = {
        os.path.join(folder, name): os.path.join(folder, leader)
        for folder, found in names.items()
        for name, leader in companions(natural_sorted(found)).items()
    }
    going = {absolute(path) for path, placement in placed if placement.folder}
    joined = []
    for path, placement in placed:
        leader = leaders.get(absolute(path))
        if leader is None or not placement.folder:
            joined.append((path, placement))
        elif leader not in going:
            joined.append((path, Placement("", f"stays with {os.path.basename(leader)}")))
    return joined


def _without_links_to_moved(placed: list[tuple[str, Placement]]) -> list[tuple[str, Placement]]:
    """Leave symbolic links in place if their photos are moved too, because they would dangle."""
    links = {path for path, placement in placed if placement.folder and os.path.islink(path)}
    if not links:
        return placed
    moved = {
        os.path.realpath(path)
        for path, placement in placed
        if placement.folder and path not in links
    }
    return [
        (path, Placement("", LINKS_TO_MOVED))
        if path in links and os.path.realpath(path) in moved
        else (path, placement)
        for path, placement in placed
    ]


def _with_links_kept(actions: list[Action], absolute: Callable[[str], str]) -> list[Action]:
    """Leave symbolic links in place if any file they lead to is moved, such as a companion."""
    links = {a.source for a in actions if a.method == "move" and os.path.islink(a.source)}
    if not links:
        return actions
    real_folders: dict[str, str] = {}

    def located(path: str) -> str:
        """Return the real place of a file; if it is a link, of the link itself."""
        folder, name = os.path.split(absolute(path))
        if folder not in real_folders:
            real_folders[folder] = os.path.realpath(folder)
        return os.path.join(real_folders[folder], name)

    def leads_to_moved(path: str) -> bool:
        for _ in range(_MAX_LINKS):
            try:
                path = os.path.join(os.path.dirname(path), os.readlink(path))
            except OSError:  # the end of the chain
                return False
            # realpath, not abspath: ".." in a linked folder is not its parent in the path.
            folder, name = os.path.split(path)
            path = os.path.join(os.path.realpath(folder), name)
            if path in moved:
                return True
        return False

    moved = {located(action.source) for action in actions if action.method == "move"}
    kept = {path for path in links if leads_to_moved(located(path))}
    found = []
    for action in actions:
        reason = LINKS_TO_MOVED if action.source in kept else ""
        if not reason and action.method == "move" and action.photo in kept:
            reason = f"stays with {os.path.basename(action.photo)}"
        found.append(
            Action(action.source, "leave", "", "", reason, photo=action.photo) if reason else action
        )
    return found


def _join_small(
    placed: list[tuple[str, Placement]], dest: str, min_count: int
) -> list[tuple[str, Placement]]:
    counts = Counter(placement.folder for _, placement in placed if placement.folder)
    if min_count <= 1:
        return placed
    small = set()
    for folder, count in counts.items():
        if folder == UNSURE:
            continue
        if count + _count_photos(os.path.join(dest, folder)) < min_count:
            small.add(folder)

    def joined(placement: Placement) -> Placement:
        if placement.folder not in small:
            return placement
        few = f"fewer than {min_count} in {placement.folder}"
        return Placement(OTHER, "; ".join(filter(None, [placement.reason, few])))

    return [(path, joined(placement)) for path, placement in placed]


def _count_photos(folder: str) -> int:
    images = [name for name in names_in(folder) if name.lower().endswith(IMAGE_SUFFIXES)]
    return len(images) - len(companions(natural_sorted(images)))


def _spelling(folders: set[str], dest: str) -> dict[str, str]:
    """Return one spelling for folders that differ only in case, which some systems treat as one.

    A folder in the destination has priority, then the first in alphabetical order.
    """
    first: dict[str, str] = {}

    def spell(folder: str) -> str:
        spelled = ""
        for part in folder.split("/"):
            whole = f"{spelled}/{part}" if spelled else part
            key = whole.casefold()
            if key not in first:
                there = {name.casefold(): name for name in names_in(os.path.join(dest, spelled))}
                name = there.get(part.casefold(), part)
                first[key] = f"{spelled}/{name}" if spelled else name
            spelled = first[key]
        return spelled

    return {folder: spell(folder) for folder in sorted(folders)}
