"""``mnv2 sort --refresh``: sort the photos of a destination again, with a better model."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import closing
from typing import TYPE_CHECKING

from mnv2cli.cli.inputs import shown
from mnv2cli.cli.sort_job import SortJob
from mnv2cli.errors import InputError, NoImagesError
from mnv2cli.journals.history import History
from mnv2cli.records import Source
from mnv2cli.sorting.placed import placed_files
from mnv2cli.system.messages import count

if TYPE_CHECKING:
    from mnv2cli.inference.options import ClassifierOptions
    from mnv2cli.records import Record
    from mnv2cli.sorting.options import SortOptions
    from mnv2cli.sources.options import Inputs


class RefreshJob(SortJob):
    """One run of the command: the photos are those that nobody moved since earlier runs."""

    def _classified(
        self, inputs: Inputs, options: SortOptions, classifier: ClassifierOptions
    ) -> Iterator[Record]:
        """Yield the records of these photos, classified now."""
        screen = self._screen
        if not os.path.isdir(self._dest):
            raise InputError(
                f"the folder {self._dest!r} does not exist", "Name a folder that mnv2 sort made."
            )
        placed = [each for each in placed_files(self._dest) if not each.is_companion]
        history = History()
        stayed = [each.path(self._dest) for each in placed if each.has_stayed(self._dest, history)]
        if moved := len(placed) - len(stayed):
            screen.notice(f"Skipped {count(moved, 'photo')} that you moved or removed.", "")
        if not stayed:
            raise NoImagesError(
                f"no photos to sort again in {self._dest!r}",
                "mnv2 sort put none there, or all were moved since.",
            )
        made = self._classifier(options, classifier)
        records = made.run(
            iter(map(Source, stayed)), sample=lambda: stayed, thumbnails=self.page is not None
        )
        with closing(records):
            yield from shown(records, made.network.name, screen, lambda stopping: len(stayed))
