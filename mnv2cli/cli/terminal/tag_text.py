"""Parts of the messages of ``mnv2 tag``."""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Collection, Iterable

from mnv2cli.system.messages import count
from mnv2cli.tagging.actions import TagAction, TagPlan
from mnv2cli.tagging.plan import UNTAGGED

_MAX_SHOWN = 5
_TOO_LOW = re.compile(r"no (?:label|category) scores ")


def shown_root(root: str) -> str:
    """Return the folder of a run as a user would type it: relative if it is below this one."""
    here = os.getcwd()
    is_below = root == here or root.startswith(here.rstrip(os.sep) + os.sep)
    return os.path.relpath(root, here) if is_below else root


def files_text(actions: Iterable[TagAction], new: Collection[str] | None = None) -> str:
    """Return how many files of which kinds some actions write, such as ``3 new sidecars``.

    Args:
        actions: The actions.
        new: The sidecars that did not exist before; None if none of the actions is done yet.
    """
    kinds: Counter[str] = Counter()
    for action in actions:
        if action.method == "embed":
            kinds["photo"] += 1
        elif not os.path.lexists(action.file) if new is None else action.file in new:
            kinds["new sidecar"] += 1
        else:
            kinds["sidecar"] += 1
    return " and ".join(count(number, kind) for kind, number in kinds.items())


def is_unsure(action: TagAction) -> bool:
    """Return whether a photo gets no keyword because no score is high enough."""
    return action.method == "leave" and bool(_TOO_LOW.match(action.reason))


def is_untagged(action: TagAction) -> bool:
    """Return whether there is nothing to remove from a photo."""
    return action.method == "leave" and action.reason == UNTAGGED


def unsure_text(plan: TagPlan, way_out: str = "add --threshold 0", what: str = "") -> str:
    """Return how many photos have no certain label, why, and how to change it; may be empty.

    Args:
        plan: The plan.
        way_out: How to tag these photos as well; may be empty.
        what: What they are; follows their number.
    """
    unsure = [action.reason for action in plan.actions if is_unsure(action)]
    if not unsure:
        return ""
    why = " or ".join(sorted(set(unsure)))
    text = f"{count(len(unsure), 'photo')}{what}: {why}"
    return f"{text}; to accept any score, {way_out}" if way_out else text


def left_lines(plan: TagPlan, *, verbose: bool) -> list[str]:
    """Return a line for each photo that stays as it is for its own reason.

    Args:
        plan: The plan.
        verbose: Return all, also those that are only counted otherwise.
    """
    left = [
        each for each in plan.by("leave") if verbose or not (is_unsure(each) or is_untagged(each))
    ]
    shown = left if verbose else left[:_MAX_SHOWN]
    lines = [f"left  {action.source}: {action.reason}" for action in shown]
    if len(left) > len(shown):
        lines.append(f"and {len(left) - len(shown):,} more; -v shows all")
    return lines
