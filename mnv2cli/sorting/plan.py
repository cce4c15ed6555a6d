"""From records to a plan: which photo goes where, and what stays; nothing is touched here."""

from __future__ import annotations

import csv
import os
import stat
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import Literal

from mnv2cli.errors import InputError
from mnv2cli.records import Record
from mnv2cli.sorting.folders import OTHER, Folders, Place
from mnv2cli.sources.finder import IMAGE_SUFFIXES
from mnv2cli.system.csvtext import csv_line
from mnv2cli.system.files import content_digest

How = Literal["copy", "move", "symlink", "hardlink", "skip", "leave"]
HOWS: tuple[How, ...] = ("copy", "move", "symlink", "hardlink")
"""What can be done with a photo."""

OWN_FOLDER = ".mnv2"
"""Where a destination keeps its journals."""

COMPANIONS = (
    ".xmp", ".aae", ".mov", ".thm", ".wav", ".pp3", ".dop", ".json", ".gpx",
    ".dng", ".cr2", ".cr3", ".crw", ".nef", ".nrw", ".arw", ".srf", ".sr2", ".raf", ".orf", ".rw2",
    ".pef", ".srw", ".x3f", ".3fr", ".iiq", ".erf", ".raw", ".rwl", ".kdc", ".mrw",
)  # fmt: skip
"""Suffixes of files that belong to the photo of the same stem: notes, Live Photos, raw files."""

_COLUMNS = ("source", "action", "folder", "target", "reason", "size", "with")
_LONGEST_NAME = 255  # bytes, on nearly all file systems


@dataclass(frozen=True, slots=True)
class Action:
    """What is to be done with one file.

    Attributes:
        source: Its path, as given.
        how: One of :data:`HOWS`, or ``skip`` (already there) or ``leave`` (stays where it is).
        folder: The class folder, relative to the destination.
        target: Its new path, relative to the destination; empty for ``skip`` and ``leave``.
        reason: Why.
        size: Bytes.
        photo: For a companion, the path of its photo; empty for photos.
    """

    source: str
    how: How
    folder: str
    target: str
    reason: str = ""
    size: int = 0
    photo: str = ""


@dataclass
class Plan:
    """All actions, in the order of the records.

    Attributes:
        dest: The destination, an absolute path.
        actions: What is to be done; photos, each with its companions after it.
    """

    dest: str
    actions: list[Action] = field(default_factory=list)

    @property
    def work(self) -> list[Action]:
        """The actions that change something."""
        return [action for action in self.actions if action.how in HOWS]

    @property
    def left(self) -> list[Action]:
        """The photos that stay where they are, for they cannot be read."""
        return [action for action in self.actions if action.how == "leave"]

    def folders(self) -> dict[str, tuple[int, int]]:
        """Return count and bytes of the files that come into each folder."""
        counts: dict[str, tuple[int, int]] = {}
        for action in self.work:
            count, size = counts.get(action.folder, (0, 0))
            counts[action.folder] = (count + 1, size + action.size)
        return dict(sorted(counts.items()))


def make_plan(
    records: Iterable[Record],
    dest: str,
    how: How,
    folders: Folders,
    *,
    min_count: int = 1,
    moved: Callable[[str], str] = lambda source: "",
) -> Plan:
    """Return what has to be done to sort photos into a destination; changes nothing.

    Args:
        records: The photos.
        dest: The destination; need not be there.
        how: What to do with each photo.
        folders: Decides on folders.
        min_count: Folders that would hold fewer photos are joined in ``other``.
        moved: Returns where an earlier run put a source that is no longer there, or nothing.

    Raises:
        InputError: The records lack what ``folders`` needs.
    """
    dest = os.path.abspath(dest)
    full = _Full()
    placed = _once(((record.path, folders.place(record)) for record in records), full)
    own = dest.rstrip(os.sep) + os.sep
    inside = [full(path).startswith(own) for path, _ in placed]
    if not all(inside):  # a destination inside of the photos: what is in it has been sorted
        placed = [
            (path, Place("", "is in the destination already") if within else place)
            for (path, place), within in zip(placed, inside, strict=True)
        ]
    if how == "move":
        placed = _without_links_to_moved(placed)
    placed = _join_small(placed, dest, min_count)
    spelled = _spelling({place.folder for _, place in placed if place.folder}, dest)
    maker = _Maker(dest, how, moved)
    plan = Plan(dest)
    for path, place in placed:
        folder = spelled.get(place.folder, "")
        plan.actions.extend(maker.actions(path, Place(folder, place.reason)))
    return plan


class _Full:
    """Returns the absolute paths of files; photos share their folders, which are looked up once."""

    def __init__(self) -> None:
        self._folders: dict[str, str] = {}

    def __call__(self, path: str) -> str:
        folder, name = os.path.split(path)
        if name in ("", os.curdir, os.pardir):
            return os.path.abspath(path)
        if folder not in self._folders:
            self._folders[folder] = os.path.abspath(folder)
        return os.path.join(self._folders[folder], name)


def _once(
    placed: Iterable[tuple[str, Place]], full: Callable[[str], str]
) -> list[tuple[str, Place]]:
    """Leave out what is named a second time, such as ``a.jpg`` and ``./a.jpg``."""
    seen: set[str] = set()
    found = []
    for path, place in placed:
        if (whole := full(path)) not in seen:
            seen.add(whole)
            found.append((path, place))
    return found


def _without_links_to_moved(placed: list[tuple[str, Place]]) -> list[tuple[str, Place]]:
    """Leave symbolic links to photos that are moved as well: they would lead nowhere."""
    links = {path for path, place in placed if place.folder and os.path.islink(path)}
    if not links:
        return placed
    moved = {os.path.realpath(path) for path, place in placed if place.folder and path not in links}
    return [
        (path, Place("", "is a link to a photo that is moved"))
        if path in links and os.path.realpath(path) in moved
        else (path, place)
        for path, place in placed
    ]


def _join_small(
    placed: list[tuple[str, Place]], dest: str, min_count: int
) -> list[tuple[str, Place]]:
    counts = Counter(place.folder for _, place in placed if place.folder)
    if min_count <= 1:
        return placed
    small = set()
    for folder, count in counts.items():
        if count + _count_photos(os.path.join(dest, folder)) < min_count:
            small.add(folder)
    return [
        (path, replace(place, folder=OTHER, reason=f"fewer than {min_count} in {place.folder}"))
        if place.folder in small
        else (path, place)
        for path, place in placed
    ]


def _count_photos(folder: str) -> int:
    try:
        return sum(name.lower().endswith(IMAGE_SUFFIXES) for name in os.listdir(folder))
    except OSError:
        return 0


def _spelling(folders: set[str], dest: str) -> dict[str, str]:
    """Return one spelling for folders that only differ in case, which some systems take as one.

    What is in the destination has the first word, then the alphabet.
    """
    first: dict[str, str] = {}

    def spell(folder: str) -> str:
        spelled = ""
        for part in folder.split("/"):
            whole = f"{spelled}/{part}" if spelled else part
            key = whole.casefold()
            if key not in first:
                there = {name.casefold(): name for name in _listed(os.path.join(dest, spelled))}
                name = there.get(part.casefold(), part)
                first[key] = f"{spelled}/{name}" if spelled else name
            spelled = first[key]
        return spelled

    return {folder: spell(folder) for folder in sorted(folders)}


def _listed(folder: str) -> list[str]:
    try:
        return sorted(os.listdir(folder))
    except OSError:
        return []


class _Maker:
    """Makes the actions of one photo after the other, and remembers which names are taken."""

    def __init__(self, dest: str, how: How, moved: Callable[[str], str]) -> None:
        self._dest = dest
        self._how = how
        self._moved = moved
        # By folder: names in lower case, and the path of each that is there or will be.
        self._taken: dict[str, dict[str, str]] = {}
        self._beside: dict[str, dict[str, list[str]]] = {}
        self._used: set[str] = set()  # companions that go with a photo
        # By folder and name of a photo: what has that name, that with (2), and so on.
        self._series: dict[tuple[str, str], list[str]] = {}
        self._statuses: dict[str, tuple[int, int, int] | None] = {}
        self._digests: dict[str, str] = {}

    def actions(self, path: str, place: Place) -> Iterator[Action]:
        if not place.folder:
            yield Action(path, "leave", "", "", place.reason)
            return
        try:
            status = os.stat(path)
        except (OSError, ValueError) as error:
            target = self._moved(os.path.abspath(path))
            if target:
                yield Action(path, "skip", place.folder, "", f"already sorted: {target}")
            else:
                reason = getattr(error, "strerror", None) or str(error)
                yield Action(path, "leave", "", "", f"cannot be read: {reason.lower()}")
            return
        if not stat.S_ISREG(status.st_mode):
            yield Action(path, "leave", "", "", "not a regular file")
            return
        group = [(path, status.st_size)]
        for companion in self._companions(path):
            try:
                companion_status = os.stat(companion)
            except OSError:
                continue
            if stat.S_ISREG(companion_status.st_mode):
                group.append((companion, companion_status.st_size))
        yield from self._named(group, place)

    def _named(self, group: list[tuple[str, int]], place: Place) -> Iterator[Action]:
        """Find the first number under which the whole group finds room."""
        taken = self._names(place.folder)
        base = os.path.basename(group[0][0])
        stem = os.path.splitext(base)[0]
        # Photos called IMG_1.jpg may be many: those of one name are known, and not walked again.
        series = self._series.setdefault((place.folder, base.casefold()), [])
        while (known := taken.get(_numbered(base, stem, len(series) + 1).casefold())) is not None:
            series.append(known)
        # Where this very photo is, and all its companions; else where they find room beside it;
        # else the next number.
        numbers = [n for n, old in enumerate(series, 1) if self._is_same(*group[0], old)]
        fits = [(n, *self._fit(group, stem, n, taken)) for n in numbers]
        whole = [fit for fit in fits if all(fit[2])] or [fit for fit in fits if fit[1]]
        number, _, same = whole[0] if whole else (len(series), False, [])
        is_free = bool(whole)
        while not is_free:
            number += 1
            is_free, same = self._fit(group, stem, number, taken)
        names = [_numbered(os.path.basename(path), stem, number) for path, _ in group]
        for i, ((path, size), name) in enumerate(zip(group, names, strict=True)):
            target, photo = f"{place.folder}/{name}", group[0][0] if i else ""
            if same[i]:
                reason = "already there" if i == 0 else "companion, already there"
                yield Action(path, "skip", place.folder, "", reason, size, photo)
                continue
            taken[name.casefold()] = path  # its content will be there
            reason = place.reason if i == 0 else f"goes with {base}"
            if number > 1 and i == 0:
                reason = "; ".join(filter(None, [reason, "another photo has its name"]))
            yield Action(path, self._how, place.folder, target, reason, size, photo)

    def _fit(
        self, group: list[tuple[str, int]], stem: str, number: int, taken: dict[str, str]
    ) -> tuple[bool, list[bool]]:
        """Tell whether a group finds room under a number, and which of it is there already."""
        names = [_numbered(os.path.basename(path), stem, number) for path, _ in group]
        there = [taken.get(name.casefold()) for name in names]
        same = [
            old is not None and self._is_same(path, size, old)
            for (path, size), old in zip(group, there, strict=True)
        ]
        return all(a or old is None for a, old in zip(same, there, strict=True)), same

    def _names(self, folder: str) -> dict[str, str]:
        if folder not in self._taken:
            path = os.path.join(self._dest, folder)
            self._taken[folder] = {n.casefold(): os.path.join(path, n) for n in _listed(path)}
        return self._taken[folder]

    def _is_same(self, path: str, size: int, other: str) -> bool:
        """Tell whether a file is there already: the same file, or one with its content."""
        one, two = self._looked_at(path), self._looked_at(other)
        if one is None or two is None:  # a broken link, or gone meanwhile
            return False
        if one[:2] == two[:2]:
            return True
        return two[2] == size and self._digest(path) == self._digest(other) != ""

    def _looked_at(self, path: str) -> tuple[int, int, int] | None:
        """Return device, inode and size of a regular file; remembered."""
        if path not in self._statuses:
            try:
                status = os.stat(path)
                is_file = stat.S_ISREG(status.st_mode)
                found = (status.st_dev, status.st_ino, status.st_size) if is_file else None
            except (OSError, ValueError):
                found = None
            self._statuses[path] = found
        return self._statuses[path]

    def _digest(self, path: str) -> str:
        """Return the SHA-256 of a file, or nothing if it cannot be read; remembered."""
        if path not in self._digests:
            try:
                self._digests[path] = content_digest(path)
            except OSError:
                self._digests[path] = ""
        return self._digests[path]

    def _companions(self, path: str) -> Iterator[str]:
        """Yield the files that belong to a photo and to no other one before it."""
        folder, name = os.path.split(path)
        if folder not in self._beside:
            found: dict[str, list[str]] = {}
            for other in _listed(folder or os.curdir):
                stem, suffix = os.path.splitext(other)
                if suffix.lower() in COMPANIONS:
                    found.setdefault(stem.casefold(), []).append(other)
            self._beside[folder] = found
        beside = self._beside[folder]
        if not beside:
            return
        # IMG_1.xmp, and IMG_1.jpg.xmp as some programs write.
        for stem in (os.path.splitext(name)[0], name):
            for other in beside.get(stem.casefold(), ()):
                companion = os.path.join(folder, other)
                if companion not in self._used and other != name:
                    self._used.add(companion)
                    yield companion


def _numbered(name: str, stem: str, number: int) -> str:
    """Return ``a (2).jpg`` for ``a.jpg``; with companions, all of a stem get the same number."""
    if number == 1:
        return name
    own = name[: len(stem)] if name.casefold().startswith(stem.casefold()) else ""
    head, tail = (own, name[len(own) :]) if own else os.path.splitext(name)
    mark = f" ({number})"
    while head and len(os.fsencode(f"{head}{mark}{tail}")) > _LONGEST_NAME:
        head = head[:-1]
    return f"{head}{mark}{tail}"


# The plan as a file


def write_plan(plan: Plan, path: str) -> None:
    """Write a plan as CSV, to be edited by hand; raises OSError."""
    with open(path, "w", encoding="utf-8", errors="surrogateescape", newline="") as file:
        file.write(csv_line(_COLUMNS))
        for action in plan.actions:
            cells = [action.source, action.how, action.folder, action.target, action.reason]
            file.write(csv_line([*cells, str(action.size), action.photo]))


def read_plan(path: str, dest: str, moved: Callable[[str], str] = lambda source: "") -> Plan:
    """Read a plan, perhaps edited by hand, and check it as if nobody had made it with care.

    The action and the target of each row count: a row may be taken out, its target changed, its
    action set to ``leave``.

    Args:
        path: The plan.
        dest: The destination.
        moved: Returns where an earlier run put a source that is no longer there, or nothing.

    Raises:
        InputError: It is no plan; or a target leaves the destination, is there already, or is named
            twice; or a source is gone or has changed its size. All is told, up to ten.
    """
    dest = os.path.abspath(dest)
    plan, wrong = Plan(dest), []
    targets: dict[str, int] = {}
    try:
        with open(path, encoding="utf-8-sig", errors="surrogateescape", newline="") as file:
            reader = csv.DictReader(file)
            if not {"source", "action", "target"} <= set(reader.fieldnames or ()):
                raise InputError(f"{path!r} is no plan: it has no columns source, action, target")
            for row in reader:
                line = reader.line_num
                try:
                    action = _action(row, dest, moved)
                    key = action.target.casefold()
                    if action.how in HOWS and key in targets:
                        raise ValueError(f"has the target of line {targets[key]}")
                    targets[key] = line
                    plan.actions.append(action)
                except ValueError as error:
                    wrong.append(f"line {line}: {error}")
    except OSError as error:
        raise InputError(f"the plan {path!r} cannot be read: {error.strerror}") from error
    except csv.Error as error:
        raise InputError(f"the plan {path!r} is no CSV: {error}") from error
    if wrong:
        more = [f"and {len(wrong) - 10} more"] if len(wrong) > 10 else []
        raise InputError(
            f"the plan {path!r} cannot be carried out; nothing was changed",
            "\n".join(wrong[:10] + more),
        )
    return plan


def _action(row: dict[str, str | None], dest: str, moved: Callable[[str], str]) -> Action:
    source, target = row["source"] or "", row["target"] or ""
    how = (row["action"] or "").strip().lower()
    reason = row.get("reason") or ""
    if how in ("skip", "leave", ""):
        return Action(source, "skip" if how == "skip" else "leave", "", "", reason or "by the plan")
    if how not in HOWS:
        raise ValueError(f"has the unknown action {how!r}; there are {', '.join(HOWS)}, leave")
    check_target(target)
    try:
        status = os.stat(source)
    except (OSError, ValueError) as error:
        if source and moved(os.path.abspath(source)) == target:
            return Action(source, "skip", os.path.dirname(target), "", "already sorted")
        raise ValueError(f"{source!r} cannot be read") from error
    if not stat.S_ISREG(status.st_mode):
        raise ValueError(f"{source!r} is not a regular file")
    size = (row.get("size") or "").strip()
    if size and size != str(status.st_size):
        raise ValueError(f"{source!r} has changed since the plan was made")
    path = os.path.join(dest, target)
    if os.path.lexists(path):
        same = os.path.isfile(path) and os.path.getsize(path) == status.st_size
        if same and content_digest(path) == content_digest(source):
            folder = os.path.dirname(target)
            return Action(source, "skip", folder, "", "already there", status.st_size)
        raise ValueError(f"{target!r} is there already, and is another file")
    check_parents(dest, target)
    folder = os.path.dirname(target)
    photo = row.get("with") or ""
    return Action(source, how, folder, target, reason, status.st_size, photo)


def check_target(target: str) -> None:
    """Check that a target stays below the destination, whoever wrote it.

    Raises:
        ValueError: It is empty or absolute, has ``..`` or NUL in it, or is the journals' folder.
    """
    parts = target.replace("\\", "/").split("/") if os.sep == "\\" else target.split("/")
    if not target or "\0" in target or os.path.isabs(target) or os.path.splitdrive(target)[0]:
        raise ValueError(f"the target {target!r} is not a path below the destination")
    if any(part in ("", ".", "..") for part in parts) or parts[0].casefold() == OWN_FOLDER:
        raise ValueError(f"the target {target!r} is not a path below the destination")
    if any(len(os.fsencode(part)) > _LONGEST_NAME for part in parts):
        raise ValueError(f"the target {target!r} has a name that is too long")


def check_parents(dest: str, target: str) -> None:
    """Check that the folders of a target are folders, and no links that lead elsewhere.

    Raises:
        ValueError: One is a file, or a link that leaves the destination.
    """
    folder = dest
    for part in target.split("/")[:-1]:
        folder = os.path.join(folder, part)
        if not os.path.lexists(folder):
            return
        if not os.path.isdir(folder):
            raise ValueError(f"{folder!r} is a file, not a folder")
        if os.path.islink(folder):
            real, root = os.path.realpath(folder), os.path.realpath(dest)
            if not real.startswith(root.rstrip(os.sep) + os.sep):
                raise ValueError(f"{folder!r} is a link that leaves the destination")
