"""Checkpoints are read without running code in them."""

from __future__ import annotations

import os
import pickle
import pickletools
from collections import OrderedDict
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mnv2cli.models.torch_checkpoint import read_checkpoint
from tests.checkpoints import Storage, Tensor, checkpoint, dump, tensor

LARGEST = 1 << 20


def read(path: Path, content: bytes) -> dict[str, Any]:
    path.write_bytes(content)
    return read_checkpoint(str(path), LARGEST)


def good() -> dict[str, Tensor]:
    base = np.arange(24, dtype="f4").reshape(2, 3, 4)
    return {
        "plain": tensor("a", np.array([1.5, -2.0], "f4")),
        "turned": tensor("b", base.transpose(2, 0, 1)),
        "count": tensor("c", np.array([9])),
        "part": Tensor(Storage("d", "FloatStorage", np.arange(10, dtype="f4")), (2, 2), (3, 1), 4),
        "scalar": Tensor(Storage("e", "LongStorage", np.array([5])), (), ()),
    }


def test_tensors_are_read_with_their_strides_and_offsets(tmp_path: Path) -> None:
    arrays = read(tmp_path / "w.pth", checkpoint(good()))
    assert arrays["plain"].tolist() == [1.5, -2.0]
    wanted = np.arange(24).reshape(2, 3, 4).transpose(2, 0, 1)
    assert np.array_equal(arrays["turned"], wanted) and arrays["turned"].flags.c_contiguous
    assert arrays["part"].tolist() == [[4, 5], [7, 8]]
    assert arrays["count"].dtype == np.int64 and arrays["scalar"] == 5


class Evil:
    """Runs a command when Python unpickles it."""

    def __init__(self, call: Any, *arguments: Any) -> None:
        self._call = call, arguments

    def __reduce__(self) -> Any:
        return self._call


@pytest.mark.parametrize("place", ["magic", "version", "machine", "state", "keys"])
@pytest.mark.parametrize(
    ("call", "name"),
    [(os.system, "posix.system"), (eval, "__builtin__.eval"), (getattr, "__builtin__.getattr")],
)
def test_a_pickle_that_names_a_function_is_refused(
    tmp_path: Path, place: str, call: Any, name: str
) -> None:
    ran = tmp_path / "ran"
    command = f"open({str(ran)!r}, 'w')" if call is eval else f"touch {ran}"
    evil = pickle.dumps(Evil(call, command), protocol=2)

    def edit(parts: dict[str, bytes]) -> None:
        parts[place] = evil

    with pytest.raises(ValueError, match=f"names '{name}': refused"):
        read(tmp_path / "w.pth", checkpoint(good(), edit=edit))
    assert not ran.exists()


def test_malicious_pickles_among_the_tensors_are_refused(tmp_path: Path) -> None:
    ran = tmp_path / "ran"
    state = dump(OrderedDict({**good(), "evil": Evil(os.system, f"touch {ran}")}))
    with pytest.raises(ValueError, match="refused"):
        read(tmp_path / "w.pth", checkpoint(good(), state=state))
    assert not ran.exists()


@pytest.mark.parametrize(
    ("state", "message"),
    [
        (b"\x80\x02cos\nsystem\n(X\x02\x00\x00\x00lstR.", "names 'os.system': refused"),
        (b"(S'ls'\nios\nsystem\n.", "contains the instruction STRING: refused"),
        (b"\x80\x04\x8c\x02os\x8c\x06system\x93.", "SHORT_BINUNICODE: refused"),
        (b"\x80\x02}r\xff\xff\xff\xff.", "belong to no tensor"),
        (b"\x80\x02K\x01.", "does not contain tensors by name"),
        (b"\x80\x02\x81.", "NEWOBJ: refused"),
        (b"\x80\x02]]]K", "is damaged"),
        (b"\x80\x02R.", "is damaged"),
        (b"\xff\xff\xff", "is damaged or not a PyTorch checkpoint"),
        (b"\x80\x02" + b"N0" * 10 + b".", "POP: refused"),
        (b"\x80\x02" + b"N" * 250_000 + b".", "far too many instructions"),
        # Deeply nested tuples: hashing or printing them would never end.
        (b"\x80\x02})" + b"q\x000h\x00h\x00\x86" * 60 + b"K\x01s.", "POP: refused|is damaged"),
        (b"\x80\x02}" + b")" + b"q\x00h\x00\x86" * 60 + b"K\x01s.", "is damaged"),
        (b"\x80\x02}]K\x01s.", "is damaged"),
        (
            b"\x80\x02ccollections\nOrderedDict\n)R}X\x05\x00\x00\x00itemsNsb.",
            "belong to no tensor",
        ),
    ],
)
def test_pickles_with_other_instructions_are_refused(
    tmp_path: Path, state: bytes, message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        read(tmp_path / "w.pth", checkpoint(good(), state=state))


def test_a_file_truncated_anywhere_is_an_error(tmp_path: Path) -> None:
    whole = checkpoint(good())
    read(tmp_path / "w.pth", whole)
    for length in range(len(whole)):
        with pytest.raises(ValueError, match=r"is truncated|is empty"):
            read(tmp_path / "w.pth", whole[:length])


def storage(count: int = 4, kind: str = "FloatStorage") -> Storage:
    return Storage("a", kind, np.zeros(count, "f4"))


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        (Tensor(storage(), (3, 2), (2, 1)), "larger than its numbers"),
        (Tensor(storage(), (2, 2), (2, 1), 1), "larger than its numbers"),
        (Tensor(storage(), (1 << 40,), (0,)), "larger than its numbers"),
        (Tensor(storage(), (2,), (-1,), 3), "contains an invalid tensor"),
        (Tensor(storage(), (2, 2), (1,)), "contains an invalid tensor"),
        (Tensor(storage(), ("2",), (1,)), "contains an invalid tensor"),  # type: ignore[arg-type]
        (Tensor(storage(kind="HalfStorage"), (2,), (1,)), "names 'torch.HalfStorage'"),
        (Tensor("a", (2,), (1,)), "contains an invalid tensor"),  # type: ignore[arg-type]
    ],
)
def test_tensors_larger_than_their_storage_are_refused(
    tmp_path: Path, bad: Tensor, message: str
) -> None:
    state = dump(OrderedDict(bad=bad))
    with pytest.raises(ValueError, match=message):
        read(tmp_path / "w.pth", checkpoint({"a": tensor("a", np.zeros(4, "f4"))}, state=state))


@pytest.mark.parametrize(
    ("part", "content", "message"),
    [
        ("magic", dump(7), "is not a PyTorch checkpoint"),
        ("version", dump(1002), "unknown version"),
        ("machine", dump({"little_endian": False}), "little-endian"),
        ("keys", dump(["a", "b", "c"]), "truncated|counts differ|lacks the numbers"),
        ("keys", dump(["a", "b", "c", "d", "x"]), "belong to no tensor"),
        ("numbers", (1 << 62).to_bytes(8, "little"), "truncated|counts differ"),
    ],
)
def test_parts_that_do_not_match_are_refused(
    tmp_path: Path, part: str, content: bytes, message: str
) -> None:
    def edit(parts: dict[str, bytes]) -> None:
        parts[part] = content

    with pytest.raises(ValueError, match=message):
        read(tmp_path / "w.pth", checkpoint(good(), edit=edit))


def test_other_files_are_distinguished_from_checkpoints(tmp_path: Path) -> None:
    for content, message in [
        (b"", "is empty"),
        (b"PK\x03\x04", "newer ZIP format"),
        (b"<html>", "not a PyTorch checkpoint|refused"),
        (b"x" * (LARGEST + 1), "far too large for these weights"),
    ]:
        with pytest.raises(ValueError, match=message):
            read(tmp_path / "w.pth", content)


def test_the_malicious_pickles_of_these_tests_work(tmp_path: Path) -> None:
    ran = tmp_path / "ran"
    evil = pickle.dumps(Evil(os.system, f"touch {ran}"), protocol=2)
    assert any(op.name == "REDUCE" for op, _, _ in pickletools.genops(evil))
    pickle.loads(evil)
    assert ran.exists()
