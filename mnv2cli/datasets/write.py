"""Write a dataset from records: choose the photos, name their images, write its files.

The records are read twice: for the labels and the folders of the photos, then to write them. What
is written gets its name only when it is complete.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass, replace

from mnv2cli.datasets.destination import check_apart, check_destination
from mnv2cli.datasets.formats import (
    DatasetFormat,
    DatasetWriter,
    Images,
    Item,
    WriteOptions,
    WritesOutside,
    load_dataset_format,
)
from mnv2cli.datasets.images import (
    FOLDER,
    ImageNames,
    SourceError,
    check_source,
    place_image,
    referenced_name,
)
from mnv2cli.datasets.labels import OPTIONS, PLURALS, label_of
from mnv2cli.datasets.options import (
    DatasetEvents,
    DatasetOptions,
    DatasetOutcome,
    check_options,
)
from mnv2cli.datasets.part_folder import PartFolder
from mnv2cli.datasets.read import Source, open_source
from mnv2cli.errors import InputError, NoImagesError, OutputError
from mnv2cli.images.dimensions import dimensions
from mnv2cli.records import Record
from mnv2cli.reporting.places import Places
from mnv2cli.results.parquet_format import utf8_text
from mnv2cli.system.files import NO_SPACE, AtomicFile
from mnv2cli.system.messages import count, reason


def write_dataset(
    results: str | os.PathLike[str] | Iterable[Record],
    dest: str | os.PathLike[str],
    format: str,
    options: DatasetOptions | None = None,
    events: DatasetEvents | None = None,
) -> DatasetOutcome:
    """Write a dataset that training and labelling tools read.

    Args:
        results: Records, or the path of results of ``mnv2 classify`` or of another dataset.
        dest: The new folder or file of the dataset.
        format: The name of its format, such as ``imagefolder`` or ``coco``.
        options: What it contains.
        events: Callbacks.

    Returns:
        The counts of photos that were written and of those that were not.

    Raises:
        InputError: An option does not fit the format; the destination exists, or is among the
            photos; the records lack what the labels are made of; the results cannot be read.
        NoImagesError: No photo is left to write.
        OutputError: It cannot be written; nothing remains of it.
    """
    found = load_dataset_format(format)
    options = options or DatasetOptions()
    dest = os.fspath(dest)
    if isinstance(results, str | os.PathLike):
        source = open_source(os.fspath(results))
    else:
        kept = results if isinstance(results, list | tuple) else list(results)
        source = Source(lambda: iter(kept))
    check_options(found, options)
    check_destination(dest, found, force=options.force, inputs=(source.origin,))
    return write_source(source, dest, found, options, events or DatasetEvents())


def write_source(
    source: Source,
    dest: str,
    format: DatasetFormat,
    options: DatasetOptions,
    events: DatasetEvents,
) -> DatasetOutcome:
    """Write a dataset of records, after options and destination have been checked.

    Raises:
        InputError, NoImagesError or OutputError: As :func:`write_dataset`.
    """
    return _Writing(source, dest, format, options, events).write()


@dataclass(frozen=True, slots=True)
class _Content:
    """What is written: the options for the writer, where photos are, and their names."""

    options: WriteOptions
    places: Places
    names: ImageNames


class _Writing:
    """One dataset being written."""

    def __init__(
        self,
        source: Source,
        dest: str,
        format: DatasetFormat,
        options: DatasetOptions,
        events: DatasetEvents,
    ) -> None:
        self._source = source
        self._dest = dest
        self._format = format
        self._options = options
        self._events = events
        self._images: Images = options.images or format.images[0]
        self._outcome = DatasetOutcome(dest, format.name, self._images)
        self._labels: set[str] = set()  # of the photos that were written

    def write(self) -> DatasetOutcome:
        paths, labels = self._look()
        self._events.total(len(paths))
        results = "" if self._source.is_dataset else self._source.origin
        places = Places.of_results(paths, results, self._options.base)
        local = [place for place in map(places.local, paths) if place]
        if self._images in ("copy", "hardlink", "symlink"):
            check_apart(self._dest, local)
        names = ImageNames(local)
        del paths, local
        made = WriteOptions(
            self._options.label_by,
            self._images,
            tuple(sorted(labels)),
            _name_of(self._dest, self._format),
            self._options.own,
        )
        content = _Content(made, places, names)
        if self._format.is_folder:
            folder = PartFolder(self._dest)
            try:
                self._write_items(folder.name, content, folder.commit)
            finally:
                folder.discard()
        else:
            self._write_file(content)
        self._outcome.labels = len(self._labels - {""})
        return self._outcome

    def _write_file(self, content: _Content) -> None:
        try:
            file = AtomicFile(os.path.realpath(self._dest))
            try:
                self._write_items(
                    file.name, content, lambda: file.commit(replace=self._options.force)
                )
            finally:
                file.discard()
        except FileExistsError as error:
            raise OutputError(
                f"cannot write {self._dest!r}: another program created it during this run",
                "Overwrite it with --force, or name another file.",
            ) from error
        except OSError as error:
            raise self._failed(error) from error

    def _look(self) -> tuple[list[str], set[str]]:
        """Return the paths to write and their labels, and count what is omitted."""
        outcome, by = self._outcome, self._options.label_by
        paths: list[str] = []
        labels: set[str] = set()
        seen: set[str] = set()
        has_field = by == "label"
        for record in self._source.read():
            if record.error:
                outcome.errors[record.reason] += 1
                continue
            has_field = has_field or getattr(record, by) is not None
            if record.path in seen:
                outcome.repeated += 1
                continue
            seen.add(record.path)
            label = label_of(record, by)
            outcome.unlabelled += not label
            if label or self._options.keep_unlabelled:
                paths.append(record.path)
                labels.add(label)
        if not has_field and seen:
            name = f"{self._source.origin!r} has" if self._source.origin else "the records have"
            raise InputError(
                f"{name} no {PLURALS[by]}",
                f"Use --label-by label, or classify again with {OPTIONS[by]}.",
            )
        if not paths:
            raise self._nothing()
        return paths, labels - {""}

    def _nothing(self) -> NoImagesError:
        outcome = self._outcome
        left = []
        if outcome.unlabelled:
            left.append(f"{count(outcome.unlabelled, 'photo')} without a label")
        for counts in (outcome.errors, outcome.unreadable):
            left += [f"{why} {number:,}" for why, number in counts.most_common()]
        what = repr(self._source.origin) if self._source.origin else "the records"
        hint = f"Not written: {', '.join(left)}." if left else f"There are no photos in {what}."
        if outcome.unreadable:
            hint += " If the photos have moved, name their folder with --base DIR"
            hint += ", or use --paths dataset." if self._source.is_dataset else "."
        elif outcome.unlabelled:
            hint += " To write these, add --keep-unlabelled."
        return NoImagesError(f"no photos to write into {self._dest!r}", hint)

    def _chosen(self) -> Iterator[tuple[Record, str]]:
        """Yield the records to write, with their labels: those that :meth:`_look` has counted."""
        seen: set[str] = set()
        for record in self._source.read():
            if record.error or record.path in seen:
                continue
            seen.add(record.path)
            label = label_of(record, self._options.label_by)
            if label or self._options.keep_unlabelled:
                yield record, label

    def _write_items(self, place: str, content: _Content, commit: Callable[[], None]) -> None:
        writer: DatasetWriter | None = None
        try:
            with closing(self._format.writer(place, content.options)) as writer:
                self._write_all(writer, place, content)
                writer.finish()
            commit()
        except BaseException as error:
            if isinstance(writer, WritesOutside):
                writer.withdraw()
            if isinstance(error, OSError) and not isinstance(error, FileExistsError):
                raise self._failed(error) from error
            raise

    def _write_all(self, writer: DatasetWriter, place: str, content: _Content) -> None:
        known = {*content.options.labels, ""}
        for record, label in self._chosen():
            if label not in known:
                raise InputError(f"{self._source.origin!r} changed while it was read", "Try again.")
            source = content.places.local(record.path)
            try:
                if not source:
                    raise SourceError("not a file on this machine")
                name = self._placed(place, source, content.names)
            except SourceError as error:
                self._outcome.unreadable[str(error)] += 1
                self._events.unreadable(record.path, str(error))
            else:
                self._write_item(writer, Item(record, name, source, label))
            self._events.step(1)
        if not self._outcome.photos:
            raise self._nothing()

    def _write_item(self, writer: DatasetWriter, item: Item) -> None:
        if self._format.needs_size:
            width, height = dimensions(item.source)
            self._outcome.unsized += (width, height) == (0, 0)
            item = replace(item, width=width, height=height)
        writer.write(item)
        self._labels.add(item.label)
        self._outcome.escaped += utf8_text(item.record.path) != item.record.path
        self._outcome.photos += 1

    def _placed(self, place: str, source: str, names: ImageNames) -> str:
        """Return the name of an image in the dataset, once it exists."""
        if self._images == "reference":
            return referenced_name(source, self._dest)
        if self._images == "embed":
            check_source(source)
            return names.name(source)
        check_source(source)  # before it takes a name
        name = f"{FOLDER}/{names.name(source)}"
        place_image(source, os.path.join(place, *name.split("/")), self._images)
        return name

    def _failed(self, error: OSError) -> OutputError:
        hint = "Free some space, then run again." if error.errno in NO_SPACE else ""
        return OutputError(f"cannot write {self._dest!r}: {reason(error)}", hint)


def _name_of(dest: str, format: DatasetFormat) -> str:
    name = os.path.basename(os.path.realpath(dest)).removesuffix(format.suffix)
    return os.fsencode(name).decode("utf-8", "replace") or "photos"
