"""A plan as a CSV file that people can edit, and its checks when it is read back."""

from __future__ import annotations

import csv
import os
import stat

from mnv2cli.errors import InputError, OutputError
from mnv2cli.sorting.actions import AS_PLANNED, METHODS, Action, Plan
from mnv2cli.sorting.destination import EarlierRuns
from mnv2cli.sorting.targets import check_parents, check_target
from mnv2cli.system.csvtext import csv_line
from mnv2cli.system.files import content_digest
from mnv2cli.system.messages import reason

_COLUMNS = ("source", "action", "folder", "target", "reason", "size", "with")


def write_plan(plan: Plan, path: str) -> None:
    """Write a plan as CSV, for people to edit.

    Raises:
        OutputError: The file cannot be written.
    """
    try:
        with open(path, "w", encoding="utf-8", errors="surrogateescape", newline="") as file:
            file.write(csv_line(_COLUMNS))
            for action in plan.actions:
                cells = [action.source, action.method, action.folder, action.target, action.reason]
                file.write(csv_line([*cells, str(action.size), action.photo]))
    except OSError as error:
        raise OutputError(f"cannot write {path!r}: {reason(error)}") from error


def read_plan(path: str, dest: str) -> Plan:
    """Read a plan and check every row: people may have edited it.

    The columns source, action and target determine what is done: users may delete or reorder rows,
    change targets, and set the action to ``leave``. A companion stays if its photo, in the column
    with, stays or has no row; unless an earlier run has moved that photo.

    Returns:
        The plan; each photo is followed by its companions.

    Args:
        path: The plan.
        dest: The destination.

    Raises:
        InputError: The file is not a plan; a target is outside the destination, already exists, or
            occurs twice; or a source is gone or its size has changed. Up to ten rows are listed.
    """
    dest = os.path.abspath(dest)
    rows = _Rows(dest, EarlierRuns(dest))
    try:
        with open(path, encoding="utf-8-sig", errors="surrogateescape", newline="") as file:
            reader = csv.DictReader(file)
            if not {"source", "action", "target"} <= set(reader.fieldnames or ()):
                raise InputError(
                    f"{path!r} is not a plan: it lacks the columns source, action and target"
                )
            for row in reader:
                rows.add(reader.line_num, row)
    except OSError as error:
        raise InputError(f"cannot read the plan {path!r}: {reason(error)}") from error
    except csv.Error as error:
        raise InputError(f"the plan {path!r} is not valid CSV: {error}") from error
    actions = rows.actions()
    if rows.wrong:
        wrong = [f"line {line}: {error}" for line, error in sorted(rows.wrong)]
        more = [f"and {len(wrong) - 10} more"] if len(wrong) > 10 else []
        raise InputError(
            f"cannot apply the plan {path!r}; nothing was changed",
            "\n".join(wrong[:10] + more),
        )
    return Plan(dest, actions)


_Row = dict[str, str | None]


class _Rows:
    """Check the rows of a plan, and put the companions behind their photos.

    Args:
        dest: The destination.
        earlier: Finds where earlier runs moved sources that are gone.

    Attributes:
        wrong: The lines that cannot be applied, each with the reason.
    """

    def __init__(self, dest: str, earlier: EarlierRuns) -> None:
        self.wrong: list[tuple[int, str]] = []
        self._dest = dest
        self._earlier = earlier
        self._targets: dict[str, int] = {}
        self._photos: list[Action] = []
        # By the absolute path of their photo: companions, which wait until all photos are known.
        self._companions: dict[str, list[tuple[int, _Row]]] = {}

    def add(self, line: int, row: _Row) -> None:
        """Add a row."""
        if photo := row.get("with"):
            self._companions.setdefault(os.path.abspath(photo), []).append((line, row))
        else:
            self._photos += self._checked(line, row)

    def actions(self) -> list[Action]:
        """Return the actions of all rows that can be applied."""
        found = []
        for photo in self._photos:
            found.append(photo)
            if self._companions:
                goes = photo.method != "leave"
                for line, row in self._companions.pop(os.path.abspath(photo.source), ()):
                    found += self._companion(line, row, goes=goes)
        for path, waiting in self._companions.items():
            goes = not os.path.lexists(path) and bool(self._earlier.moved(path))
            for line, row in waiting:
                found += self._companion(line, row, goes=goes)
        self._companions = {}
        return found

    def _companion(self, line: int, row: _Row, *, goes: bool) -> list[Action]:
        photo = row["with"] or ""
        if goes or _method(row) not in METHODS:
            return self._checked(line, row)
        why = f"stays with {os.path.basename(photo)}"
        return [Action(row["source"] or "", "leave", "", "", why, photo=photo)]

    def _checked(self, line: int, row: _Row) -> list[Action]:
        """Return the action of a row, in a list; an empty list if the row is wrong."""
        try:
            action = _action(row, self._dest, self._earlier)
            key = action.target.casefold()
            if action.method in METHODS and key in self._targets:
                raise ValueError(f"line {self._targets[key]} has the same target")
        except ValueError as error:
            self.wrong.append((line, str(error)))
            return []
        self._targets[key] = line
        return [action]


def _method(row: _Row) -> str:
    return (row["action"] or "").strip().lower()


def _kept(row: _Row, method: str) -> Action:
    """Return the action of a row whose file is not sorted."""
    source, photo, why = row["source"] or "", row.get("with") or "", row.get("reason") or ""
    if method == "skip":
        return Action(source, "skip", "", "", why or AS_PLANNED, photo=photo)
    # Only rows of files that were to be sorted have a target and a size: the user left these.
    size = (row.get("size") or "").strip()
    if row["target"] or size not in ("", "0") or not why:
        why = AS_PLANNED
    return Action(source, "leave", "", "", why, photo=photo)


def _action(row: _Row, dest: str, earlier: EarlierRuns) -> Action:
    source, target = row["source"] or "", row["target"] or ""
    photo, why = row.get("with") or "", row.get("reason") or ""
    method = _method(row)
    if method in ("skip", "leave", ""):
        return _kept(row, method)
    if method not in METHODS:
        raise ValueError(f"unknown action {method!r}; use {', '.join(METHODS)} or leave")
    check_target(target)
    try:
        status = os.stat(source)
    except (OSError, ValueError) as error:
        if source and earlier.moved(os.path.abspath(source)) == target:
            folder = os.path.dirname(target)
            return Action(source, "skip", folder, "", "already sorted", photo=photo)
        raise ValueError(f"{source!r} cannot be read") from error
    if not stat.S_ISREG(status.st_mode):
        raise ValueError(f"{source!r} is not a regular file")
    path = os.path.join(dest, target)
    if os.path.lexists(path) and earlier.is_same_tagged(os.path.abspath(source), path):
        folder = os.path.dirname(target)
        return Action(source, "skip", folder, "", "already there", status.st_size, photo)
    size = (row.get("size") or "").strip()
    if size and size != str(status.st_size):
        raise ValueError(f"{source!r} has changed since the plan was written")
    if os.path.lexists(path):
        same = os.path.isfile(path) and os.path.getsize(path) == status.st_size
        if same and content_digest(path) == content_digest(source):
            folder = os.path.dirname(target)
            return Action(source, "skip", folder, "", "already there", status.st_size, photo)
        raise ValueError(f"{target!r} already exists with different content")
    check_parents(dest, target)
    folder = os.path.dirname(target)
    return Action(source, method, folder, target, why, status.st_size, photo)
