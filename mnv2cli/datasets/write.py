"""Write a dataset from records: choose the photos, name their images, write its files.

The records are read twice: for the labels and the folders of the photos, then to write them. What
is written gets its name only when it is complete.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from typing import Literal

from mnv2cli.datasets.destination import check_apart, check_destination
from mnv2cli.datasets.formats import (
    DatasetFormat,
    DatasetWriter,
    Images,
    Item,
    LabelBy,
    WriteOptions,
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
from mnv2cli.datasets.labels import label_of
from mnv2cli.datasets.part_folder import PartFolder
from mnv2cli.datasets.read import Source, open_source
from mnv2cli.errors import ExitCode, InputError, NoImagesError, OutputError
from mnv2cli.images.dimensions import dimensions
from mnv2cli.records import Record
from mnv2cli.reporting.places import Places
from mnv2cli.system.files import AtomicFile
from mnv2cli.system.messages import count, one_of, reason

_OPTIONS = {"category": "--category", "node": "--rollup P"}
_PLURALS = {"category": "categories", "node": "nodes"}


@dataclass(frozen=True, slots=True)
class DatasetOptions:
    """What a dataset contains.

    Attributes:
        label_by: What the label of a photo is: that of its best prediction, its category or node.
        images: How the dataset has its images: ``copy``, ``hardlink``, ``symlink``, ``embed`` or
            ``reference``, as far as the format supports it; empty for the default of the format.
        base: The folder where the photos are now; empty if they have not moved.
        force: Overwrite an existing file; a folder never is.
        keep_unlabelled: Also write photos without a label, with an empty one.
        own: Options of single formats, by their names, such as ``prepend`` of captions.
    """

    label_by: LabelBy = "label"
    images: Images | Literal[""] = ""
    base: str = ""
    force: bool = False
    keep_unlabelled: bool = False
    own: Mapping[str, str | bool | int | tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class DatasetEvents:
    """Callbacks while a dataset is written.

    Attributes:
        total: Called with the number of photos to write, once it is known.
        step: Called after each photo, with 1.
        unreadable: Called with the path of a photo that cannot be read, and the reason.
    """

    total: Callable[[int], None] = lambda number: None
    step: Callable[[int], None] = lambda number: None
    unreadable: Callable[[str, str], None] = lambda path, why: None


@dataclass
class DatasetOutcome:
    """What was written, and what was not.

    Attributes:
        path: The dataset.
        format: The name of its format.
        images: How it has its images.
        photos: The number of photos written.
        labels: The number of labels.
        errors: The photos that have an error in the results, by reason; not written.
        unreadable: The photos that cannot be read now, by reason; not written.
        unlabelled: The number of photos without a label; written only if that was requested.
        repeated: The number of records whose photo had been written already; not written.
        unsized: The number of photos of unknown size, where the format has sizes.
    """

    path: str
    format: str
    images: Images
    photos: int = 0
    labels: int = 0
    errors: Counter[str] = field(default_factory=Counter)
    unreadable: Counter[str] = field(default_factory=Counter)
    unlabelled: int = 0
    repeated: int = 0
    unsized: int = 0

    @property
    def return_code(self) -> ExitCode:
        """The exit code of a command that wrote it."""
        some = self.errors or self.unreadable
        return ExitCode.SOME_UNREADABLE if some else ExitCode.DONE


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


def check_options(format: DatasetFormat, options: DatasetOptions) -> None:
    """Check that a format supports the options, and that its libraries exist.

    Raises:
        InputError: It does not.
    """
    format.check()
    if options.images and options.images not in format.images:
        known = list(format.images)
        raise InputError(
            f"--images {options.images} is not possible with {format.name}",
            f"Choose {one_of(known)}." if len(known) > 1 else f"Its images are {_HAVE[known[0]]}.",
        )
    for name in options.own:
        if name not in format.options:
            option = f"--{name.replace('_', '-')}"
            raise InputError(f"{option} would be ignored: {format.name} has no such option")
    if format.is_folder and options.force:
        raise InputError(
            f"--force would be ignored: {format.name} is a folder, and folders are not overwritten"
        )
    if options.base and not os.path.isdir(options.base):
        why = "is not a folder" if os.path.lexists(options.base) else "does not exist"
        raise InputError(f"--base: {options.base!r} {why}")


_HAVE = {
    "copy": "copied",
    "hardlink": "hard links",
    "symlink": "symbolic links",
    "embed": "in its own files",
    "reference": "referenced where they are",
}


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
        if self._format.is_folder:
            folder = PartFolder(self._dest)
            try:
                self._write_items(folder.name, made, places, names)
                folder.commit()
            finally:
                folder.discard()
        else:
            self._write_file(made, places, names)
        self._outcome.labels = len(labels)
        return self._outcome

    def _write_file(self, made: WriteOptions, places: Places, names: ImageNames) -> None:
        try:
            file = AtomicFile(os.path.realpath(self._dest))
            try:
                self._write_items(file.name, made, places, names)
                if not self._options.force and os.path.lexists(self._dest):
                    raise OutputError(
                        f"cannot write {self._dest!r}: another program created it during this run",
                        "Overwrite it with --force, or name another file.",
                    )
                file.commit()
            finally:
                file.discard()
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
                f"{name} no {_PLURALS[by]}",
                f"Use --label-by label, or classify again with {_OPTIONS[by]}.",
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
            hint += " If the photos have moved, name their folder with --base DIR."
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

    def _write_items(
        self, place: str, made: WriteOptions, places: Places, names: ImageNames
    ) -> None:
        known = {*made.labels, ""}
        try:
            with closing(self._format.writer(place, made)) as writer:
                for record, label in self._chosen():
                    if label not in known:
                        raise InputError(
                            f"{self._source.origin!r} changed while it was read", "Try again."
                        )
                    self._write_item(
                        writer, place, places.local(record.path), names, (record, label)
                    )
                    self._events.step(1)
                if not self._outcome.photos:
                    raise self._nothing()
                writer.finish()
        except OSError as error:
            raise self._failed(error) from error

    def _write_item(
        self,
        writer: DatasetWriter,
        place: str,
        source: str,
        names: ImageNames,
        chosen: tuple[Record, str],
    ) -> None:
        record, label = chosen
        try:
            if not source:
                raise SourceError("not on this machine")
            name = self._placed(place, source, names)
        except SourceError as error:
            self._outcome.unreadable[str(error)] += 1
            self._events.unreadable(record.path, str(error))
            return
        size = dimensions(source) if self._format.needs_size else (0, 0)
        self._outcome.unsized += self._format.needs_size and size == (0, 0)
        writer.write(Item(record, name, source, label, *size))
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
        return OutputError(f"cannot write {self._dest!r}: {reason(error)}")


def _name_of(dest: str, format: DatasetFormat) -> str:
    name = os.path.basename(os.path.realpath(dest)).removesuffix(format.suffix)
    return os.fsencode(name).decode("utf-8", "replace") or "photos"
