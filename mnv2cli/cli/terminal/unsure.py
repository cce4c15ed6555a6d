"""How many photos go to ``unsure``, why, and how to change it."""

from __future__ import annotations

import re
from collections.abc import Iterable

from mnv2cli.sorting.actions import Action
from mnv2cli.sorting.placement import UNSURE
from mnv2cli.system.messages import count

_TOO_LOW = re.compile(r"(score|lead) \S+ is (below [^\s;]+)")
_SCORE = "score "


def unsure_text(actions: Iterable[Action], way_out: str = "") -> str:
    """Return the number of photos that go to ``unsure``, and why; empty if none does.

    Args:
        actions: Actions that change something.
        way_out: How to sort photos with a low score as well; added if one has a low score.
    """
    found = [
        action for action in actions if action.folder.casefold() == UNSURE and not action.photo
    ]
    if not found:
        return ""
    reasons = []
    for action in found:
        if not action.reason:  # the user's own rows of a plan
            continue
        low = _TOO_LOW.match(action.reason)
        reasons.append(f"{low[1]} {low[2]}" if low else action.reason.partition(";")[0])
    why = " or ".join(sorted(set(reasons), reverse=True))
    text = count(len(found), "photo") + (f": {why}" if why else "")
    is_low = any(reason.startswith(_SCORE) for reason in reasons)
    return f"{text}; to accept any score, {way_out}" if way_out and is_low else text
