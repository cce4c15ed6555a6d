"""Decoders in separate processes: what they survive, and how they end."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from mnv2cli.errors import ImageError, Mnv2Error
from mnv2cli.images.decode import decode
from mnv2cli.images.isolated import IsolatedDecoders
from mnv2cli.images.options import ImageOptions
from tests.conftest import draw
from tests.decoders import children, command

SIZE = 32
NO_LIMIT = ImageOptions(timeout=0)
OPTIONS = ImageOptions(timeout=1)


@pytest.fixture
def decoders() -> Iterator[IsolatedDecoders]:
    with closing(IsolatedDecoders(SIZE, OPTIONS, command=command())) as decoders:
        yield decoders


@pytest.fixture
def image(tmp_path: Path) -> str:
    return str(draw(tmp_path / "image.png", (10, 20, 30)))


def error_of(decoders: IsolatedDecoders, path: Path | str) -> str:
    with pytest.raises(ImageError) as caught:
        decoders(str(path))
    return str(caught.value)


def open_files() -> int:
    return len(os.listdir("/proc/self/fd"))


def is_alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def wait_until(condition: Callable[[], bool], seconds: float = 10.0) -> bool:
    end = time.monotonic() + seconds
    while not condition() and time.monotonic() < end:
        time.sleep(0.02)
    return condition()


def test_pixels_and_errors_equal_those_of_decoding_in_process(tmp_path: Path, image: str) -> None:
    unusual = draw(tmp_path / os.fsdecode(b"unusual\n\xff.png"), (1, 2, 3))
    text = tmp_path / "text.png"
    text.write_text("hello")
    with closing(IsolatedDecoders(SIZE, NO_LIMIT)) as decoders:
        for path in (image, str(unusual)):
            pixels = decoders(path)
            assert pixels.dtype == np.uint8 and np.array_equal(pixels, decode(path, SIZE, OPTIONS))
        for bad in (text, tmp_path / "none.png", tmp_path, "\0"):
            with pytest.raises(ImageError) as caught:
                decode(str(bad), SIZE, OPTIONS)
            assert error_of(decoders, bad) == str(caught.value)
        assert decoders.taken_at(image) == ""


def test_options_reach_the_child(tmp_path: Path) -> None:
    path = str(draw(tmp_path / "a.png", (9, 9, 9), size=(40, 10)))
    options = ImageOptions("pad", "nearest", 400, True, timeout=0)
    with closing(IsolatedDecoders(24, options)) as decoders:
        assert np.array_equal(decoders(path), decode(path, 24, options))
    with closing(IsolatedDecoders(224, ImageOptions(max_pixels=399, timeout=0))) as decoders:
        assert error_of(decoders, path) == "too many pixels: 400 is over 399"


def test_images_over_the_limit_of_pillow_are_decoded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = str(draw(tmp_path / "a.png", 1, size=(15_000, 12_000), mode="1"))
    with closing(IsolatedDecoders(SIZE, NO_LIMIT)) as decoders:
        assert decoders(path).shape == (32, 32, 3)


@pytest.mark.parametrize(
    ("name", "error"),
    [
        ("boom.jpg", "crashed the decoder: signal 11, SIGSEGV"),
        ("abort.jpg", "crashed the decoder: signal 6, SIGABRT"),
        ("exit.jpg", "crashed the decoder: exit code 7"),
        ("wrong.png", "crashed the decoder: invalid answer"),
        ("greedy.jpg", "not enough memory"),
        ("hang.jpg", "took too long: over 1 second"),
        ("lock.jpg", "took too long: over 1 second"),
        ("stop.jpg", "took too long: over 1 second"),
    ],
)
def test_a_file_that_ends_its_decoder_is_an_error_and_the_next_is_decoded(
    decoders: IsolatedDecoders, tmp_path: Path, image: str, name: str, error: str
) -> None:
    draw(tmp_path / name)
    for _ in range(2):
        assert error_of(decoders, tmp_path / name) == error
        assert np.array_equal(decoders(image), decode(image, SIZE, OPTIONS))


def test_a_crash_caused_by_an_earlier_file_is_not_blamed_on_the_next(
    decoders: IsolatedDecoders, tmp_path: Path, image: str
) -> None:
    path = draw(tmp_path / "once.png")
    decoders(image)
    assert decoders(str(path)).shape == (32, 32, 3)  # after a crash, in a fresh process


def test_output_of_libraries_does_not_corrupt_answers(
    decoders: IsolatedDecoders, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    path = str(draw(tmp_path / "loud.png"))
    for _ in range(3):
        assert np.array_equal(decoders(path), decode(path, SIZE, OPTIONS))
    assert capfd.readouterr() == ("", "")


def test_each_thread_receives_its_answers(decoders: IsolatedDecoders, tmp_path: Path) -> None:
    paths = [str(draw(tmp_path / f"{i}.png", (i, 255 - i, 0))) for i in range(60)]
    paths[7] = str(draw(tmp_path / "boom.png"))
    before = children()

    def red(path: str) -> int:
        try:
            return int(decoders(path)[0, 0, 0])
        except ImageError:
            return -1

    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(red, paths)) == [-1 if i == 7 else i for i in range(60)]
    assert len(children() - before) <= 4


def test_closing_leaves_no_process_and_no_open_file(tmp_path: Path, image: str) -> None:
    processes, files = children(), open_files()
    for _ in range(3):
        decoders = IsolatedDecoders(SIZE, OPTIONS, command=command())
        decoders(image)
        error_of(decoders, draw(tmp_path / "boom.png"))
        error_of(decoders, draw(tmp_path / "hang.png"))
        decoders.close()
        decoders.close()
    assert children() == processes and open_files() == files
    assert error_of(decoders, image) == "not decoded: the run has ended"


def test_closing_ends_a_child_that_is_busy(tmp_path: Path) -> None:
    decoders = IsolatedDecoders(SIZE, NO_LIMIT, command=command())
    errors: list[str] = []
    path = draw(tmp_path / "hang-seen.png")
    thread = threading.Thread(target=lambda: errors.append(error_of(decoders, path)))
    before = children()
    thread.start()
    assert wait_until((tmp_path / "hang-seen.png.seen").exists)
    decoders.close()
    thread.join(10)
    assert not thread.is_alive() and len(errors) == 1 and children() == before


def test_signals_of_the_terminal_do_not_reach_a_child(
    decoders: IsolatedDecoders, image: str
) -> None:
    before = children()
    decoders(image)
    (child,) = children() - before
    assert os.getpgid(child) != os.getpgid(0)
    for number in (signal.SIGINT, signal.SIGTERM):
        os.kill(child, number)
    time.sleep(0.1)
    decoders(image)
    assert children() - before == {child}


@pytest.mark.parametrize("name", ["image.png", "hang.png"])
def test_a_child_ends_with_a_parent_that_was_killed(tmp_path: Path, name: str) -> None:
    path = str(draw(tmp_path / name))
    parent = f"""
import sys, threading, time
sys.path[:] = {sys.path!r}
from mnv2cli.images.options import ImageOptions
from mnv2cli.images.isolated import IsolatedDecoders
from pathlib import Path
decoders = IsolatedDecoders(224, ImageOptions(timeout=0.5), command={command()!r})
decoders({str(draw(tmp_path / "first.png"))!r})
print(next(iter(decoders._children)).process.pid, flush=True)
decoders({path!r})
time.sleep(1000)
"""
    with subprocess.Popen([sys.executable, "-c", parent], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        child = int(process.stdout.readline())
        process.kill()
    assert wait_until(lambda: not is_alive(child), 20)


def test_a_child_imports_nothing_from_the_current_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, image: str
) -> None:
    for name in ("numpy", "PIL", "json", "mnv2cli", "struct"):
        (tmp_path / f"{name}.py").write_text("open('was-run', 'w')")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(
        sys, "path", ["", *sys.path]
    )  # as in python -c and in an interactive session
    with closing(IsolatedDecoders(SIZE, NO_LIMIT)) as decoders:
        decoders("image.png")
    assert not (tmp_path / "was-run").exists()


def test_a_child_that_does_not_start_is_an_error() -> None:
    for start in (["/nowhere/python"], [sys.executable, "-c", "exit(3)"], ["/bin/echo", "x" * 99]):
        decoders = IsolatedDecoders(SIZE, NO_LIMIT, command=start)
        with closing(decoders), pytest.raises(Mnv2Error, match="cannot start a decoding process"):
            decoders("image.png")


def test_a_child_that_is_killed_while_it_answers_is_not_used_again(
    decoders: IsolatedDecoders, image: str
) -> None:
    decoders(image)
    (child,) = decoders._children
    child._stop_clock = lambda: child.grow_older(99)  # type: ignore[method-assign]
    assert decoders(image).shape == (32, 32, 3) and child.killed
    assert decoders(image).shape == (32, 32, 3) and child not in decoders._children
