from __future__ import annotations

from mnv2cli.errors import ExitCode
from mnv2cli.inference.report import Report
from mnv2cli.records import Prediction, Record

CAT = Prediction("n02124075", "Egyptian cat", 0.9)


def test_counts_and_return_codes() -> None:
    report = Report()
    assert int(report.return_code) == int(ExitCode.NO_IMAGES) == 3
    report.add(Record("a.jpg", (CAT,)))
    report.add(Record("b.jpg"))
    assert int(report.return_code) == int(ExitCode.DONE) == 0
    report.add(Record("c.jpg", error="truncated: 3 of 9 bytes"))
    report.add(Record("d.jpg", error="truncated: 4 of 9 bytes"))
    report.skip("x.txt", "no image suffix")
    for name in ("IMG_1.CR2", "IMG_2.CR2"):
        report.skip(name, f"companion: belongs to {name[:5]}.JPG")
    assert int(report.return_code) == int(ExitCode.SOME_UNREADABLE) == 4
    assert (report.images, report.unreadable) == (4, 2)
    assert report.errors == {"truncated": 2}
    assert report.labels == {("n02124075", "Egyptian cat"): 1}
    assert report.skipped == {"no image suffix": 1, "companion": 2}


def test_the_rate_excludes_loading() -> None:
    report = Report(images=10, started=100.0, stopped=107.0)
    report.timings.loading = 5.0
    assert report.seconds == 7.0 and report.classifying == 2.0 and report.rate == 5.0
