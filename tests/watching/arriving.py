"""Photos that arrive in a folder in the ways in which programs write files."""

from __future__ import annotations

import hashlib
import os
import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from tests.conftest import image_bytes


def numbered(photo: bytes, number: int) -> bytes:
    """Return a JPEG with a comment, so that no two have the same content."""
    text = f"number {number}".encode()
    comment = b"\xff\xfe" + (len(text) + 2).to_bytes(2, "big") + text
    return photo[:2] + comment + photo[2:]


def drawn(count: int) -> Iterator[bytes]:
    """Yield JPEGs of one colour."""
    for i in range(count):
        yield numbered(image_bytes(i % 8, "JPEG"), i)


@dataclass
class Arriving:
    """Writes photos into a folder, several at a time.

    Args:
        folder: The folder.
        rng: Decides how, and when.
        pause: The longest pause between two writes, in seconds.

    Attributes:
        completed: When each photo was complete, by its name, in seconds since 1970.
        digests: The content of each photo.
    """

    folder: Path
    rng: random.Random
    pause: float = 0.3
    completed: dict[str, float] = field(default_factory=dict)
    digests: dict[str, str] = field(default_factory=dict)

    def write(self, photos: Iterable[bytes], writers: int = 4) -> None:
        """Write photos, and return once all are complete."""
        lock = threading.Lock()
        numbered_photos = iter(enumerate(photos))
        ways: list[Callable[[Path, bytes], None]] = [
            self._slowly, self._in_stages, self._renamed, self._like_rsync, self._like_a_browser,
        ]  # fmt: skip

        def work() -> None:
            while True:
                with lock:
                    number, photo = next(numbered_photos, (-1, b""))
                    way = ways[number % len(ways)]
                if number < 0:
                    return
                folder = self.folder / f"sub{number % 3}" if number % 4 == 0 else self.folder
                folder.mkdir(exist_ok=True)
                path = folder / f"img{number:04}.jpg"
                self.digests[path.name] = hashlib.sha256(photo).hexdigest()
                way(path, photo)
                self.completed[path.name] = time.time()

        threads = [threading.Thread(target=work) for _ in range(writers)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    def _pause(self) -> None:
        time.sleep(self.rng.uniform(0, self.pause))

    def _pieces(self, photo: bytes) -> list[bytes]:
        cuts = sorted(self.rng.sample(range(1, len(photo)), 3))
        return [photo[a:b] for a, b in zip([0, *cuts], [*cuts, len(photo)], strict=True)]

    def _slowly(self, path: Path, photo: bytes) -> None:
        with open(path, "wb", buffering=0) as file:
            for piece in self._pieces(photo):
                file.write(piece)
                self._pause()

    def _in_stages(self, path: Path, photo: bytes) -> None:
        for piece in self._pieces(photo):
            with open(path, "ab") as file:
                file.write(piece)
            self._pause()

    def _renamed(self, path: Path, photo: bytes) -> None:
        elsewhere = self.folder.parent / f"elsewhere-{path.name}"
        elsewhere.write_bytes(photo)
        os.rename(elsewhere, path)

    def _like_rsync(self, path: Path, photo: bytes) -> None:
        temporary = path.with_name(f".{path.name}.{self.rng.randrange(10**6):06}")
        self._slowly(temporary, photo)
        os.utime(temporary, (1_500_000_000, 1_500_000_000))
        os.rename(temporary, path)

    def _like_a_browser(self, path: Path, photo: bytes) -> None:
        suffix = self.rng.choice([".part", ".crdownload", "~"])
        temporary = path.with_name(path.name + suffix)
        self._slowly(temporary, photo)
        os.rename(temporary, path)


def sorted_files(dest: Path) -> list[Path]:
    """Return the files that were sorted into a destination."""
    return [p for p in dest.rglob("*") if p.is_file() and ".mnv2" not in p.parts]


def faults(arriving: Arriving, dest: Path) -> list[str]:
    """Return what is wrong in a destination: photos that are not there exactly once, and whole."""
    found = Counter(hashlib.sha256(p.read_bytes()).hexdigest() for p in sorted_files(dest))
    wrong = [
        f"{name}: {found[digest]} times"
        for name, digest in arriving.digests.items()
        if found[digest] != 1
    ]
    known = set(arriving.digests.values())
    return wrong + [f"{digest}: not a photo" for digest in found if digest not in known]


def latencies(arriving: Arriving, dest: Path) -> list[float]:
    """Return for how many seconds photos were complete until they were in the destination."""
    return sorted(
        path.stat().st_ctime - arriving.completed[path.name] for path in sorted_files(dest)
    )
