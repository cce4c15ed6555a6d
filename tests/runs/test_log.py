"""The run log: missing, hostile, of an earlier version, or too large for the disk."""

from __future__ import annotations

import os
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from mnv2cli.errors import InputError
from mnv2cli.runs.log import RunLog
from tests.cli.test_process import ENVIRONMENT, FAKE
from tests.conftest import draw
from tests.runs.helpers import Invoke, cut, events, run, run_to_end

pytestmark = pytest.mark.usefixtures("fake_engine")


def test_results_without_a_log_are_refused(album: Path, invoke: Invoke) -> None:
    run(invoke, "a.csv")
    (album / ".a.csv.mnv2").unlink()
    assert "is missing or damaged" in run(invoke, "a.csv", "--resume", code=2).stderr
    assert not (album / ".a.csv.mnv2").exists()
    (album / ".a.csv.mnv2").write_bytes(b'{"event": "begin", "sett')
    assert "is missing or damaged" in run(invoke, "a.csv", "--resume", code=2).stderr
    run(invoke, "new.csv", "--resume")  # without rows, the run is started
    assert (album / "new.csv").read_bytes() == (album / "a.csv").read_bytes()


def test_a_hostile_log_does_not_redirect_writes(album: Path, invoke: Invoke) -> None:
    run(invoke, "a.csv")
    target = album / "victim"
    target.write_text("precious")
    (album / ".a.csv.mnv2").unlink()
    (album / ".a.csv.mnv2").symlink_to(target)
    assert "Warning: this run will not be resumable" in run(invoke, "a.csv", "--force").stderr
    assert "cannot write" in run(invoke, "a.csv", "--resume", code=1).stderr
    assert target.read_text() == "precious"
    (album / ".a.csv.mnv2").unlink()
    for text in (
        "[1]\n",
        '{"event": "begin", "settings": 3}\n',
        "[" * 100_000,
        "\0\n",
        '{"event": "begin", "settings": {"top": "\\u001b[31m"}, "folder": 7}\n',
    ):
        (album / ".a.csv.mnv2").write_text(text)
        result = run(invoke, "a.csv", "--resume", code=2)
        assert "\x1b" not in result.stderr


def test_a_log_that_does_not_fit_on_the_disk_is_an_error(tmp_path: Path) -> None:
    draw(tmp_path / "p" / "1.bmp")
    args = ["classify", str(tmp_path / "p"), "-q", "-o", str(tmp_path / "a.csv")]
    code = "import resource as r\nr.setrlimit(r.RLIMIT_FSIZE, (300, 300))\n"
    result = subprocess.run(
        [sys.executable, "-c", code + FAKE.format(delay=0), *args],
        capture_output=True, text=True, check=False, env=ENVIRONMENT,
    )  # fmt: skip
    assert result.returncode == 1 and "cannot write" in result.stderr
    assert run_to_end(*args, "--resume") == 0


def test_another_file_named_like_the_log_is_not_overwritten(album: Path, invoke: Invoke) -> None:
    (album / ".a.csv.mnv2").write_text("my notes")
    assert "another file has this name" in run(invoke, "a.csv", code=2).stderr
    assert (album / ".a.csv.mnv2").read_text() == "my notes"
    (album / ".a.csv.mnv2").unlink()
    os.mkfifo(album / ".a.csv.mnv2")
    result = invoke("classify", "album", "-q", "-k", "2", "-o", "a.csv")
    assert result.exit_code == 4 and "will not be resumable" in result.stderr
    run(invoke, "a.csv", "--resume", code=1)


@pytest.mark.parametrize("args", [(), ("--retry-errors",)])
def test_a_log_of_an_earlier_version_is_moved(
    album: Path, invoke: Invoke, args: tuple[str, ...]
) -> None:
    run(invoke, "a.csv")
    whole = (album / "a.csv").read_bytes()
    cut(album / "a.csv", whole, len(whole) // 2)
    (album / ".a.csv.mnv2").rename(album / "a.csv.mnv2")
    exists = invoke("classify", "album", "-o", "a.csv")
    assert exists.exit_code == 2 and "continue it with --resume" in exists.stderr
    run(invoke, "a.csv", "--resume", *args)
    assert (album / "a.csv").read_bytes() == whole
    assert not (album / "a.csv.mnv2").exists()
    assert events(album / "a.csv") == ["begin", "resume", "finished"]


def test_a_log_of_an_earlier_version_replaces_a_hidden_one(album: Path, invoke: Invoke) -> None:
    run(invoke, "a.csv")
    hidden, earlier = album / ".a.csv.mnv2", album / "a.csv.mnv2"
    log = hidden.read_text()
    earlier.write_text(log.replace('"top": 2', '"top": 3'))  # as rewritten by an earlier version
    assert "written with --top 3" in run(invoke, "a.csv", "--resume", code=2).stderr
    assert hidden.read_text() == log.replace('"top": 2', '"top": 3') and not earlier.exists()
    hidden.write_text(log)
    earlier.touch()  # as left by a run killed before its first row
    run(invoke, "a.csv", "--resume")
    assert not earlier.exists()
    # Killed while the log was moved: both are complete, or the new one is truncated.
    for partial in (log, log[:20], ""):
        hidden.write_text(partial)
        earlier.write_text(log)
        run(invoke, "a.csv", "--resume")
        assert not earlier.exists()


@pytest.mark.parametrize("content", ["my notes", '{"event": "other"}'])
def test_another_file_with_the_name_of_an_earlier_log_is_not_changed(
    album: Path, invoke: Invoke, content: str
) -> None:
    earlier = album / "a.csv.mnv2"
    earlier.write_text(content)
    run(invoke, "a.csv")
    run(invoke, "a.csv", "--resume")
    assert earlier.read_text() == content
    earlier.unlink()
    earlier.symlink_to(album / ".a.csv.mnv2")
    run(invoke, "a.csv", "--resume")
    earlier.unlink()
    os.mkfifo(earlier)
    run(invoke, "a.csv", "--resume")
    assert events(album / "a.csv").count("finished") == 4


def test_a_run_of_an_earlier_version_excludes_others(album: Path, invoke: Invoke) -> None:
    fcntl = pytest.importorskip("fcntl")
    run(invoke, "a.csv", "--shard", "1/1")
    earlier = album / "a.csv.mnv2"
    (album / ".a.csv.mnv2").rename(earlier)
    with open(earlier, "rb") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        for args in (("--resume", "--shard", "1/1"), ("--force",)):
            result = run(invoke, "a.csv", *args, code=2)
            assert "another run of mnv2 is writing to 'a.csv'" in result.stderr
        assert invoke("merge", "a.csv", "-q", "-o", "all.csv").exit_code == 0
        assert earlier.exists() and not (album / ".a.csv.mnv2").exists()
    assert invoke("merge", "a.csv", "-q", "-o", "all.csv", "--force").exit_code == 0
    assert not earlier.exists() and events(album / "a.csv") == ["begin", "finished"]


def test_a_file_system_with_changing_inode_numbers_does_not_hang_the_run(
    album: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mnv2cli.runs.log.os.path.samestat", lambda *_: False)
    with closing(RunLog(str(album / "a.csv"))) as log:
        with pytest.raises(InputError, match="another run of mnv2 is writing"):
            RunLog(str(album / "a.csv"))
        log.begin({})
    assert (album / ".a.csv.mnv2").read_bytes().startswith(b'{"event": "begin"')
