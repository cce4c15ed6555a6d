"""The cache of features: by content, for threads and processes, and never in the way."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from time import sleep, time

import numpy as np
import pytest
from numpy.typing import NDArray

from mnv2cli.errors import OutputError
from mnv2cli.inference import feature_cache
from mnv2cli.inference.feature_cache import FeatureCache
from mnv2cli.inference.feature_database import NAME, remove_features
from tests.conftest import image_bytes

SIZE = 8
AS_ROOT = hasattr(os, "geteuid") and os.geteuid() == 0


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache folder; its database."""
    folder = tmp_path / "cache"
    monkeypatch.setenv("MNV2_CACHE", str(folder))
    return folder / NAME


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    """A photo that is an hour old in every respect but its inode."""
    return old(tmp_path / "photo.png")


@pytest.fixture
def settled(monkeypatch: pytest.MonkeyPatch) -> None:
    """Count new files as old enough to be known by their times."""
    monkeypatch.setattr(feature_cache, "_YOUNG", -1e9)


def old(path: Path, red: int = 7) -> Path:
    path.write_bytes(image_bytes(red))
    os.utime(path, (time() - 3600,) * 2)
    return path


def features(value: float = 1.0) -> NDArray[np.float32]:
    return np.arange(SIZE, dtype=np.float32) + np.float32(value)


def put(path: Path, value: float = 1.0, key: str = "net") -> None:
    with closing(FeatureCache(key, SIZE)) as cache:
        assert cache.find(str(path)) is None
        cache.add(str(path), features(value))


def found(path: Path | str, key: str = "net", size: int = SIZE) -> NDArray[np.float32] | None:
    with closing(FeatureCache(key, size)) as cache:
        return cache.find(str(path))


def test_features_are_found_again_by_another_process_object(photo: Path) -> None:
    put(photo)
    again = found(photo)
    assert again is not None and again.dtype == np.float32
    assert again.tolist() == features().tolist()
    assert again.flags.writeable


def test_features_are_found_under_another_name(photo: Path, tmp_path: Path) -> None:
    put(photo)
    copy = tmp_path / "copy.png"
    copy.write_bytes(photo.read_bytes())
    assert found(copy) is not None


@pytest.mark.parametrize(("key", "size"), [("other", SIZE), ("net", SIZE + 1)])
def test_features_of_another_network_are_not_found(photo: Path, key: str, size: int) -> None:
    put(photo)
    assert found(photo, key, size) is None


def test_unchanged_photo_is_not_read_again(
    photo: Path, settled: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(photo)
    monkeypatch.setattr(feature_cache, "content_digest", lambda path: pytest.fail("read"))
    assert found(photo) is not None


def test_young_photo_is_read_again_and_found_by_its_content(photo: Path) -> None:
    stat = photo.stat()
    photo.write_bytes(image_bytes(8))
    put(photo)
    content = photo.read_bytes()
    photo.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))  # same size, at almost the same time
    os.utime(photo, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    assert found(photo) is None


@pytest.mark.usefixtures("settled")
def test_changed_photo_is_not_found(photo: Path) -> None:
    put(photo)
    photo.write_bytes(image_bytes(9))
    assert found(photo) is None


@pytest.mark.parametrize("young", [2.0, -1e9])
def test_photo_that_changes_while_it_is_decoded_is_not_stored(
    photo: Path, young: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feature_cache, "_YOUNG", young)
    before = photo.read_bytes()
    with closing(FeatureCache("net", SIZE)) as cache:
        assert cache.find(str(photo)) is None
        photo.write_bytes(image_bytes(9) + b"more")
        cache.add(str(photo), features())
    photo.write_bytes(before)
    assert found(photo) is None


@pytest.mark.parametrize(
    "path", ["https://example.org/a.jpg", "zip://a.jpg::b.zip", "missing.jpg", ".", "a\0b"]
)
def test_what_is_not_a_local_file_is_never_found(path: str) -> None:
    with closing(FeatureCache("net", SIZE)) as cache:
        assert cache.find(path) is None
        cache.add(path, features())
        assert cache.find(path) is None


@pytest.mark.parametrize("content", [b"short", np.full(SIZE, np.nan, "<f4").tobytes()])
def test_wrong_stored_features_are_a_miss(photo: Path, cache: Path, content: bytes) -> None:
    put(photo)
    with closing(sqlite3.connect(cache)) as database, database:
        database.execute("UPDATE features SET content = ?", (content,))
    assert found(photo) is None


def test_infinite_features_are_not_stored(photo: Path) -> None:
    with closing(FeatureCache("net", SIZE)) as cache:
        cache.find(str(photo))
        cache.add(str(photo), features(np.inf))
    assert found(photo) is None


def test_path_that_is_not_utf8_is_cached(tmp_path: Path, settled: None) -> None:
    path = os.fsdecode(os.fsencode(tmp_path) + b"/\xff.png")
    try:
        old(Path(path))
    except OSError:
        pytest.skip("the file system only has names in UTF-8")
    put(Path(path))
    assert found(path) is not None


def test_least_recently_used_features_are_removed(
    tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    size, limit = 1280, 1 << 20
    monkeypatch.setattr(feature_cache, "_SHRINK_ROWS", 100)
    photos = [old(tmp_path / f"{i}.png", i % 256) for i in range(200)]
    vector = np.ones(size, np.float32)
    with closing(FeatureCache("net", size, limit)) as store:
        for photo in photos:
            store.find(str(photo))
            store.add(str(photo), vector)
    with closing(sqlite3.connect(cache)) as database, database:
        database.execute("UPDATE features SET used = 1000 + id")
        newest = database.execute("SELECT MAX(id) FROM features").fetchone()[0]
    more = [old(tmp_path / f"more{i}.png", 200 + i) for i in range(50)]
    with closing(FeatureCache("net", size, limit)) as store:
        for photo in more:
            store.find(str(photo))
            store.add(str(photo), vector)
    with closing(sqlite3.connect(cache)) as database:
        ids = [row[0] for row in database.execute("SELECT id FROM features ORDER BY id")]
    assert cache.stat().st_size <= 1.1 * limit
    assert newest in ids and 1 not in ids
    assert all(found(photo, size=size) is not None for photo in more)


def test_a_use_after_an_hour_is_recorded(photo: Path, cache: Path) -> None:
    put(photo)
    with closing(sqlite3.connect(cache)) as database, database:
        database.execute("UPDATE features SET used = 5")
    assert found(photo) is not None
    with closing(sqlite3.connect(cache)) as database:
        assert database.execute("SELECT used FROM features").fetchone()[0] > 5


@pytest.mark.parametrize("damage", ["text", "middle", "truncated", "other", "empty"])
def test_damaged_database_is_begun_anew(photo: Path, cache: Path, damage: str) -> None:
    put(photo)
    content = bytearray(cache.read_bytes())
    if damage == "text":
        cache.write_bytes(b"this is not a database " * 100)
    elif damage == "middle":
        content[100:] = b"\xff" * (len(content) - 100)
        cache.write_bytes(content)
    elif damage == "truncated":
        cache.write_bytes(content[: len(content) // 2])
    elif damage == "empty":
        cache.write_bytes(b"")
    else:
        cache.unlink()
        with closing(sqlite3.connect(cache)) as database:
            database.execute("CREATE TABLE music (title)")
    notices: list[str] = []
    with closing(FeatureCache("net", SIZE, notify=notices.append)) as store:
        assert store.find(str(photo)) is None
        store.add(str(photo), features())
    assert not notices
    assert found(photo) is not None
    assert (damage == "empty") != Path(f"{cache}.damaged").exists()


@pytest.mark.skipif(AS_ROOT, reason="root may write anywhere")
def test_read_only_folder_is_a_miss_with_one_notice(photo: Path, cache: Path) -> None:
    put(photo)
    cache.chmod(0o400)
    cache.parent.chmod(0o500)
    try:
        _check_read_only(photo)
    finally:
        cache.parent.chmod(0o700)


def _check_read_only(photo: Path) -> None:
    notices: list[str] = []
    other = old(photo.parent / "other.png", 9)
    with closing(FeatureCache("net", SIZE, notify=notices.append)) as store:
        assert store.find(str(photo)) is not None
        assert store.find(str(other)) is None
        store.add(str(other), features())
        store._flush()
        assert store.find(str(photo)) is not None
    assert len(notices) == 1 and "will not be cached" in notices[0]


@pytest.mark.parametrize("kind", ["file", "link"])
def test_unusable_folder_is_a_miss_with_one_notice(
    photo: Path, cache: Path, tmp_path: Path, kind: str
) -> None:
    if kind == "file":
        cache.parent.write_bytes(b"")
    else:
        cache.parent.mkdir()
        (cache.parent / NAME).mkdir()
    notices: list[str] = []
    with closing(FeatureCache("net", SIZE, notify=notices.append)) as store:
        assert store.find(str(photo)) is None
        store.add(str(photo), features())
        assert store.find(str(photo)) is None
    assert len(notices) == 1 and "cannot be used" in notices[0]


def test_full_disk_is_a_miss_with_one_notice(photo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*args: object) -> None:
        raise sqlite3.OperationalError("database or disk is full")

    monkeypatch.setattr("mnv2cli.inference.feature_database.FeatureDatabase.write", full)
    notices: list[str] = []
    with closing(FeatureCache("net", SIZE, notify=notices.append)) as store:
        store.find(str(photo))
        store.add(str(photo), features())
        store._flush()
        store.find(str(photo))
        store.add(str(photo), features())
    assert notices == ["features will not be cached: database or disk is full"]


@pytest.mark.skipif(not hasattr(os, "geteuid"), reason="files have no owner here")
def test_file_of_another_user_is_not_used(photo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put(photo)
    monkeypatch.setattr(os, "geteuid", lambda: 4321)
    if AS_ROOT:
        os.chown(os.path.join(os.environ["MNV2_CACHE"], NAME), 4322, -1)
    notices: list[str] = []
    with closing(FeatureCache("net", SIZE, notify=notices.append)) as store:
        assert store.find(str(photo)) is None
    assert notices == ["the feature cache cannot be used: it belongs to another user"]


@pytest.mark.skipif(os.name == "nt", reason="Windows has other permissions")
def test_only_the_user_may_read_the_database(photo: Path, cache: Path) -> None:
    put(photo)
    assert cache.stat().st_mode & 0o077 == 0


def test_locked_database_is_a_miss_and_rows_wait(
    photo: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mnv2cli.inference.feature_database._WAIT", 0.05)
    notices: list[str] = []
    with closing(FeatureCache("net", SIZE, notify=notices.append)) as store:
        store.find(str(photo))
        store.add(str(photo), features())
        with closing(sqlite3.connect(cache, isolation_level=None)) as other:
            other.execute("BEGIN EXCLUSIVE")
            store._flush()
            assert store.find(str(photo)) is None
            other.execute("ROLLBACK")
    assert not notices
    assert found(photo) is not None


def test_threads_share_a_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feature_cache, "_FLUSH_ROWS", 3)
    photos = [old(tmp_path / f"{i}.png", i) for i in range(60)]
    with closing(FeatureCache("net", SIZE)) as store:
        errors: list[BaseException] = []

        def work(offset: int) -> None:
            try:
                for i in range(60):
                    at = (i + offset) % 60
                    known = store.find(str(photos[at]))
                    assert known is None or known[0] == at
                    if known is None:
                        store.add(str(photos[at]), features(at))
            except BaseException as error:
                errors.append(error)

        threads = [threading.Thread(target=work, args=(10 * i,)) for i in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert not errors
    for i, photo in enumerate(photos):
        known = found(photo)
        assert known is not None and known[0] == i


WRITER = """
import sys
from pathlib import Path
import numpy as np
from mnv2cli.inference import feature_cache
feature_cache._FLUSH_ROWS = 4
cache = feature_cache.FeatureCache("net", 8, notify=print)
print("ready", flush=True)
while True:
    for path in sorted(Path(sys.argv[1]).glob("*.png")):
        if cache.find(str(path)) is None:
            cache.add(str(path), np.full(8, int(path.stem), np.float32))
    if sys.argv[2] == "once":
        break
    cache.close()
    cache = feature_cache.FeatureCache(str(np.random.rand()), 8, notify=print)
cache.close()
"""


def start(folder: Path, mode: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", WRITER, str(folder), mode], stdout=subprocess.PIPE, text=True
    )


@pytest.fixture
def sixty(tmp_path: Path) -> Iterator[list[Path]]:
    """Sixty photos of different content."""
    (tmp_path / "many").mkdir()
    yield [old(tmp_path / "many" / f"{i}.png", i) for i in range(60)]


def test_two_processes_share_a_cache(sixty: list[Path]) -> None:
    runs = [start(sixty[0].parent, "once") for _ in range(2)]
    outputs = [run.communicate()[0] for run in runs]
    assert [run.returncode for run in runs] == [0, 0]
    assert outputs == ["ready\n", "ready\n"]
    for i, photo in enumerate(sixty):
        known = found(photo)
        assert known is not None and known[0] == i


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="no SIGKILL here")
def test_killed_process_leaves_a_sound_database(sixty: list[Path], cache: Path) -> None:
    for wait in (0.02, 0.05, 0.1, 0.15):
        with start(sixty[0].parent, "forever") as run:
            assert run.stdout is not None and run.stdout.readline() == "ready\n"
            sleep(wait)
            run.send_signal(signal.SIGKILL)
        notices: list[str] = []
        with closing(FeatureCache("net", SIZE, notify=notices.append)) as store:
            for i, photo in enumerate(sixty):
                known = store.find(str(photo))
                assert known is None or known[0] == i
        assert not notices
    with closing(sqlite3.connect(cache)) as database:
        assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    assert not Path(f"{cache}.damaged").exists()


def test_removed_cache_is_measured_and_gone(photo: Path, cache: Path) -> None:
    assert remove_features() == 0
    put(photo)
    size = cache.stat().st_size
    assert remove_features(dry_run=True) == size
    assert cache.exists()
    assert remove_features() == size
    assert not cache.exists()
    put(photo)


def test_damaged_cache_is_removed(photo: Path, cache: Path) -> None:
    put(photo)
    cache.write_bytes(b"damaged")
    assert remove_features() == 7
    assert not cache.exists()


def test_cache_in_use_is_not_removed(
    photo: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mnv2cli.inference.feature_database._WAIT", 0.05)
    put(photo)
    with closing(sqlite3.connect(cache, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(OutputError, match="another run is writing"):
            remove_features()
    assert found(photo) is not None
