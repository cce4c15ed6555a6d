"""One run of ``mnv2 duplicates``: compare contents, embed, compare features, write the groups."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING

from mnv2cli.cli.embedding import Embedder
from mnv2cli.cli.inputs import no_images
from mnv2cli.cli.options.rows import TABLE
from mnv2cli.errors import ExitCode
from mnv2cli.images.dimensions import dimensions
from mnv2cli.images.reader import ImageReader
from mnv2cli.inference.report import Report
from mnv2cli.learning.duplicates import Group, make_groups, plan_of_groups
from mnv2cli.learning.local_files import ImageFile, exact_copies, find_files
from mnv2cli.learning.looks import SIDE, Looks
from mnv2cli.learning.neighbours import FeatureRows, Leaders, find_leaders
from mnv2cli.records import Source
from mnv2cli.results.rows import Values, write_rows
from mnv2cli.runs.own_files import without_own_files
from mnv2cli.sorting.photos import OutsideOf
from mnv2cli.sources.lists import open_list, read_list
from mnv2cli.sources.names import RAW_SUFFIXES, suffix_of
from mnv2cli.system.messages import count

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from mnv2cli.cli.terminal.screen import Screen
    from mnv2cli.inference.classifier import Classifier
    from mnv2cli.results.options import OutputTarget
    from mnv2cli.sources.options import Inputs

COLUMNS = (
    "group", "path", "kind", "kept", "similarity", "width", "height", "bytes", "error"
)  # fmt: skip
"""The columns of the results."""

Contents = list[list[ImageFile]]
"""Files by content, the best file of each content first."""


@dataclass(slots=True)
class Duplicates:
    """What a run has found.

    Attributes:
        groups: The groups of copies.
        images: The number of files that were compared.
        errors: The unreadable images, each with the reason.
        linked: The real paths to which symbolic links among the images lead.
    """

    groups: list[Group] = field(default_factory=list)
    images: int = 0
    errors: dict[str, str] = field(default_factory=dict)
    linked: set[str] = field(default_factory=set)


class DuplicatesJob:
    """One run of the command.

    Args:
        classifier: Embeds the images.
        screen: Shows notices, progress and the summary.
        cache: Use and fill the cache of features.

    Attributes:
        report: The counts of the run.
        return_code: The exit code.
    """

    def __init__(self, classifier: Classifier, screen: Screen, *, cache: bool = True) -> None:
        self._classifier = classifier
        self._screen = screen
        self.report = Report()
        self._embedder = Embedder(classifier, screen, self.report, cache=cache)
        self.return_code = ExitCode.DONE

    def find(self, inputs: Inputs, threshold: float | None, into: str | None) -> Duplicates:
        """Find the copies among the images.

        Args:
            inputs: The images, as typed.
            threshold: The least cosine of near copies; None to find exact copies only.
            into: A folder whose images are not compared, as they have been moved there.

        Raises:
            NoImagesError: There are no images.
        """
        files = find_files(self._sources(inputs, into), self._skip)
        found = Duplicates([], len(files.files), files.errors, files.linked)
        if not (files.files or files.errors):
            raise no_images(self.report)
        with self._screen.counting("comparing files", len(files.files)) as advance:
            contents = exact_copies(files.files, found.errors, advance)
        for path, error in found.errors.items():
            self._screen.unreadable(path, error)
        if threshold is None:
            equal = [same for same in contents if len(same) > 1]
            found.groups = make_groups([_measured(same) for same in equal])
        else:
            found.groups = self._near(contents, threshold, found.errors)
        if found.errors:
            self.return_code = ExitCode.SOME_UNREADABLE
        return found

    def _sources(self, inputs: Inputs, into: str | None) -> Iterator[Source]:
        listed: Iterator[str] = iter(())
        if inputs.list_file is not None:
            listed = read_list(open_list(inputs.list_file), null=inputs.null)
        sources = self._classifier.sources(inputs.paths, self._skip, listed)
        if into is not None:
            sources = OutsideOf(into, inputs.paths)(sources)
        return without_own_files(sources, on_skip=self._skip)

    def _near(self, contents: Contents, threshold: float, errors: dict[str, str]) -> list[Group]:
        """Return the groups of exact and near copies; unreadable images are in none."""
        compared = [same for same in contents if suffix_of(same[0].path) not in RAW_SUFFIXES]
        others = [same for same in contents if suffix_of(same[0].path) in RAW_SUFFIXES]
        with FeatureRows() as rows:
            readable = self._embed(compared, rows, errors)
            readable = self._measured(readable)
            ranks = [same[0].rank for same in readable]
            order = sorted(range(len(readable)), key=ranks.__getitem__)
            ordered = [readable[number] for number in order]
            leaders = self._leaders(rows, order, ordered, threshold)
        return make_groups([*ordered, *others], leaders)

    def _embed(self, contents: Contents, rows: FeatureRows, errors: dict[str, str]) -> Contents:
        """Store the features of each content; return those that can be read, in order."""
        import numpy as np

        sources = [Source(same[0].path) for same in contents]
        readable = []
        shown = self._embedder.embed(
            sources, partial(_sample, sources), lambda stopping: len(sources)
        )
        for same, record in zip(contents, shown, strict=True):
            if record.embedding is None:
                errors |= {file.path: record.error for file in same}
            else:
                rows.add(np.asarray(record.embedding)[None])
                readable.append(same)
        return readable

    def _measured(self, contents: Contents) -> Contents:
        with self._screen.counting("reading sizes", len(contents)) as advance:
            measured = []
            for same in contents:
                measured.append(_measured(same))
                advance(1)
        return measured

    def _leaders(
        self, rows: FeatureRows, order: Sequence[int], contents: Contents, threshold: float
    ) -> Leaders | None:
        import numpy as np

        if not contents:
            return None
        with (
            rows.reordered(np.asarray(order)) as best_first,
            ExitStack() as stack,
            self._screen.counting("comparing images", len(contents)) as advance,
        ):
            looks = Looks(
                [same[0].path for same in contents],
                self._decoder(stack),
                threads=self.report.timings.workers or 1,
            )
            return find_leaders(best_first, threshold, looks, advance)

    def _decoder(self, stack: ExitStack) -> Callable[[str], NDArray[np.uint8]]:
        """Return a function that decodes whole images at the size of looks."""
        options = replace(self._classifier.options.images, fit="stretch")
        if not self._classifier.isolate:
            return stack.enter_context(ImageReader(SIDE, options)).decode
        from mnv2cli.images.isolated import IsolatedDecoders

        decoders = stack.enter_context(closing(IsolatedDecoders(SIDE, options)))
        return stack.enter_context(ImageReader(SIDE, options, decoder=decoders)).decode

    def plan(self, found: Duplicates, path: str, into: str) -> None:
        """Write the plan that moves all copies but the kept ones.

        Raises:
            OutputError: It cannot be written.
        """
        from mnv2cli.cli.terminal.plan_tree import plan_summary
        from mnv2cli.sorting.plan_file import write_plan

        plan = plan_of_groups(found.groups, into, found.linked)
        write_plan(plan, path)
        apply = shlex.join(["mnv2", "sort", "--apply", path, "--into", into])
        self._screen.notice(f"Wrote the plan to {path}: {plan_summary(plan)}.", "")
        self._screen.notice(f"To apply it: {apply}", "")

    def write(self, found: Duplicates, target: OutputTarget) -> None:
        """Write the groups, then the unreadable images, and show the summary.

        Raises:
            OutputError: The results cannot be written.
        """
        if target.format == TABLE:
            _print(found)
        else:
            from mnv2cli.cli.terminal.text import stream_for

            stream = stream_for(target.path)
            write_rows(_rows(found), COLUMNS, target, stream)
        copies = [copy for group in found.groups for copy in group if not copy.kept]
        exact = sum(copy.kind == "exact" for copy in copies)
        size = sum(copy.file.size for copy in copies)
        text = f"{count(exact, 'exact copy', 'exact copies')} and {len(copies) - exact:,} near"
        from mnv2cli.cli.terminal.text import size_text

        lines = [
            ("Compared", count(found.images, "image"), ""),
            ("Found", f"{text} in {count(len(found.groups), 'group')}, {size_text(size)}", ""),
        ]
        if found.errors:
            lines.append(("Unreadable", count(len(found.errors), "image"), "yellow"))
        if target.path is not None:
            lines.append(("Written", target.path, ""))
        self._screen.lines(lines)

    def _skip(self, path: str, reason: str) -> None:
        self.report.skip(path, reason)
        self._screen.skipped(path, reason)


def _measured(same: list[ImageFile]) -> list[ImageFile]:
    """Return files of one content with their width and height."""
    width, height = dimensions(same[0].path)
    return [replace(file, width=width, height=height) for file in same]


def _sample(sources: Sequence[Source], limit: int = 200) -> list[str]:
    """Return an even sample of images to calibrate int8 on."""
    step = max(1, len(sources) // limit)
    return [source.path for source in sources[::step]][:limit]


def _rows(found: Duplicates) -> Iterator[Values]:
    empty: Values = dict.fromkeys(COLUMNS)
    for number, group in enumerate(found.groups, 1):
        for copy in group:
            file = copy.file
            yield {
                "group": number,
                "path": file.path,
                "kind": copy.kind or None,
                "kept": copy.kept,
                "similarity": copy.similarity,
                "width": file.width or None,
                "height": file.height or None,
                "bytes": file.size,
                "error": None,
            }
    for path, error in found.errors.items():
        yield {**empty, "path": path, "error": error}


def _print(found: Duplicates) -> None:
    from mnv2cli.cli.terminal.columns import print_errors, print_table
    from mnv2cli.cli.terminal.text import size_text

    for number, group in enumerate(found.groups, 1):
        rows = []
        for copy in group:
            file = copy.file
            pixels = f"{file.width} x {file.height}" if file.width else ""
            degree = "" if copy.similarity is None else f"{copy.similarity:.3f}"
            style = "bold" if copy.kept else ""
            cells = (file.path, copy.kind or "keep", degree, pixels, size_text(file.size))
            rows.append([(text, style) for text in cells])
        print_table([f"Group {number}", "", "Cosine", "Pixels", "Size"], rows)
    print_errors(found.errors)
