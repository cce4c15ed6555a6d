"""Parts of the messages of ``mnv2 tag``."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from mnv2cli.system.files import is_within
from mnv2cli.system.messages import count
from mnv2cli.tagging.actions import WRITING, TagAction, TagPlan

_MAX_SHOWN = 5


@dataclass(frozen=True, slots=True)
class WaysOut:
    """How to tag the photos that a run does not tag; empty where no option changes that.

    Attributes:
        unsure: For photos without a score that is high enough.
        tagged: For photos that have keywords already.
    """

    unsure: str = "to accept any score, add --threshold 0"
    tagged: str = "to tag again, add --refresh"


NO_WAY_OUT = WaysOut("", "")
"""A plan that was read from a file: no option changes what it has."""


@dataclass(frozen=True, slots=True)
class Photos:
    """The photos of a plan, each once: in the first of these sets that it belongs to.

    Attributes:
        tagged: Those that get keywords.
        removed: Those whose keywords of earlier runs are removed.
        failed: Those that cannot be tagged.
        unsure: Those without a score that is high enough.
        skipped: Those that have keywords already.
        untagged: Those without keywords to remove.
        left: The others, each left for its own reason.
    """

    tagged: frozenset[str]
    removed: frozenset[str]
    failed: frozenset[str]
    unsure: frozenset[str]
    skipped: frozenset[str]
    untagged: frozenset[str]
    left: frozenset[str]


def photos_of(plan: TagPlan) -> Photos:
    """Return the photos of a plan, of which one may have several actions."""
    tests = (
        lambda each: each.method in WRITING and each.tags is not None,
        lambda each: each.method in WRITING,
        lambda each: each.is_failure,
        is_unsure,
        lambda each: each.method == "skip",
        is_untagged,
        lambda each: True,
    )
    seen: set[str] = set()
    sets = []
    for test in tests:
        found = frozenset(each.source for each in plan.actions if test(each)) - seen
        seen |= found
        sets.append(found)
    return Photos(*sets)


def shown_root(root: str) -> str:
    """Return the folder of a run as a user would type it: relative if it is below this one."""
    here = os.getcwd()
    return os.path.relpath(root, here) if is_within(root, here) else root


def files_text(actions: Iterable[TagAction]) -> str:
    """Return how many files of which kinds actions would write, such as ``3 new sidecars``."""
    kinds: Counter[str] = Counter()
    for action in actions:
        if action.method == "embed":
            kinds["photo"] += 1
        elif not os.path.lexists(action.file):
            kinds["new sidecar"] += 1
        else:
            kinds["sidecar"] += 1
    return " and ".join(count(number, kind) for kind, number in kinds.items())


def is_unsure(action: TagAction) -> bool:
    """Return whether a photo gets no keyword because no score is high enough."""
    return action.method == "leave" and action.kind == "unsure"


def is_untagged(action: TagAction) -> bool:
    """Return whether there is nothing to remove from a photo."""
    return action.method == "leave" and action.kind == "untagged"


def unsure_text(plan: TagPlan, way_out: str = WaysOut().unsure, what: str = "") -> str:
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
    return f"{text}; {way_out}" if way_out else text


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
