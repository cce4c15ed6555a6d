"""A report that cannot be written is an error before any work."""

from __future__ import annotations

from pathlib import Path

import pytest

from mnv2cli.errors import InputError
from mnv2cli.reporting.write import check_report


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("eval.txt", "ends in .html"),
        (".html", "ends in .html"),
        ("https://example.org/eval.html", "ends in .html"),
        ("missing/eval.html", "'missing' does not exist"),
        ("folder.html", "cannot write a report to .* it is a folder"),
        ("old.html", "already exists"),
        ("blocked.html", "'blocked_files', where it may keep thumbnails, is not a folder"),
        ("linked.html", "'linked_files', where it may keep thumbnails, is not a folder"),
    ],
)
def test_a_report_that_cannot_be_written_is_an_error_before_the_run(
    name: str, reason: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "folder.html").mkdir()
    (tmp_path / "old.html").write_text("old")
    (tmp_path / "blocked_files").write_text("")
    (tmp_path / "linked_files").symlink_to("folder.html")
    (tmp_path / "next_files").mkdir()
    with pytest.raises(InputError, match=reason):
        check_report(name, force=False)
    check_report("next.html", force=False)
    if name == "old.html":
        check_report(name, force=True)
