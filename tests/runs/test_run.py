"""A run with other settings, or during another one, does not change the results."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from mnv2cli.runs.differences import differences
from mnv2cli.runs.log import RunLog
from tests.runs.helpers import Invoke, cut, run

pytestmark = pytest.mark.usefixtures("fake_engine")


@pytest.mark.parametrize(
    ("args", "difference"),
    [(("--top", "3"), "written with --top 2, now with --top 3"),
     (("--fit", "pad", "--min-score", "0.5"),
      "with --min-score 0.0, now with --min-score 0.5; with --fit crop, now with --fit pad"),
     (("--category",), "without --category, now with --category"),
     (("--min-margin", "0.2"), "with --min-margin 0.0, now with --min-margin 0.2"),
     (("--long",), "without --long, now with --long"),
     (("--alpha", "0.5"), "with model mobilenet_v2_1.0_224, now with model mobilenet_v2_0.5_224"),
     (("--shard", "1/2"), "written without --shard, now with --shard 1/2")],
)  # fmt: skip
def test_other_settings_are_refused_and_named(
    album: Path, invoke: Invoke, args: tuple[str, ...], difference: str
) -> None:
    run(invoke, "a.csv")
    whole = (album / "a.csv").read_bytes()
    cut(album / "a.csv", whole, len(whole) - 1)
    result = run(invoke, "a.csv", *args, "--resume", code=2)
    assert result.stderr.startswith("Error: cannot resume 'a.csv': written ")
    assert difference in result.stderr and "--force" in result.stderr
    left = (album / "a.csv").read_bytes()
    assert whole.startswith(left) and left.count(b"\n") >= whole.count(b"\n") - 1
    run(invoke, "a.csv", *args, "--force")


def test_logs_of_earlier_versions_mean_no_smallest_margin(album: Path, invoke: Invoke) -> None:
    run(invoke, "a.csv")
    log = album / ".a.csv.mnv2"
    log.write_text(log.read_text().replace(' "min_margin": 0.0,', ""))
    assert "min_margin" not in log.read_text()
    refused = run(invoke, "a.csv", "--min-margin", "0.2", "--resume", code=2).stderr
    assert "with --min-margin 0.0, now with --min-margin 0.2" in refused
    run(invoke, "a.csv", "--resume")


def test_a_setting_that_one_log_lacks_differs_from_another_value() -> None:
    old, new = {"top": 5}, {"top": 5, "min_margin": 0.2}
    assert differences(old, {**old, "min_margin": 0.0}) == differences(new, new) == []
    for one, other in ((old, new), (new, old)):
        (found,) = differences(one, other)
        assert {found.old, found.new} == {"with --min-margin 0.0", "with --min-margin 0.2"}


@pytest.mark.parametrize(
    ("args", "words"),
    [(("-o", "a.json", "--resume"), ".csv or .jsonl"), (("--resume",), "with -o"),
     (("-o", "/dev/null", "-f", "csv", "--resume"), ".csv or .jsonl"),
     (("-o", "a.csv", "--retry-errors"), "requires --resume"),
     (("-o", "a.csv", "--resume", "--force"), "--force cannot be combined"),
     (("-o", "a.jsonl", "--csv-safe"), "--csv-safe requires csv")],
)  # fmt: skip
def test_options_that_cannot_be_resumed_are_refused(
    album: Path, invoke: Invoke, args: tuple[str, ...], words: str
) -> None:
    result = invoke("classify", "album", *args)
    assert result.exit_code == 2 and words in result.stderr
    assert not list(album.glob("a.*"))


def test_a_second_run_on_the_same_output_is_refused(album: Path, invoke: Invoke) -> None:
    log = RunLog("a.csv")
    for args in ((), ("--resume",), ("--force",)):
        assert (
            "another run of mnv2 is writing to 'a.csv'"
            in run(invoke, "a.csv", *args, code=2).stderr
        )
    assert not (album / "a.csv").exists()
    log.close()
    assert not (album / ".a.csv.mnv2").exists()
    run(invoke, "a.csv")


def test_other_versions_of_libraries_cause_a_warning(album: Path, invoke: Invoke) -> None:
    run(invoke, "a.csv")
    cut(album / "a.csv", (album / "a.csv").read_bytes(), 300)
    log = album / ".a.csv.mnv2"
    begun = json.loads(log.read_text())
    begun["libraries"]["pillow"] = "1.0"
    log.write_text(json.dumps(begun) + "\n")
    assert "Warning: new scores may differ" in run(invoke, "a.csv", "--resume").stderr


@pytest.mark.parametrize("name", ["a.json", "a.parquet"])
def test_other_formats_are_locked_and_leave_no_log(album: Path, invoke: Invoke, name: str) -> None:
    log = RunLog(name)
    assert "another run of mnv2 is writing" in run(invoke, name, code=2).stderr
    log.close()
    run(invoke, name)
    assert not [name for name in os.listdir(album) if name.endswith(".mnv2")]


OLD_KEYS = ["format", "long", "csv_safe", "position"]


@pytest.mark.parametrize(
    "args", [(), ("--long",), ("--csv-safe", "--category"), ("--shard", "1/1")]
)
def test_settings_in_the_log_keep_their_names_and_order(
    album: Path, invoke: Invoke, args: tuple[str, ...]
) -> None:
    run(invoke, "a.csv", *args)
    settings = json.loads((album / ".a.csv.mnv2").read_text().splitlines()[0])["settings"]
    assert list(settings)[:4] == OLD_KEYS
    assert [settings[key] for key in OLD_KEYS] == [
        "csv", "--long" in args, "--csv-safe" in args, "--shard" in args,
    ]  # fmt: skip
    assert settings["shard"] == ("1/1" if "--shard" in args else "")
    assert settings["top"] == 2
