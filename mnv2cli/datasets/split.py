"""Split photos into train, val and test: stratified, seeded, with what belongs together whole."""

from __future__ import annotations

import os

from mnv2cli.datasets.split_earlier import Earlier, find_earlier
from mnv2cli.datasets.split_groups import Grouped, group_photos
from mnv2cli.datasets.split_lists import ListFormat, check_lists, read_lists, write_lists
from mnv2cli.datasets.split_options import Split, SplitOptions, SplitPhoto
from mnv2cli.datasets.split_sets import Member, choose_sets
from mnv2cli.datasets.split_source import Found, find_photos
from mnv2cli.errors import InputError, NoImagesError
from mnv2cli.learning.dataset import Example
from mnv2cli.learning.options import Running
from mnv2cli.sorting.actions import Plan
from mnv2cli.sorting.apply import apply
from mnv2cli.sorting.folders import safe_name
from mnv2cli.sorting.options import SortOptions
from mnv2cli.sorting.photos import check_local
from mnv2cli.sorting.placement import Placement
from mnv2cli.sorting.plan import plan_placed
from mnv2cli.sorting.recover import finish
from mnv2cli.system.files import is_really_within

StrPath = str | os.PathLike[str]


def split(
    source: StrPath,
    into: StrPath,
    *,
    options: SplitOptions | None = None,
    running: Running | None = None,
    lists: ListFormat | None = None,
    force: bool = False,
) -> Split:
    """Split photos into the folders ``train``, ``val`` and ``test``, each with its classes.

    ``mnv2 undo`` undoes it. Photos that an earlier split put there stay in their sets.

    Args:
        source: A folder with a subfolder for each class, or results of ``mnv2 classify``, or a CSV
            with the columns path and label.
        into: The folder for the sets, new or not.
        options: How to split.
        running: The engine, decoding, filters, and callbacks.
        lists: Write lists of paths there instead: ``txt`` or ``csv``; None for folders.
        force: Overwrite existing lists; the photos in them stay in their sets.

    Returns:
        Which photo is in which set; ``failed`` names files that were not put there.

    Raises:
        InputError: The source, or an option, is invalid.
        NoImagesError: There are no photos.
        OutputError: The destination cannot be written.
    """
    path = os.fspath(into)
    unfinished: list[tuple[str, str]] = []
    if lists is not None:
        check_lists(path, lists, force=force)
    else:  # before photos are found: an interrupted split may have moved some
        unfinished = finish(path).failed
    made = plan_split(source, path, options=options, running=running, lists=lists)
    if lists is not None:
        write_lists(made, lists, force=force)
    else:
        made.failed = [*unfinished, *apply(made.plan).failed]
    return made


def plan_split(
    source: StrPath,
    into: StrPath,
    *,
    options: SplitOptions | None = None,
    running: Running | None = None,
    lists: ListFormat | None = None,
) -> Split:
    """Choose a set for each photo; change nothing.

    Args:
        source: As for :func:`split`.
        into: The folder for the sets.
        options: How to split.
        running: The engine, decoding, filters, and callbacks.
        lists: The format of lists, whose photos stay in their sets; None for folders.

    Raises:
        InputError: The source, or an option, is invalid.
        NoImagesError: There are no photos.
    """
    options, running = options or SplitOptions(), running or Running()
    origin, dest = os.fspath(source), os.fspath(into)
    options.shares.of(1 << 40)  # before anything is read
    check_local(dest)
    if os.path.isdir(origin):
        _check_apart(origin, dest)
    found = find_photos(origin, running.filters, options.label_by, options.base)
    if lists is None:
        _check_folders(found)
        earlier = find_earlier(dest, found.photos, found.root)
    else:
        earlier = Earlier(read_lists(dest, lists, found.photos, origin))
    grouped = group_photos([*found.photos, *earlier.others], options, running)
    if not any(photo.path not in earlier.set_of for photo in grouped.photos):
        raise NoImagesError(
            f"no readable photos in {origin!r}",
            "\n".join(f"{path}: {why}" for path, why in grouped.unreadable[:3]),
        )
    made = _made(dest, found, grouped, earlier, options)
    if lists is None:
        placed = [
            (photo.path, Placement(f"{photo.set}/{safe_name(photo.label)}", ""))
            for photo in made.photos
            if photo.set and photo.path not in earlier.set_of
        ]
        sorting = SortOptions(dest, options.method, pairs=running.filters.pairs)
        made.plan = plan_placed(placed, sorting)
    return made


def _made(
    dest: str, found: Found, grouped: Grouped, earlier: Earlier, options: SplitOptions
) -> Split:
    fixed = [earlier.sets.get(p.path) or earlier.set_of.get(p.path, "") for p in grouped.photos]
    dropped: set[int] = set()
    conflicts = []
    for same in grouped.conflicts:
        new = [photo for photo in same if not fixed[photo]]
        if new:
            dropped.update(new)
            paths = tuple(grouped.photos[photo].path for photo in same)
            conflicts.append((paths, tuple(sorted({grouped.photos[p].name for p in same}))))
    chosen = [number for number in range(len(grouped.photos)) if number not in dropped]
    shares = options.shares.of(len(chosen))
    members = [
        Member(
            _name(grouped.photos[each], found.root),
            grouped.photos[each].name,
            grouped.numbers[each],
            fixed[each],
        )
        for each in chosen
    ]
    sets = choose_sets(members, shares, options.seed)
    photos = [
        SplitPhoto(
            grouped.photos[each].path,
            grouped.photos[each].name,
            name,
            grouped.numbers[each],
            not fixed[each],
        )
        for each, name in zip(chosen, sets, strict=True)
    ]
    return Split(
        dest,
        photos,
        Plan(os.path.abspath(dest)),
        found.skipped,
        [*found.unreadable, *grouped.unreadable],
        conflicts,
        [photo.path for photo in photos if not photo.set],
        grouped.alike,
        shares,
    )


def _name(photo: Example, root: str) -> str:
    """Return the name of a photo that decides its turn: the same wherever its folder is."""
    path = photo.origin or photo.path
    if root and path.startswith(root):
        path = path[len(root) :].lstrip("/" + os.sep)
    return path.replace(os.sep, "/")


def _check_apart(folder: str, dest: str) -> None:
    """Check that the sets would not be classes the next time; raises InputError."""
    if is_really_within(dest, folder):
        raise InputError(
            f"{dest!r} is in {folder!r}: its folders would be classes the next time",
            "Name a folder outside with --into.",
        )


def _check_folders(found: Found) -> None:
    """Check that each class has its own folder; raises InputError."""
    first: dict[str, str] = {}
    for label in dict.fromkeys(photo.name for photo in found.photos):
        other = first.setdefault(safe_name(label).casefold(), label)
        if other != label:
            raise InputError(
                f"the classes {other!r} and {label!r} would share a folder",
                "Rename one of them, or write lists with --list.",
            )
