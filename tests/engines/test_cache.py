"""The names and descriptions of entries, on which models compiled by other versions depend."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from mnv2cli.engines import cache
from mnv2cli.engines.cache import compiled_as, describe_entry, entries, entry_key, open_entry
from mnv2cli.engines.calibration import Calibration
from mnv2cli.engines.compile import find_or_compile
from mnv2cli.events import ignore_notice
from mnv2cli.models.mobilenet_v2 import MobileNetV2

VERSIONS = {"keras": "3.13.0", "tensorflow": "2.20.0", "ai-edge-litert": "2.1.0"}

META = """{
 "network": "Stub",
 "basis": "9abcf13354d058f6c1a9abf2c02ef47ecc0d4ea7097eea02f2de54d556554fd7",
 "scores": 1,
 "divisor": 127.5,
 "shift": 1.0,
 "files": {
  "model.tflite": "a7dde3997f7e2a851fdbd1691bd8d19d07719e365be8016f136ff8ef6a847665"
 },
 "check": "f1489af8af0eb67d2fd37d1671c9e4adadd61009529961bdef212db0a2b8af0b"
}"""
"""The description that the first version with layout 4 writes for the entry below."""


class Stub:
    """A network whose identity never changes."""

    name, size, divisor, shift = "Stub", 96, 127.5, 1.0

    def identity(self) -> dict[str, str | float]:
        return {
            "architecture": "stub",
            "size": 96,
            "divisor": 127.5,
            "shift": 1.0,
            "weights": "ab" * 32,
        }

    def build(self) -> object:
        raise AssertionError("built")


def images(n: int) -> NDArray[np.uint8]:
    return np.zeros((n, 96, 96, 3), np.uint8)


@pytest.fixture
def known_versions(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cache, "installed_version", VERSIONS.__getitem__)


@pytest.mark.usefixtures("known_versions")
def test_keys_never_change_so_that_compiled_models_are_found() -> None:
    photos = Calibration("photos", lambda: images(1))
    assert cache.LAYOUT == 4
    assert entry_key(Stub(), "float32", None) == "mnv2-26431b8b07d417f3f85e12cf798ebab5"
    assert entry_key(Stub(), "int8", photos) == "mnv2-2e630173c345660938fdc4fdc5e7bd38"


@pytest.mark.usefixtures("known_versions")
def test_descriptions_never_change_so_that_compiled_models_are_opened(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MNV2_CACHE", str(tmp_path))
    folder = tmp_path / entry_key(Stub(), "float32", None)
    folder.mkdir()
    (folder / "model.tflite").write_bytes(b"TFL3")
    describe_entry(str(folder), Stub(), 1, ["model.tflite"])
    assert (folder / "meta.json").read_text() == META
    opened = open_entry(str(folder))
    assert opened is not None and opened.model == str(folder / "model.tflite")
    assert (opened.head, opened.scores, opened.divisor, opened.shift) == ("", 1, 127.5, 1.0)
    (listed,) = entries()
    assert (listed.network, listed.precision) == ("Stub", "float32")
    assert compiled_as(Stub(), [listed]) == ["float32"]


def test_the_key_depends_on_network_precision_calibration_and_versions(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, other = tmp_path / "one.h5", tmp_path / "other.h5"
    one.write_bytes(b"a")
    other.write_bytes(b"b")
    calibration = [Calibration(key, lambda: images(1)) for key in ("", "x")]
    networks = [
        MobileNetV2(alpha=alpha, size=size, weights=str(path))
        for alpha in (0.35, 0.5)
        for size in (96, 128)
        for path in (one, other)
    ]
    keys = [entry_key(n, "float32", None) for n in networks]
    keys += [entry_key(networks[0], "int8", c) for c in calibration]
    monkeypatch.setattr(cache, "installed_version", lambda name: "0")
    keys.append(entry_key(networks[0], "float32", None))
    assert len(set(keys)) == len(keys) == 11
    monkeypatch.undo()
    again = entry_key(MobileNetV2(alpha=0.35, size=96, weights=str(one)), "float32", None)
    assert again == keys[0]


def write_entry(cache_folder: Path, name: str, used: int) -> Path:
    """Write an entry that was last used at a time in seconds since 1970."""
    folder = cache_folder / name
    folder.mkdir()
    (folder / "model.tflite").write_bytes(b"TFL3")
    describe_entry(str(folder), Stub(), 1, ["model.tflite"])
    os.utime(folder / "meta.json", (used, used))
    return folder


def test_the_entry_that_was_used_last_is_removed_last(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MNV2_CACHE", str(tmp_path))
    oldest = write_entry(tmp_path, entry_key(Stub(), "float32", None), 1_000)
    others = [write_entry(tmp_path, f"mnv2-{i:032x}", 2_000 + i) for i in range(24)]
    find_or_compile(Stub(), "float32", None, ignore_notice)
    cache.make_room(str(tmp_path), "mnv2-new")
    assert oldest.exists() and [other.exists() for other in others] == [False] * 2 + [True] * 22


def test_an_entry_of_a_read_only_cache_is_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*args: object) -> None:
        raise OSError(30, "Read-only file system")

    monkeypatch.setenv("MNV2_CACHE", str(tmp_path))
    folder = write_entry(tmp_path, entry_key(Stub(), "float32", None), 1_000)
    monkeypatch.setattr(os, "utime", refuse)
    found = find_or_compile(Stub(), "float32", None, pytest.fail)
    assert found.model == str(folder / "model.tflite") and found.temporary is None
