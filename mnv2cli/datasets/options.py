"""How a dataset is written, what happens meanwhile, and what became of it."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from mnv2cli.datasets.formats import DATASETS, DatasetFormat, Images, LabelBy, load_dataset_format
from mnv2cli.errors import ExitCode, InputError
from mnv2cli.system.messages import one_of


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
        escaped: The number of photos written whose paths are not UTF-8: other bytes are described,
            such as ``\\xff``, and these paths are not read back.
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
    escaped: int = 0

    @property
    def return_code(self) -> ExitCode:
        """The exit code of a command that wrote it."""
        some = self.errors or self.unreadable
        return ExitCode.SOME_UNREADABLE if some else ExitCode.DONE


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
            with_it = [each for each in DATASETS if name in load_dataset_format(each).options]
            option = f"--{name.replace('_', '-')}"
            if not with_it:
                raise InputError(f"no format has the option {option}")
            raise InputError(f"{option} requires --to {' or '.join(with_it)}, not {format.name}")
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
