"""Damaged images by the thousand: each gives pixels or a reason, in bounded time and memory.

``--fuzz-inputs N`` sets their number, ``--fuzz-seed S`` selects others.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest

from mnv2cli.engines.options import EngineOptions
from mnv2cli.errors import ImageError
from mnv2cli.images import raw_reader
from mnv2cli.images.child import BYTES_PER_PIXEL
from mnv2cli.images.decode import decode, set_process_limit
from mnv2cli.images.isolated import IsolatedDecoders
from mnv2cli.images.options import ImageOptions
from mnv2cli.images.renditions import NetworkInput
from mnv2cli.images.unsupported import RawPhotoError
from mnv2cli.inference.classifier import Classifier
from mnv2cli.models.options import ModelOptions
from tests.conftest import FakeEngine
from tests.images.fuzz import Mutator, bases

SIZE = 32
PIXELS = 1_000_000
SECONDS = 10.0
LIBRARIES = 64 << 20  # code and tables of decoders that are loaded at their first image
OPTIONS = (
    ImageOptions(max_pixels=PIXELS, timeout=SECONDS),
    ImageOptions("pad", "nearest", PIXELS, allow_truncated=True, timeout=SECONDS),
)
FATAL = ("crashed the decoder", "took too long")


@pytest.fixture(scope="module")
def mutator() -> Mutator:
    return Mutator(bases())


@dataclass
class Found:
    """The findings of one thread."""

    reasons: Counter[str] = field(default_factory=Counter)
    formats: Counter[str] = field(default_factory=Counter)
    bad: list[str] = field(default_factory=list)
    slowest: float = 0.0
    peak: int = 0  # bytes


def peak_memory(decoders: IsolatedDecoders) -> int:
    """Return the peak memory of the children in bytes; 0 except on Linux."""
    peaks = [0]
    for child in list(decoders._children):
        try:
            status = Path(f"/proc/{child.process.pid}/status").read_text()
        except OSError:
            continue
        peaks += [int(line.split()[1]) << 10 for line in status.splitlines() if "VmHWM" in line]
    return max(peaks)


def run(mutator: Mutator, numbers: range, options: ImageOptions, folder: Path) -> Found:
    """Decode damaged images in a separate process, and record the failures."""
    found = Found()
    with closing(IsolatedDecoders(SIZE, options)) as decoders:
        path = folder / f"{numbers.start}"
        path.write_bytes(b"")
        with pytest.raises(ImageError):
            decoders(str(path))
        limit = peak_memory(decoders) + LIBRARIES + BYTES_PER_PIXEL * PIXELS
        for number in numbers:
            name, data = mutator.make(number)
            path.write_bytes(data)
            wrong = ""
            start = time.perf_counter()
            try:
                if number % 5 == 0:
                    decoders.taken_at(str(path))
                pixels = decoders(str(path))
                reason = "pixels"
                if pixels.shape != (SIZE, SIZE, 3) or pixels.dtype != np.uint8:
                    wrong = f"{pixels.dtype} {pixels.shape}"
            except ImageError as error:
                reason = error.reason
                if reason in FATAL or not reason or "\n" in str(error):
                    wrong = str(error)
            found.slowest = max(found.slowest, time.perf_counter() - start)
            peak = peak_memory(decoders)
            if peak > limit >= found.peak:
                wrong = f"{peak:,} bytes of memory, over {limit:,}"
            found.peak = max(found.peak, peak)
            found.reasons[reason] += 1
            found.formats[name.split()[0]] += 1
            if wrong:
                (folder / f"bad-{number}").write_bytes(data)
                found.bad.append(f"{number} ({name}, {options.fit}): {wrong}")
    return found


def test_damaged_images_give_pixels_or_a_reason(
    mutator: Mutator,
    tmp_path: Path,
    pytestconfig: pytest.Config,
    record_property: Callable[[str, object], None],
) -> None:
    count = pytestconfig.getoption("fuzz_inputs")
    first = pytestconfig.getoption("fuzz_seed") * 1_000_000_000
    start = time.monotonic()
    with ThreadPoolExecutor(len(OPTIONS)) as pool:
        parts = [range(first + i, first + count, len(OPTIONS)) for i in range(len(OPTIONS))]
        runs = list(pool.map(run, [mutator] * len(OPTIONS), parts, OPTIONS, [tmp_path] * 2))
    seconds = time.monotonic() - start
    formats = sum((found.formats for found in runs), Counter[str]())
    reasons = sum((found.reasons for found in runs), Counter[str]())
    counts = ", ".join(f"{name} {number:,}" for name, number in formats.items())
    record_property(
        "report",
        f"{formats.total():,} damaged images ({counts}) in {seconds:.0f} s; "
        f"the slowest {max(found.slowest for found in runs):.2f} s, "
        f"peak memory {max(found.peak for found in runs) / 1e6:.0f} MB; "
        f"{', '.join(f'{reason} {number:,}' for reason, number in reasons.most_common())}",
    )
    assert [bad for found in runs for bad in found.bad] == [], tmp_path
    assert formats.total() == count and len(formats) >= 19
    assert reasons["pixels"] > count / 20 and reasons["damaged"] > count / 20


def test_undamaged_images_are_all_read(mutator: Mutator, tmp_path: Path) -> None:
    path = tmp_path / "image"
    for name, data in bases().items():
        path.write_bytes(data)
        if "raw" in name:
            with pytest.raises(RawPhotoError) as found:
                decode(str(path), SIZE, OPTIONS[0])
            if name.startswith("raw") and raw_reader.is_available():
                pixels = raw_reader.decode_raw_as(
                    str(path), NetworkInput(SIZE, OPTIONS[0]), OPTIONS[0], found.value
                )
                assert pixels.shape == (SIZE, SIZE, 3)
            continue
        assert decode(str(path), SIZE, OPTIONS[0]).shape == (SIZE, SIZE, 3)


def rows(
    folder: Path, engine: EngineOptions, *, isolate: bool = False
) -> Iterator[tuple[str, object]]:
    classifier = Classifier(
        top=2,
        model=ModelOptions("mobilenet_v2", size=96),
        engine=engine,
        images=ImageOptions(max_pixels=PIXELS, isolate=isolate),
    )
    for record in classifier.classify(folder):
        yield record.path, record.error or record.predictions


@pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")
def test_each_row_belongs_to_its_file(
    mutator: Mutator, tmp_path: Path, fake_engine: FakeEngine
) -> None:
    for number in range(300):
        (tmp_path / f"{number}.jpg").write_bytes(mutator.make(number)[1])
    set_process_limit(PIXELS)  # as the command does, and every process for decoding
    together = list(rows(tmp_path, EngineOptions(threads=4, batch_size=3), isolate=True))
    assert [Path(path).name for path, _ in together] == [f"{n}.jpg" for n in range(300)]
    assert together == list(rows(tmp_path, EngineOptions(threads=3, batch_size=2)))
    results = set()
    for path, result in together:
        ((_, alone),) = rows(Path(path), EngineOptions())
        assert result == alone
        results.add(str(result))
    assert len(results) > 50  # so that mixed-up rows would be noticed
