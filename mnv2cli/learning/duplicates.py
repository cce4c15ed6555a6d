"""Groups of copies, the best of each group, and the plan that moves the others away."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from mnv2cli.learning.local_files import ImageFile
from mnv2cli.sorting.actions import Plan
from mnv2cli.sorting.options import SortOptions
from mnv2cli.sorting.placement import Placement
from mnv2cli.sorting.plan import plan_placed
from mnv2cli.sorting.targets import names_in
from mnv2cli.sources.names import natural_key, natural_sorted
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
    companion that another image leads too stays, and so does a copy that a link leads to.

    Args:
        groups: The groups.
        dest: The folder, as typed.
        linked: Real paths to which links lead.
    """
    copies = [(copy, group[0]) for group in groups for copy in group[1:]]
    root = _common([os.path.dirname(os.path.abspath(copy.file.path)) for copy, _ in copies])
    targets = set(linked)
    placed: list[tuple[str, Placement]] = []
    going: set[str] = set()
    for copy, kept in copies:
        path = copy.file.path
        if targets and os.path.realpath(path) in targets:
            placed.append((path, Placement("", "a symbolic link leads to it")))
            continue
        going.add(os.path.abspath(path))
        degree = "" if copy.similarity is None or copy.kind == "exact" else f" ({copy.similarity})"
        why = f"{copy.kind} copy{degree} of {kept.file.path}"
        placed.append((path, Placement("/".join([copy.kind, *_below(path, root)]), why)))
    placed += [(path, Placement("", f"stays with {leader}")) for path, leader in _shared(going)]
    return plan_placed(placed, SortOptions(dest, "move"))


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
