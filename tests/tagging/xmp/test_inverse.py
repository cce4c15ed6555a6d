"""Properties of edits over packets of every layout."""

from __future__ import annotations

from collections import Counter

from hypothesis import HealthCheck, given, settings

from mnv2cli.tagging.xmp.edit import edit
from mnv2cli.tagging.xmp.keywords import Change
from mnv2cli.tagging.xmp.read import read_keywords
from mnv2cli.tagging.xmp.words import fold
from tests.tagging.xmp.layouts import changes, packets

REMOVE = Change(None)
quick = settings(
    max_examples=150,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)


@quick
@given(packets(), changes)
def test_removal_gives_back_every_byte(data: bytes, change: Change) -> None:
    made = edit(data, change)
    assert made and made != data
    assert edit(made, change) == made
    assert edit(made, REMOVE) == data


@quick
@given(packets(), changes, changes)
def test_refresh_is_the_same_as_adding_to_the_packet_from_before(
    data: bytes, first: Change, second: Change
) -> None:
    made = edit(data, first)
    assert made
    refreshed = edit(made, second)
    assert refreshed
    # With the same words, model and score, the first result stays.
    assert refreshed == edit(data, second) or refreshed == made
    assert edit(refreshed, REMOVE) == data


@quick
@given(packets(), changes)
def test_every_keyword_is_present_and_only_added_ones_are_recorded(
    data: bytes, change: Change
) -> None:
    before = read_keywords(data)
    made = edit(data, change)
    assert made and change.tags
    after = read_keywords(made)
    assert after.ours
    assert {fold(word) for word in change.tags.keywords} <= {fold(word) for word in after.subjects}
    for old, new, ours in (
        (before.subjects, after.subjects, after.ours.keywords),
        (before.hierarchy, after.hierarchy, after.ours.hierarchy),
        (before.tags_list, after.tags_list, after.ours.tags_list),
    ):
        assert Counter(new) == Counter(old) + Counter(ours)
        assert not {fold(word) for word in old} & {fold(word) for word in ours}
