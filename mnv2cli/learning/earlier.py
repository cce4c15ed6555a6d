"""The photos that an earlier model was learned from: found again by their content."""

from __future__ import annotations

import os
import shlex
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from mnv2cli.errors import InputError
from mnv2cli.learning.dataset import Example
from mnv2cli.learning.labels_file import from_labels
from mnv2cli.learning.training_set import FEWEST_PHOTOS
from mnv2cli.models.learned_file import LearnedContent, is_learned, read_learned
from mnv2cli.models.own import find_own
from mnv2cli.models.registry import MODELS
from mnv2cli.sources.finder import Finder
from mnv2cli.sources.options import Filters

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_DIGEST = 64  # hexadecimal digits
_HINT = "Learn it again from its photos: mnv2 learn FOLDER -o FILE.keras --force"


@dataclass
class EarlierPhotos:
    """Where the photos of an earlier model are now.

    Attributes:
        examples: Those that were found in their folders.
        groups: The group of each photo, by its content.
        cached: The class of those whose features only the cache has, by content.
        features: The features of these, by content.
        lost: The number of those that were not found.
        corrected: The contents whose class the user chose in the same sorted folder.
        answers: The contents whose class an earlier model chose.
    """

    examples: list[Example] = field(default_factory=list)
    groups: dict[str, int] = field(default_factory=dict)
    cached: dict[str, str] = field(default_factory=dict)
    features: dict[str, NDArray[np.float32]] = field(default_factory=dict)
    lost: int = 0
    corrected: frozenset[str] = frozenset()
    answers: frozenset[str] = frozenset()


def model_file(name: str) -> str:
    """Return the file of a model that is not a network's name; empty if there is none."""
    if name in MODELS:
        return ""
    return find_own(name) or (name if os.path.isfile(name) else "")


def open_earlier(path: str) -> LearnedContent:
    """Return what an earlier model is.

    Raises:
        InputError: ``mnv2 learn`` did not write the file, or it does not say what it learned.
        WeightsError: It is damaged.
    """
    if not is_learned(path):
        why = "is not a model that mnv2 learn wrote" if os.path.exists(path) else "does not exist"
        raise InputError(f"{path!r} {why}", "Name the earlier model with --model FILE.keras.")
    content = read_learned(path)
    contents_of(content, path)
    return content


def contents_of(content: LearnedContent, path: str) -> dict[str, tuple[int, int]]:
    """Return the class and the group of each photo that a model was learned from, by content.

    Raises:
        InputError: The file does not have them.
    """
    found: Any = content.training.get("contents")
    try:
        contents = {
            bytes.fromhex(digest).hex(): (int(pair[0]), int(pair[1]))
            for digest, pair in found.items()
        }
    except (AttributeError, TypeError, ValueError, IndexError) as error:
        raise InputError(f"{path!r} does not have what it was learned from", _HINT) from error
    names = range(len(content.class_names))
    if not all(len(each) == _DIGEST and pair[0] in names for each, pair in contents.items()):
        raise InputError(f"{path!r} does not have what it was learned from", _HINT)
    return contents


def folders_of(content: LearnedContent) -> list[str]:
    """Return the folders and files of labels that a model was learned from."""
    found = content.training.get("folders")
    return [each for each in found if isinstance(each, str)] if isinstance(found, list) else []


def corrections_of(content: LearnedContent) -> dict[str, frozenset[str]]:
    """Return the contents whose class the user chose in each sorted folder, by its path."""
    found = content.training.get("corrections")
    items = found.items() if isinstance(found, dict) else ()
    return {folder: _texts(contents) for folder, contents in items}


def _texts(found: Any) -> frozenset[str]:
    items = found if isinstance(found, list) else []
    return frozenset(each for each in items if isinstance(each, str))


class EarlierFinder:
    """Finds the photos of an earlier model.

    Args:
        path: The model.
        content: What it is.
        digest: Returns the SHA-256 of a file in hexadecimal; empty if it cannot be read.
        cached: Returns the features of a photo by its content, or None.
    """

    def __init__(
        self,
        path: str,
        content: LearnedContent,
        digest: Callable[[str], str],
        cached: Callable[[str], NDArray[np.float32] | None],
    ) -> None:
        self._path = path
        self._content = content
        self._digest = digest
        self._cached = cached

    def find(self, filters: Filters, dest: str) -> EarlierPhotos:
        """Return the photos, from the folders that the model names or from the cache.

        Args:
            filters: Which files in folders to use.
            dest: The sorted folder.

        Raises:
            InputError: Less than half of the photos of a class were found.
        """
        names = self._content.class_names
        contents = contents_of(self._content, self._path)
        found = EarlierPhotos(
            groups={digest: group for digest, (_, group) in contents.items()},
            corrected=corrections_of(self._content).get(os.path.abspath(dest), frozenset()),
            answers=_texts(self._content.training.get("answers")),
        )
        missing = dict(contents)
        for path in self._paths(filters):
            digest = self._digest(path)
            if digest in missing:
                found.examples.append(Example(path, names[missing.pop(digest)[0]]))
        for digest, (each, _) in list(missing.items()):
            features = self._cached(digest)
            if features is not None:
                found.cached[digest] = names[each]
                found.features[digest] = features
                del missing[digest]
        found.lost = len(missing)
        self._check(contents, missing, dest)
        return found

    def _paths(self, filters: Filters) -> Iterator[str]:
        for each in folders_of(self._content):
            if os.path.isdir(each):
                yield from (source.path for source in Finder([each], filters) if not source.error)
            elif os.path.isfile(each):
                yield from (photo.path for photo in from_labels(each).photos)

    def _check(
        self,
        contents: dict[str, tuple[int, int]],
        missing: dict[str, tuple[int, int]],
        dest: str,
    ) -> None:
        known = Counter(each for each, _ in contents.values())
        lost = Counter(each for each, _ in missing.values())
        for each, number in lost.items():
            left = known[each] - number
            if left < FEWEST_PHOTOS or 2 * left < known[each]:
                raise InputError(
                    f"{number:,} of the {known[each]:,} photos of "
                    f"{self._content.class_names[each]!r} that {self._path} was learned from were "
                    "not found",
                    "Name the folder where they are now: "
                    + shlex.join(
                        ["mnv2", "learn", "FOLDER", "--from-sorted", dest, "-o", self._path]
                    ),
                )
