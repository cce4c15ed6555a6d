"""Groups of copies, the best of each group, and the plan that moves the others away."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from mnv2cli.journals.folder import names_in
from mnv2cli.learning.local_files import ImageFile
from mnv2cli.sorting.actions import Plan
from mnv2cli.sorting.companions import Companions
from mnv2cli.sorting.contents import Contents
from mnv2cli.sorting.options import SortOptions
from mnv2cli.sorting.placement import Placement
from mnv2cli.sorting.plan import plan_placed
from mnv2cli.sources.names import natural_key, natural_sorted, suffix_of
from mnv2cli.sources.pairs import companions

if TYPE_CHECKING:
    from mnv2cli.learning.neighbours import Leaders

Kind = Literal["", "exact", "near"]


@dataclass(frozen=True, slots=True)
class Copy:
    """An image of a group.

    Attributes:
        file: The file.
        kind: ``exact`` if it has the content of the kept image, ``near`` if it looks like it; empty
            for the kept image.
        similarity: The cosine with the kept image; None for that image.
    """

    file: ImageFile
    kind: Kind = ""
    similarity: float | None = None

    @property
    def kept(self) -> bool:
        """Whether it is the best of its group."""
        return not self.kind


Group = tuple[Copy, ...]
"""The kept image, then its exact copies, then those that look like it, the most similar first."""


def make_groups(
    contents: Sequence[Sequence[ImageFile]], leaders: Leaders | None = None
) -> list[Group]:
    """Return the groups of at least two images, in the natural order of the kept ones.

    Args:
        contents: The files by content, the best file of each content first.
        leaders: The content that each content belongs to; None for exact copies alone.
    """
    members: dict[int, list[tuple[float, int]]] = {}
    if leaders is not None:
        both = zip(leaders.leader.tolist(), leaders.score.tolist(), strict=True)
        for number, (leader, score) in enumerate(both):
            if leader != number:
                members.setdefault(leader, []).append((-score, number))
    joined = {number for near in members.values() for _, number in near}
    groups = []
    for number, equal in enumerate(contents):
        if number in joined or (len(equal) == 1 and number not in members):
            continue
        group = [Copy(equal[0]), *(Copy(file, "exact", 1.0) for file in equal[1:])]
        for score, other in sorted(members.get(number, ())):
            group += [Copy(file, "near", -score) for file in contents[other]]
        groups.append(tuple(group))
    groups.sort(key=lambda group: (natural_key(group[0].file.path), group[0].file.path))
    return groups


def plan_of_groups(groups: Iterable[Group], dest: str, linked: Iterable[str] = ()) -> Plan:
    """Plan to move all copies but the kept ones into a folder, with their companions.

    Copies go to ``exact`` or ``near``, and below that into the folders that they are in now. A
    companion that another image leads too stays. So does a copy that has another name, or a
    companion without an equal beside the kept image: nothing that exists once is moved away.

    Args:
        groups: The groups.
        dest: The folder, as typed.
        linked: Real paths of files with another name: a symbolic or hard link.
    """
    copies = [(copy, group[0]) for group in groups for copy in group[1:]]
    root = _common([os.path.dirname(os.path.abspath(copy.file.path)) for copy, _ in copies])
    targets = set(linked)
    placed: list[tuple[str, Placement]] = []
    staying = {
        copy.file.path: "a link to it would stay"
        for copy, _ in copies
        if targets and os.path.realpath(copy.file.path) in targets
    }
    staying |= _with_sole_companions(
        {copy.file.path: kept.file.path for copy, kept in copies if copy.file.path not in staying}
    )
    going: set[str] = set()
    for copy, kept in copies:
        path = copy.file.path
        if why := staying.get(path):
            placed.append((path, Placement("", why)))
            continue
        going.add(os.path.abspath(path))
        degree = "" if copy.similarity is None or copy.kind == "exact" else f" ({copy.similarity})"
        why = f"{copy.kind} copy{degree} of {kept.file.path}"
        placed.append((path, Placement("/".join([copy.kind, *_below(path, root)]), why)))
    placed += [(path, Placement("", f"stays with {leader}")) for path, leader in _shared(going)]
    return plan_placed(placed, SortOptions(dest, "move"))


def _with_sole_companions(kept_of: dict[str, str]) -> dict[str, str]:
    """Return the copies that have a companion without an equal beside the kept image, and why.

    Args:
        kept_of: The kept image of each copy that would be moved.
    """
    kept = Companions(dict.fromkeys(kept_of.values()), (), os.path.abspath)
    going = dict(kept_of)
    contents = Contents()
    found: dict[str, str] = {}
    while True:  # a companion of a copy that stays may be led by another that would be moved
        shared = {path for path, _ in _shared(map(os.path.abspath, going))}
        moved = Companions(going, shared, os.path.abspath)
        own = {path: moved.of(path) for path in going}
        moving = {os.path.abspath(other) for others in own.values() for other in others}
        sole: dict[str, str] = {}
        for path, others in own.items():
            beside = [o for o in kept.of(kept_of[path]) if os.path.abspath(o) not in moving]
            for other in others:
                if not any(_is_equal(other, each, contents) for each in beside):
                    sole[path] = f"only it has {other}: {kept_of[path]} has no equal file"
                    break
        if not sole:
            return found
        found |= sole
        going = {path: best for path, best in going.items() if path not in sole}


def _is_equal(path: str, other: str, contents: Contents) -> bool:
    """Return whether two companions are of one kind and have the same content."""
    if suffix_of(path) != suffix_of(other):
        return False
    try:
        return contents.are_same(path, os.stat(path).st_size, other)
    except OSError:
        return False


def _common(folders: Sequence[str]) -> str:
    try:
        return os.path.commonpath(folders) if folders else ""
    except ValueError:  # on several drives
        return ""


def _below(path: str, root: str) -> list[str]:
    """Return the names of the folders of a file below a common folder."""
    folder = os.path.dirname(os.path.abspath(path))
    if root:
        folder = os.path.relpath(folder, root)
    drive, rest = os.path.splitdrive(folder)
    parts = [drive.strip(":\\/").replace("\\", "_"), *rest.replace(os.sep, "/").split("/")]
    return [part for part in parts if part not in ("", os.curdir)]


def _shared(going: Iterable[str]) -> Iterator[tuple[str, str]]:
    """Yield the companions of copies that an image leads which stays, with that image's name."""
    names: dict[str, list[str]] = {}
    for path in sorted(going):
        folder, name = os.path.split(path)
        names.setdefault(folder, []).append(name)
    for folder, copies in names.items():
        files = natural_sorted(names_in(folder))
        if claimed := companions(files, copies):
            led = companions(files)
            for name in claimed:
                if led.get(name, name) not in copies:
                    yield os.path.join(folder, name), led.get(name, name)
