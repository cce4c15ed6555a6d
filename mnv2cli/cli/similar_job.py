"""One run of ``mnv2 similar``: embed the photos, search, write the neighbours."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from functools import partial
from threading import Event
from typing import TYPE_CHECKING

from mnv2cli.cli.embedding import Embedder, is_features_file
from mnv2cli.cli.inputs import no_images
from mnv2cli.cli.options.rows import TABLE
from mnv2cli.errors import ExitCode, NoImagesError
from mnv2cli.inference.report import Report
from mnv2cli.learning.neighbours import Features, Neighbour, nearest
from mnv2cli.results.features import open_features
from mnv2cli.results.rows import Values, write_rows
from mnv2cli.runs.own_files import without_own_files
from mnv2cli.sources.finder import Finder
from mnv2cli.system.messages import count

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from mnv2cli.cli.terminal.screen import Screen
    from mnv2cli.inference.classifier import Classifier
    from mnv2cli.records import Source
    from mnv2cli.results.options import OutputTarget
    from mnv2cli.sources.options import Filters, Inputs

_BLOCK = 512  # images whose features wait to be compared

Found = list[tuple[str, list[Neighbour]]]
"""Each photo with its neighbours."""


class SimilarJob:
    """One run of the command.

    Args:
        classifier: Embeds the images.
        screen: Shows notices, progress and the summary.
        cache: Use and fill the cache of features.

    Attributes:
        report: The counts of the run.
    """

    def __init__(self, classifier: Classifier, screen: Screen, *, cache: bool = True) -> None:
        self._classifier = classifier
        self._screen = screen
        self._errors: dict[str, str] = {}
        self._searched = 0
        self.report = Report()
        self._embedder = Embedder(classifier, screen, self.report, cache=cache)

    @property
    def return_code(self) -> ExitCode:
        """The exit code."""
        return ExitCode.SOME_UNREADABLE if self._errors else ExitCode.DONE

    def search(self, photos: tuple[str, ...], inputs: Inputs, top: int) -> Found:
        """Return the neighbours of each photo.

        Args:
            photos: The photos, as typed.
            inputs: What to search.
            top: The number of neighbours of each photo.

        Raises:
            NoImagesError: There are no photos, or no images to search.
        """
        import numpy as np

        for path in filter(is_features_file, inputs.paths):
            open_features(path)  # checks it before anything is computed
        queries = list(self._embedded(Finder(photos, on_skip=self._skip), photos, None))
        if not queries and self._errors:
            path, error = next(iter(self._errors.items()))
            raise NoImagesError("none of the photos can be read", f"{path}: {error}")
        if not queries:
            raise no_images(self.report)
        places = [os.path.abspath(path) for path, _ in queries]

        def is_own(query: int, path: str) -> bool:
            return os.path.abspath(path) == places[query]

        rows = np.stack([features for _, features in queries])
        found = nearest(rows, self._blocks(inputs), top, is_own)
        if not self._searched:
            raise no_images(self.report)
        return [(path, near) for (path, _), near in zip(queries, found, strict=True)]

    def write(self, found: Found, target: OutputTarget) -> None:
        """Write the neighbours, then the unreadable images, and show the summary.

        Raises:
            OutputError: The results cannot be written.
        """
        if target.format == TABLE:
            _print(found, self._errors)
        else:
            from mnv2cli.cli.terminal.text import stream_for

            columns = ["path", "score", "error"]
            if len(found) > 1:
                columns.insert(0, "query")
            stream = stream_for(target.path)
            write_rows(_rows(found, self._errors), columns, target, stream)
        lines = [("Searched", count(self._searched, "image"), "")]
        if self._errors:
            lines.append(("Unreadable", count(len(self._errors), "image"), "yellow"))
        if target.path is not None:
            lines.append(("Written", target.path, ""))
        self._screen.lines(lines)

    def _blocks(self, inputs: Inputs) -> Iterator[Features]:
        """Yield the features of all images to search, in blocks."""
        import numpy as np

        folders = tuple(path for path in inputs.paths if not is_features_file(path))
        for path in inputs.paths:
            if not is_features_file(path):
                continue
            for paths, features, errors in self._embedder.read(path):
                self._errors |= {p: error for p, error in zip(paths, errors, strict=True) if error}
                readable = [i for i, error in enumerate(errors) if not error]
                self._searched += len(readable)
                yield [paths[i] for i in readable], features[readable]
        if not folders:
            return
        images = Finder(folders, inputs.filters, self._skip)
        total = partial(_count, folders, inputs.filters)
        names: list[str] = []
        rows: list[NDArray[np.float32]] = []
        for path, row in self._embedded(images, folders, total):
            self._searched += 1
            names.append(path)
            rows.append(row)
            if len(rows) == _BLOCK:
                yield names, np.stack(rows)
                names, rows = [], []
        if rows:
            yield names, np.stack(rows)

    def _embedded(
        self, sources: Iterable[Source], paths: tuple[str, ...], total: partial[int | None] | None
    ) -> Iterator[tuple[str, NDArray[np.float32]]]:
        """Yield the path and the features of each image that can be read."""
        wanted = without_own_files(sources, on_skip=self._skip)
        for record in self._embedder.embed(wanted, partial(self._classifier.sample, paths), total):
            if record.embedding is None:
                self._errors[record.path] = record.error
            else:
                yield record.path, record.embedding

    def _skip(self, path: str, reason: str) -> None:
        self.report.skip(path, reason)
        self._screen.skipped(path, reason)


def _rows(found: Found, errors: dict[str, str]) -> Iterator[Values]:
    for query, neighbours in found:
        for near in neighbours:
            yield {"query": query, "path": near.path, "score": near.score, "error": None}
    for path, error in errors.items():
        yield {"query": None, "path": path, "score": None, "error": error}


def _print(found: Found, errors: dict[str, str]) -> None:
    from mnv2cli.cli.terminal.columns import print_errors, print_table

    for query, neighbours in found:
        rows = [[(near.path, "cyan"), (f"{near.score:.3f}", "")] for near in neighbours]
        print_table([f"Most like {query}", "Score"], rows)
    print_errors(errors)


def _count(paths: tuple[str, ...], filters: Filters, stopping: Event) -> int | None:
    """Count the images while they are embedded, so the time left can be shown."""
    images = 0
    for _ in Finder(paths, filters):
        if stopping.is_set():
            return None
        images += 1
    return images
