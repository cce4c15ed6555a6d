"""Two runs that may change the same files refuse each other."""

from __future__ import annotations

from pathlib import Path
from threading import Timer

import pytest
from filelock import FileLock

from mnv2cli.errors import InputError
from mnv2cli.journals.folder import locked
from mnv2cli.journals.tree import check_unused, locked_tree
from mnv2cli.tagging.apply import apply
from mnv2cli.tagging.undo import undo
from tests.sorting.trees import snapshot
from tests.tagging.trees import make, plan_of


def test_a_run_refuses_while_another_uses_a_folder_of_its_files(tmp_path: Path) -> None:
    root = tmp_path / "photos"
    files = make(root)
    before = snapshot(root, journals=False)
    for folder in (root, tmp_path, root / "sub0"):
        (folder / ".mnv2").mkdir(exist_ok=True)
        with locked(str(folder)), pytest.raises(InputError, match="another mnv2 process"):
            apply(plan_of(root, files))
    assert {path: found[1] for path, found in snapshot(root, journals=False).items()} == {
        path: found[1] for path, found in before.items()
    }
    (root / "other" / ".mnv2").mkdir(parents=True)
    with locked(str(root / "other")):  # none of its files
        assert apply(plan_of(root, files)).done == 4
    for folder in (root, tmp_path, root / "sub0"):
        with locked(str(folder)), pytest.raises(InputError, match="another mnv2 process"):
            undo(str(root))
    undo(str(root))


def test_of_two_nested_runs_at_least_one_refuses(tmp_path: Path) -> None:
    upper, lower = tmp_path, tmp_path / "a" / "b"
    for folder in (upper, lower):
        (folder / ".mnv2").mkdir(parents=True)
    with (
        locked_tree(str(upper), [str(lower)]),
        pytest.raises(InputError),
        locked_tree(str(lower), []),
    ):
        pass
    with (
        locked_tree(str(lower), []),
        pytest.raises(InputError),
        locked_tree(str(upper), [str(lower / "c")]),
    ):
        pass
    check_unused(str(lower))
    check_unused(str(upper), [str(lower)])


def test_a_lock_that_is_not_held_or_a_link_does_not_prevent_a_run(tmp_path: Path) -> None:
    own = tmp_path / ".mnv2"
    own.mkdir()
    with locked(str(tmp_path)):
        pass
    check_unused(str(tmp_path / "sub"))
    (own / "lock").unlink()
    (own / "lock").symlink_to(tmp_path / "none")
    check_unused(str(tmp_path / "sub"))
    assert not (tmp_path / "none").exists()


def test_a_refused_run_leaves_the_folder_as_it_was(tmp_path: Path) -> None:
    root = tmp_path / "photos"
    files = make(root)
    (tmp_path / ".mnv2").mkdir()
    before = snapshot(root)
    with locked(str(tmp_path)), pytest.raises(InputError, match="another mnv2 process"):
        apply(plan_of(root, files))
    assert snapshot(root) == before


def test_a_run_that_only_looks_at_a_lock_refuses_no_other(tmp_path: Path) -> None:
    (tmp_path / ".mnv2").mkdir()
    for look in (
        lambda: check_unused(str(tmp_path / "photos")),
        lambda: locked(str(tmp_path)).__enter__(),
    ):
        lock = FileLock(tmp_path / ".mnv2" / "lock", thread_local=False)
        lock.acquire()
        timer = Timer(0.02, lock.release)
        timer.start()
        look()
        timer.join()
