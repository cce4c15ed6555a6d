"""Sets are chosen by class, seed and groups, and by nothing else."""

from __future__ import annotations

import random
from collections import Counter, defaultdict
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mnv2cli.datasets.split_sets import SETS, Member, Shares, choose_sets
from mnv2cli.errors import InputError

SHARES = st.tuples(st.floats(0, 0.45), st.floats(0, 0.45))
SEED = st.integers(-5, 5)


def members(groups: list[tuple[int, int]]) -> list[Member]:
    """Return photos for each group: its class, and its number of photos."""
    return [
        Member(f"{label}/{number}_{photo}", f"class {label}", number)
        for number, (label, size) in enumerate(groups)
        for photo in range(size)
    ]


GROUPS = st.lists(st.tuples(st.integers(0, 3), st.integers(1, 6)), max_size=40)
MIXED = st.lists(st.tuples(st.integers(0, 3), st.integers(0, 9)), max_size=40)


@settings(max_examples=80, deadline=None)
@given(MIXED, SHARES, SEED)
def test_groups_of_any_classes_are_whole_whatever_the_order(
    photos: list[tuple[int, int]], given_shares: tuple[float, float], seed: int
) -> None:
    all_of = [Member(f"{n}", f"class {label}", group) for n, (label, group) in enumerate(photos)]
    shares = Shares(*given_shares).of(len(all_of))
    sets = dict(zip((m.name for m in all_of), choose_sets(all_of, shares, seed), strict=True))
    assert set(sets.values()) <= {name for name in SETS if shares[name] > 0}
    of_group = defaultdict(set)
    for member in all_of:
        of_group[member.group].add(sets[member.name])
    assert all(len(found) == 1 for found in of_group.values())
    shuffled = random.Random(seed).sample(all_of, len(all_of))
    renumbered = [replace(each, group=1000 - each.group) for each in shuffled]
    again = choose_sets(renumbered, shares, seed)
    assert {m.name: s for m, s in zip(shuffled, again, strict=True)} == sets


@settings(max_examples=80, deadline=None)
@given(GROUPS, SHARES, SEED)
def test_shares_of_each_class_are_within_its_largest_group(
    groups: list[tuple[int, int]], given_shares: tuple[float, float], seed: int
) -> None:
    all_of = members(groups)
    shares = Shares(*given_shares).of(len(all_of))
    sets = choose_sets(all_of, shares, seed)
    largest: Counter[str] = Counter()
    for label, size in groups:
        largest[f"class {label}"] = max(largest[f"class {label}"], size)
    found = Counter((m.label, name) for m, name in zip(all_of, sets, strict=True))
    for label, number in Counter(m.label for m in all_of).items():
        for name in SETS:
            assert abs(found[label, name] - number * shares[name]) <= largest[label] + 1e-6


@settings(max_examples=80, deadline=None)
@given(GROUPS, GROUPS, SHARES)
def test_photos_stay_in_their_sets_when_others_are_added(
    first: list[tuple[int, int]], more: list[tuple[int, int]], given_shares: tuple[float, float]
) -> None:
    old = members(first)
    sets = choose_sets(old, Shares(*given_shares).of(len(old)))
    fixed = [replace(each, fixed=name) for each, name in zip(old, sets, strict=True)]
    added = [
        Member(f"new {n}", f"class {label}", group)  # some join existing groups
        for n, (label, group) in enumerate(more)
    ]
    again = choose_sets([*added, *fixed], Shares(*given_shares).of(len(old) + len(added)))
    assert again[len(added) :] == sets
    of_group = dict(zip((each.group for each in old), sets, strict=True))
    for member, name in zip(added, again, strict=False):
        assert name == of_group.setdefault(member.group, name)


def test_another_seed_makes_another_split() -> None:
    photos = members([(0, 1)] * 50)
    shares = Shares().of(50)
    assert choose_sets(photos, shares, 0) != choose_sets(photos, shares, 1)
    assert Counter(choose_sets(photos, shares, 1)) == {"train": 40, "val": 5, "test": 5}


def test_a_class_with_few_groups_is_trained_first() -> None:
    assert choose_sets(members([(0, 9)]), Shares().of(9)) == ["train"] * 9
    assert Counter(choose_sets(members([(0, 1)] * 2), Shares().of(2)))["train"] == 2


def test_small_classes_together_fill_validation_and_test() -> None:
    photos = members([(label, 1) for label in range(20) for _ in range(5)])
    found = Counter(choose_sets(photos, Shares().of(100)))
    assert found == {"train": 80, "val": 10, "test": 10}


@pytest.mark.parametrize(
    ("classes", "size", "val", "test", "found"),
    [(100, 3, 0.1, 0.1, (240, 30, 30)), (100, 2, 0.3, 0.2, (100, 60, 40)),
     (50, 2, 20, 25, (55, 20, 25)), (10, 3, 3, 3, (24, 3, 3)), (100, 1, 0.1, 0.1, (100, 0, 0)),
     (3, 8, 1, 0, (23, 1, 0)), (7, 13, 0.15, 0.15, (63, 14, 14)), (3, 8, 0.999, 0, (3, 21, 0))],
)  # fmt: skip
def test_sets_get_their_shares_of_all_photos_and_each_class_is_trained(
    classes: int, size: int, val: float, test: float, found: tuple[int, ...]
) -> None:
    photos = members([(label, 1) for label in range(classes) for _ in range(size)])
    sets = choose_sets(photos, Shares(val, test).of(len(photos)))
    counts = Counter(sets)
    assert (counts["train"], counts["val"], counts["test"]) == found
    trained = {photo.label for photo, name in zip(photos, sets, strict=True) if name == "train"}
    assert len(trained) == classes


def test_the_seed_decides_which_small_classes_are_validated() -> None:
    photos = members([(label, 1) for label in range(20) for _ in range(2)])
    shares = Shares(0.1, 0.1).of(40)
    assert len({tuple(choose_sets(photos, shares, seed)) for seed in range(4)}) == 4
    validated = {
        photo.label for seed in range(10)
        for photo, name in zip(photos, choose_sets(photos, shares, seed), strict=True)
        if name == "val"
    }  # fmt: skip
    assert len(validated) > 10


def test_a_new_photo_of_a_group_in_two_sets_gets_none() -> None:
    photos = [Member("a", "x", 0, "train"), Member("b", "x", 0, "test"), Member("c", "x", 0)]
    assert choose_sets(photos, Shares().of(3)) == ["train", "test", ""]


def test_numbers_of_photos_are_shares() -> None:
    assert Shares(20, 0.25).of(100) == {"train": pytest.approx(0.55), "val": 0.2, "test": 0.25}


@pytest.mark.parametrize("wrong", [(0.5, 0.5), (0.9, 0.2), (-0.1, 0.1), (1.5, 0), (90, 20)])
def test_shares_that_leave_nothing_or_make_no_sense_are_refused(
    wrong: tuple[float, float],
) -> None:
    with pytest.raises(InputError):
        Shares(*wrong).of(100)
