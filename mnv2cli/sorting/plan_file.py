"""A plan as a CSV file that people can edit, and its checks when it is read back."""

from __future__ import annotations

import csv
import os
import stat
from typing import Literal

from mnv2cli.errors import InputError, OutputError
from mnv2cli.sorting.actions import METHODS, Action, Plan
from mnv2cli.sorting.destination import EarlierMoves, earlier_moves
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

    The columns source, action and target determine what is done: users may delete rows, change
    targets, and set the action to ``leave``.

    Args:
        path: The plan.
        dest: The destination.

    Raises:
        InputError: The file is not a plan; a target is outside the destination, already exists, or
            occurs twice; or a source is gone or its size has changed. Up to ten rows are listed.
    """
    dest = os.path.abspath(dest)
    moved = earlier_moves(dest)
    plan, wrong = Plan(dest), []
    targets: dict[str, int] = {}
    try:
        with open(path, encoding="utf-8-sig", errors="surrogateescape", newline="") as file:
            reader = csv.DictReader(file)
            if not {"source", "action", "target"} <= set(reader.fieldnames or ()):
                raise InputError(
                    f"{path!r} is not a plan: it lacks the columns source, action and target"
                )
            for row in reader:
                line = reader.line_num
                try:
                    action = _action(row, dest, moved)
                    key = action.target.casefold()
                    if action.method in METHODS and key in targets:
                        raise ValueError(f"line {targets[key]} has the same target")
                    targets[key] = line
                    plan.actions.append(action)
                except ValueError as error:
                    wrong.append(f"line {line}: {error}")
    except OSError as error:
        raise InputError(f"cannot read the plan {path!r}: {reason(error)}") from error
    except csv.Error as error:
        raise InputError(f"the plan {path!r} is not valid CSV: {error}") from error
    if wrong:
        more = [f"and {len(wrong) - 10} more"] if len(wrong) > 10 else []
        raise InputError(
            f"cannot apply the plan {path!r}; nothing was changed",
            "\n".join(wrong[:10] + more),
        )
    return plan


def _action(row: dict[str, str | None], dest: str, moved: EarlierMoves) -> Action:
    source, target = row["source"] or "", row["target"] or ""
    method = (row["action"] or "").strip().lower()
    why = row.get("reason") or ""
    if method in ("skip", "leave", ""):
        kept: Literal["skip", "leave"] = "skip" if method == "skip" else "leave"
        return Action(source, kept, "", "", why or "as planned")
    if method not in METHODS:
        raise ValueError(f"unknown action {method!r}; use {', '.join(METHODS)} or leave")
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
        raise ValueError(f"{source!r} has changed since the plan was written")
    path = os.path.join(dest, target)
    if os.path.lexists(path):
        same = os.path.isfile(path) and os.path.getsize(path) == status.st_size
        if same and content_digest(path) == content_digest(source):
            folder = os.path.dirname(target)
            return Action(source, "skip", folder, "", "already there", status.st_size)
        raise ValueError(f"{target!r} already exists with different content")
    check_parents(dest, target)
    folder = os.path.dirname(target)
    photo = row.get("with") or ""
    return Action(source, method, folder, target, why, status.st_size, photo)
