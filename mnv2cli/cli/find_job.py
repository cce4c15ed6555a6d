"""One run of ``mnv2 find``: search, list the photos, put them into a folder."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack
from functools import partial
from math import floor
from operator import attrgetter
from typing import TYPE_CHECKING

from mnv2cli.cli.inputs import count_images, find_inputs, make_classifier, no_images, watched
from mnv2cli.cli.options.rows import PATHS, TABLE
from mnv2cli.cli.sort_job import SortJob
from mnv2cli.cli.terminal.suggest import nearest
from mnv2cli.errors import ExitCode, InputError, NoImagesError
from mnv2cli.inference.report import Report
from mnv2cli.results.any_file import read_any
from mnv2cli.results.rows import Values, write_paths, write_rows
from mnv2cli.runs.own_files import without_own_files
from mnv2cli.selecting.find import (
    judge_of,
    judge_of_results,
    names_in_results,
    names_of,
    within,
)
from mnv2cli.selecting.matches import Match, Search
from mnv2cli.selecting.names import UnknownNameError
from mnv2cli.sorting.options import FolderOptions, SortOptions
from mnv2cli.sorting.photos import OutsideOf
from mnv2cli.sorting.placement import ROOT, Placement
from mnv2cli.sorting.plan import plan_placed
from mnv2cli.sources.urls import check_local
from mnv2cli.system.messages import count

if TYPE_CHECKING:
    from mnv2cli.cli.options.find import FindOutput
    from mnv2cli.cli.terminal.screen import Screen
    from mnv2cli.inference.options import ClassifierOptions
    from mnv2cli.records import Source
    from mnv2cli.results.options import OutputTarget
    from mnv2cli.selecting.matches import FindOptions
    from mnv2cli.selecting.names import Meaning, Names
    from mnv2cli.sorting.actions import Method
    from mnv2cli.sources.options import Inputs

COLUMNS = ("path", "what", "score", "label")
_MAX_NAMES = 4  # in a suggestion


class FindJob:
    """One run of the command.

    Args:
        whats: The names, as typed; none for unsure photos.
        options: Which photos to find.
        output: What to do with them, checked.
        screen: Shows notices, progress and the summary.
    """

    def __init__(
        self, whats: Sequence[str], options: FindOptions, output: FindOutput, screen: Screen
    ) -> None:
        self._whats = whats
        self._options = options
        self._output = output
        self._screen = screen
        self._report = Report()

    def run(self, inputs: Inputs, classifier: ClassifierOptions, results: str | None) -> ExitCode:
        """Search images, or results; list or place what is found; return the exit code.

        Raises:
            InputError: A name is unknown, or results cannot be read.
            NoImagesError: There are no images, or none of them is found.
            OutputError: The list or the photos cannot be written.
            WeightsError: The weights are not available.
        """
        output = self._output
        places = [
            (dest, PlaceJob(dest, method, self._screen)) for method, dest in output.places.items()
        ]
        for _, place in places:
            place.finish_interrupted()
        if results is None:
            search = self._classified(inputs, classifier)
        else:
            search = self._of_results(results, inputs)
        matches = search.matches()
        if not matches:
            raise self._nothing(search)
        if output.is_listed:
            self._write(matches, output.target)
        self._show(search, matches)
        code = self._report.return_code
        for _, place in places:
            if place.put(matches, inputs):
                code = ExitCode.FAILED
        return code

    def _classified(self, inputs: Inputs, options: ClassifierOptions) -> Search:
        """Return the search through images, which are classified now or were before."""
        from mnv2cli.inference.scoring import score_run, scores_store

        screen, report = self._screen, self._report
        classifier = make_classifier(options, screen)
        try:
            judge, meanings = judge_of(classifier, self._whats, self._options)
        except UnknownNameError as error:
            raise self._suggested(error, names_of(classifier, self._options)) from error
        self._show_meanings(meanings)
        outside = [OutsideOf(dest, inputs.paths) for dest in self._output.places.values()]

        def wanted(sources: Iterator[Source]) -> Iterator[Source]:
            for each in outside:
                sources = each(sources)
            output = self._output.target.path or ""
            return without_own_files(sources, output, screen.skipped)

        search = Search(judge, self._options.limit)
        total = None
        if inputs.list_file is None:
            total = partial(count_images, inputs.paths, inputs.filters, wanted)
        found = find_inputs(classifier, inputs, report, screen)
        with ExitStack() as stack:
            store = scores_store(classifier) if self._options.cache else None
            if store:
                stack.callback(store.close)
            run = score_run(classifier, wanted(found.sources), store, report.timings, found.sample)
            stack.callback(run.close)
            records = search.of_scores(run)
            for _ in watched(records, classifier.network.name, report, screen, total):
                pass
        if not report.images:
            raise no_images(report)
        return search

    def _of_results(self, path: str, inputs: Inputs) -> Search:
        """Return the search through results."""
        screen, report = self._screen, self._report
        with screen.reading(path):
            try:
                judge, meanings = judge_of_results(path, self._whats, self._options)
            except UnknownNameError as error:
                raise self._suggested(error, names_in_results(path, self._options)) from error
            self._show_meanings(meanings)
            search = Search(judge, self._options.limit)
            for record in search.of_records(within(read_any(path), inputs.paths)):
                report.add(record)
                if record.error:
                    screen.unreadable(record.path, record.error)
        if not report.images:
            raise NoImagesError(
                f"no rows of {path!r} are in {shlex.join(inputs.paths)}",
                "Paths in results are relative to the folder where mnv2 classify ran.",
            )
        return search

    def _suggested(self, error: UnknownNameError, names: Names) -> InputError:
        """Return an error with the names that may have been meant."""
        if error.is_of_another_kind:
            return error
        known = {name.casefold(): name for name in names.all()}
        typed = error.name.casefold()
        singular = typed.removesuffix("s")
        if singular in known:
            return InputError(error.message, f"Did you mean {known[singular]!r}?")
        words = [name for low, name in known.items() if typed in low.split()]
        similar = ""
        if words:
            more = ", ..." if len(words) > _MAX_NAMES else ""
            similar = f"Names with this word: {', '.join(words[:_MAX_NAMES])}{more}"
        elif meant := known.get(nearest(typed, known)):
            similar = f"Did you mean {meant!r}?"
        return InputError(error.message, similar or error.hint)

    def _show_meanings(self, meanings: Iterable[list[Meaning]]) -> None:
        """Show the meaning that is used of names that have several."""
        used: dict[str, None] = {}  # in order, each once
        also: dict[str, None] = {}
        for chosen, *others in meanings:
            names = [f"{each.kind}:{_described(each, each.name)}" for each in others]
            if chosen.kind == "label" and len(chosen.keys) > 1:  # such as crane
                names += [f"{chosen.name} ({key})" for key in sorted(chosen.keys)]
            if names:
                used[f"{chosen.name} by {_described(chosen)}"] = None
                also |= dict.fromkeys(names)
        if used:
            self._screen.notice(f"Finding {', '.join(used)}; also possible: {', '.join(also)}.")

    def _nothing(self, search: Search) -> NoImagesError:
        options, nearest = self._options, search.nearest
        searched = count(search.searched, "photo")
        unread = self._report.unreadable
        also = f"; {count(unread, 'image')} could not be read" if unread else ""
        if options.unsure:
            return NoImagesError(f"no unsure photos: all {searched} are certain{also}")
        what = " or ".join(self._whats)
        if not nearest:
            return NoImagesError(f"no photo of {what} found: {searched} searched{also}")
        hint = ""
        if nearest.score >= 0.01:
            hint = (
                f"The likeliest is {nearest.record.path} with a score of "
                f"{floor(nearest.score * 1e4) / 1e4:g}; "
                "lower scores are found with --min-score."
            )
        return NoImagesError(f"no photo of {what} found: {searched} searched{also}", hint)

    def _write(self, matches: Sequence[Match], target: OutputTarget) -> None:
        from mnv2cli.cli.terminal.text import stream_for

        if target.format == TABLE:
            from mnv2cli.cli.terminal.matches import print_matches

            is_varied = self._options.unsure or len(set(map(attrgetter("what"), matches))) > 1
            print_matches(matches, has_what=is_varied)
            return
        stream = stream_for(target.path)
        if target.format == PATHS:
            paths = (match.record.path for match in matches)
            write_paths(paths, target, stream, null=self._output.is_null)
        else:
            write_rows(map(_row, matches), COLUMNS, target, stream)

    def _show(self, search: Search, matches: Sequence[Match]) -> None:
        """Show the summary."""
        report, target = self._report, self._output.target
        number = count(len(matches), "photo")
        if search.number > len(matches):
            number = f"{len(matches):,} of {search.number:,} matching photos (--limit)"
        lines = [("Found", f"{number}, {search.searched:,} searched", "")]
        if report.errors:
            reasons = " · ".join(f"{why} {n:,}" for why, n in report.errors.most_common(3))
            lines.append(("Unreadable", f"{report.unreadable:,}: {reasons}", "red"))
        if target.path is not None:
            lines.append(("Written", target.path, ""))
        self._screen.lines(lines)


class PlaceJob(SortJob):
    """Puts the photos that were found into one folder, with a journal that undo reads.

    Args:
        dest: The folder, as typed.
        method: What to do with each photo.
        screen: Shows progress and the summary.
    """

    def __init__(self, dest: str, method: Method, screen: Screen) -> None:
        super().__init__(dest, screen)
        self._method = method

    def put(self, matches: Sequence[Match], inputs: Inputs) -> bool:
        """Put the photos there; return whether some could not be.

        Raises:
            InputError: A photo is not on this machine.
            OutputError: The folder has no room for them, or cannot be written.
        """
        for match in matches:
            check_local(match.record.path, "copy")
        filters = inputs.filters
        options = SortOptions(
            self._dest,
            self._method,
            FolderOptions(threshold=0.0),
            filters.pairs,
            exclude=filters.exclude,
            given=inputs.paths,
        )
        placed = [(match.record.path, Placement(ROOT, "")) for match in matches]
        plan = plan_placed(placed, options)
        return bool(self.apply_plan(plan).failed or plan.unsorted)


def _described(meaning: Meaning, name: str = "") -> str:
    """Return a name, or its kind, with the number of its classes."""
    return f"{name or meaning.kind} ({count(len(meaning.keys), 'class', 'classes')})"


def _row(match: Match) -> Values:
    record = match.record
    label = record.predictions[0].label if record.predictions else None
    return {"path": record.path, "what": match.what, "score": match.score, "label": label}
