"""What is processed together is classified first: photos may change in the meantime."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from threading import Event

import pytest

from mnv2cli import Classifier, FolderOptions, LabelOptions, SortOptions, WatchOptions
from mnv2cli.records import Record, Source
from mnv2cli.watching.sorting import SortArrivals
from mnv2cli.watching.watch import Watched, Watcher
from tests.conftest import draw
from tests.watching.arriving import sorted_files

pytestmark = pytest.mark.usefixtures("fake_engine")
ONCE = WatchOptions(settle=0.1, patience=60, once=True)


def test_a_photo_that_changes_while_others_are_classified_gets_its_new_label(photos: Path) -> None:
    classifier = Classifier(labels=LabelOptions(top=2))
    photo, batches = photos / "img10.png", []

    def classify(sources: Iterator[Source], *, stop_requested: Event) -> Iterator[Record]:
        batch = list(sources)
        batches.append([Path(source.path).name for source in batch])
        yield from classifier.run(iter(batch), stop_requested=stop_requested)
        if [photo.name in each for each in batches].count(True) == 1 and photo.name in batches[-1]:
            draw(photo, (1, 9, 0), (41, 30))

    job = SortArrivals(
        str(photos),
        SortOptions("sorted", folders=FolderOptions("{label}")),
        classifier.options.images,
    )
    watched = Watched(str(photos), job, classify, ONCE, classifier.events)
    found = {Path(each.path).name: each.target for each in Watcher(watched, Event()).run()}
    assert found["img10.png"] == "goldfish/img10.png"  # not brambling
    assert len(found) == 3 and [photo.name in each for each in batches].count(True) == 2
    assert len(sorted_files(photos.parent / "sorted")) == 3
