"""The definition of a dataset format, and the registry: each is one module and one line here."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from importlib import import_module
from typing import Literal, Protocol, cast, runtime_checkable

from mnv2cli.errors import InputError
from mnv2cli.records import Record

LabelBy = Literal["label", "category", "node"]
Images = Literal["copy", "hardlink", "symlink", "embed", "reference"]
"""How a dataset has its images: as files in its folder, within its own files, or where they are."""


@dataclass(frozen=True, slots=True)
class Item:
    """A photo of a dataset, as a writer receives it.

    Attributes:
        record: The record; it has no error, and its path may not be UTF-8.
        file_name: How the dataset names the image: valid UTF-8, with ``/``, without ``..``. It is
            relative to the folder of the dataset if the image is in it. If it is referenced, it is
            relative to the folder of the dataset file if it is below that, else absolute.
        source: The local file of the image.
        label: The label to learn: that of the best prediction, the category or the node; empty if
            the record has none.
        width: Pixels after EXIF rotation; 0 if the format does not need it.
        height: Like ``width``.
    """

    record: Record
    file_name: str
    source: str
    label: str
    width: int = 0
    height: int = 0


class DatasetWriter(Protocol):
    """Writes the files of one dataset, except the images themselves, unless they are embedded."""

    def write(self, item: Item) -> None:
        """Write one photo."""
        ...

    def finish(self) -> None:
        """Complete the files; called once, after the last photo, and never after an error."""
        ...

    def close(self) -> None:
        """Close what is open; always called, also after an error."""
        ...


@runtime_checkable
class WritesOutside(Protocol):
    """A writer that also writes files outside of the dataset, when it finishes."""

    def withdraw(self) -> None:
        """Remove these files; called after an error, also one after :meth:`DatasetWriter.finish`.

        Called after ``close``; never raises OSError.
        """
        ...


@dataclass(frozen=True, slots=True)
class WriteOptions:
    """How a dataset is written.

    Attributes:
        label_by: What the label of a photo is.
        images: How the dataset has its images; empty for the default of the format.
        labels: All labels of the dataset, in the order of their ids: sorted, without the empty one.
        name: The name of the dataset, from its file or folder.
        own: Options of single formats, such as ``prepend`` of captions, by their names.
    """

    label_by: LabelBy = "label"
    images: Images | Literal[""] = ""
    labels: tuple[str, ...] = ()
    name: str = "photos"
    own: Mapping[str, str | bool | int | tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ReadOptions:
    """How a dataset is read.

    Attributes:
        base: The folder where relative names of images start; None for that of the dataset.
        original: Return the paths that photos had when this tool wrote the dataset, where the
            dataset has them; otherwise the images of the dataset.
    """

    base: str | None = None
    original: bool = True


@dataclass(frozen=True, slots=True)
class DatasetFormat:
    """A format of datasets.

    Attributes:
        name: Its name in ``--to``.
        title: What it is, in one line of the documentation.
        suffix: How the name of its file ends, such as ``.json``; empty for a folder.
        images: The ways to have images that it supports, the default first.
        writer: Called with the path of a new file (in a temporary place, beside its target) or an
            existing, empty folder, and options; returns the writer.
        reader: Called with the path of a dataset and options, yields its records in its order;
            raises InputError, with the line or the item if possible.
        detect: Called with the path of a file or folder, returns whether it is a dataset of this
            format: quickly, and never with an exception for what is not.
        needs_size: Items need the size of their images.
        check: Raises InputError if a library is missing.
        options: The names of options that only this format has, in :attr:`WriteOptions.own`.
    """

    name: str
    title: str
    suffix: str
    images: tuple[Images, ...]
    writer: Callable[[str, WriteOptions], DatasetWriter]
    reader: Callable[[str, ReadOptions], Iterator[Record]]
    detect: Callable[[str], bool]
    needs_size: bool = False
    check: Callable[[], object] = lambda: None
    options: tuple[str, ...] = ()

    @property
    def is_folder(self) -> bool:
        """Whether it is a folder, not one file."""
        return not self.suffix


DATASETS: dict[str, str | DatasetFormat] = {
    "imagefolder": "mnv2cli.datasets.imagefolder:IMAGEFOLDER",
    "imagefolder-csv": "mnv2cli.datasets.imagefolder:IMAGEFOLDER_CSV",
    "imagefolder-parquet": "mnv2cli.datasets.imagefolder_parquet:IMAGEFOLDER_PARQUET",
    "coco": "mnv2cli.datasets.coco:COCO",
    "label-studio": "mnv2cli.datasets.label_studio:LABEL_STUDIO",
    "cvat": "mnv2cli.datasets.cvat:CVAT",
    "fiftyone": "mnv2cli.datasets.fiftyone:FIFTYONE",
    "captions": "mnv2cli.datasets.captions:CAPTIONS",
    "webdataset": "mnv2cli.datasets.webdataset:WEBDATASET",
    "croissant": "mnv2cli.datasets.croissant:CROISSANT",
}
"""By name: ``module:FORMAT``, imported on first use, or the format."""


def register(format: DatasetFormat) -> None:
    """Add a format, or replace one."""
    DATASETS[format.name] = format


def load_dataset_format(name: str) -> DatasetFormat:
    """Return a format by its name.

    Raises:
        InputError: The format is unknown.
    """
    found = DATASETS.get(name)
    if found is None:
        raise InputError(f"unknown dataset format {name!r}: choose from {', '.join(DATASETS)}")
    if isinstance(found, str):
        module, _, attribute = found.partition(":")
        found = DATASETS[name] = cast(DatasetFormat, getattr(import_module(module), attribute))
    return found


def detect_format(path: str) -> DatasetFormat | None:
    """Return the format of a dataset, or None if it has none of them."""
    return next((each for each in map(load_dataset_format, DATASETS) if each.detect(path)), None)
