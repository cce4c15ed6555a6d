"""Captions: a text file beside each image, with the same name but ``.txt``, as trainers read them.

It has one line: the labels of the photo, best first, separated by commas; only the category or the
node, if that is the label. It has no scores, WordNet ids or models, so that a dataset that is read
has the tags of each text as labels with the score 1. A comma separates tags and cannot be escaped:
a label that has one is refused.

Images that would share a text, such as ``a.jpg`` and ``a.png``, are renamed in the dataset:
``a_png.png``.

Facts: https://github.com/kohya-ss/sd-scripts/blob/main/docs/config_README-en.md
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress

from mnv2cli.datasets.entries import json_text
from mnv2cli.datasets.folders import is_image, walk
from mnv2cli.datasets.formats import DatasetFormat, Item, ReadOptions, WriteOptions
from mnv2cli.errors import InputError, OutputError
from mnv2cli.records import Prediction, Record
from mnv2cli.sources.names import name_key
from mnv2cli.system.messages import reason

WRITTEN = "captions.jsonl"
"""Where captions beside the photos themselves are listed, in the folder of the dataset."""

_SUFFIX = ".txt"
_LARGEST = 1 << 20  # bytes of a caption
_FIRST = 1000  # names of a folder that detection reads


class CaptionWriter:
    """Writes the captions of images in the folder of the dataset.

    Args:
        folder: The folder of the dataset.
        options: What the labels are; its own options are ``prepend``, ``append``,
            ``replace_underscores`` and ``blacklist``.
    """

    def __init__(self, folder: str, options: WriteOptions) -> None:
        self._folder = folder
        self._caption = _Caption(options)
        self._taken: set[str] = set()

    def write(self, item: Item) -> None:
        """Write the caption of a photo; rename its image if another one has that caption."""
        text = self._caption.text(item)
        image = os.path.join(self._folder, *item.file_name.split("/"))
        stem, suffix = os.path.splitext(image)
        if name_key(stem) in self._taken:
            stem = self._rename(image, stem, suffix)
        self._taken.add(name_key(stem))
        with open(stem + _SUFFIX, "xb") as file:
            file.write(text)

    def _rename(self, image: str, stem: str, suffix: str) -> str:
        base, number = f"{stem}_{suffix.lstrip('.')}", 1
        new = base
        while name_key(new) in self._taken or os.path.lexists(new + suffix):
            number += 1
            new = f"{base}_{number}"
        os.rename(image, new + suffix)
        return new

    def finish(self) -> None:
        """Do nothing: each caption is a file."""

    def close(self) -> None:
        """Do nothing: no file is open."""


class CaptionsBesidePhotos:
    """Writes the captions beside the photos themselves, at the end: all of them, or none.

    An existing file is never changed: one with a different text is an error. The folder of the
    dataset has the list of captions and photos, ``captions.jsonl``.
    """

    def __init__(self, folder: str, options: WriteOptions) -> None:
        self._folder = folder
        self._caption = _Caption(options)
        self._texts: dict[str, tuple[bytes, str]] = {}
        self._written: list[str] = []

    def write(self, item: Item) -> None:
        """Keep the caption of a photo.

        Raises:
            InputError: Another photo has the same caption file, with different labels.
        """
        text = self._caption.text(item)
        source = os.path.abspath(item.source)
        path = os.path.splitext(source)[0] + _SUFFIX
        line = json_text(
            {"caption_file": path, "file_name": source, "text": text.decode().rstrip("\n")}, item
        )
        known = self._texts.setdefault(path, (text, line))
        if known[0] != text:
            raise InputError(
                f"cannot write the caption {path!r}: two photos of this name have different labels",
                "Copy the photos into the dataset: --images copy.",
            )

    def finish(self) -> None:
        """Write the list of captions, then all captions that do not exist.

        Raises:
            OutputError: A file has a different text, or cannot be written; nothing remains.
        """
        missing = [path for path, (text, _) in self._texts.items() if not _has(path, text)]
        with open(os.path.join(self._folder, WRITTEN), "wb") as file:
            for _, line in self._texts.values():
                file.write(line.encode() + b"\n")
        path = ""
        try:
            for path in missing:
                with open(path, "xb") as file:
                    self._written.append(path)
                    file.write(self._texts[path][0])
        except BaseException as error:
            self.withdraw()
            if isinstance(error, OSError):
                raise OutputError(f"cannot write the caption {path!r}: {reason(error)}") from error
            raise

    def withdraw(self) -> None:
        """Remove the captions that were written beside the photos."""
        while self._written:
            with suppress(OSError):
                os.unlink(self._written.pop())

    def close(self) -> None:
        """Do nothing: no file is open."""


def _has(path: str, text: bytes) -> bool:
    """Return whether a caption exists; raises OutputError if a different one does."""
    if not os.path.lexists(path):
        return False
    try:
        with open(path, "rb") as file:
            if file.read(len(text) + 1) == text:
                return True
    except OSError as error:
        raise OutputError(f"cannot read the caption {path!r}: {reason(error)}") from error
    raise OutputError(
        f"cannot write the caption {path!r}: it already exists with a different text",
        "Move it away, or copy the photos into the dataset: --images copy.",
    )


def _writer(folder: str, options: WriteOptions) -> CaptionWriter | CaptionsBesidePhotos:
    if options.images == "reference":
        return CaptionsBesidePhotos(folder, options)
    return CaptionWriter(folder, options)


class _Caption:
    """Makes the text of a caption."""

    def __init__(self, options: WriteOptions) -> None:
        own = options.own
        self._by = options.label_by
        self._before = _text_option(own.get("prepend", ""))
        self._after = _text_option(own.get("append", ""))
        self._replace = bool(own.get("replace_underscores", False))
        given = own.get("blacklist", ())
        names = given if isinstance(given, tuple) else str(given).split(",")
        self._blacklist = {_key(name) for name in names}

    def text(self, item: Item) -> bytes:
        """Return the bytes of the caption of a photo."""
        labels = [item.label] if item.label else []
        if self._by == "label":
            labels = [each.label for each in item.record.predictions]
        tags = [
            self._tag(each, item) for each in labels if each and _key(each) not in self._blacklist
        ]
        return (", ".join(filter(None, [self._before, *tags, self._after])) + "\n").encode()

    def _tag(self, label: str, item: Item) -> str:
        tag = label.replace("_", " ").strip() if self._replace else label
        if "," in tag or tag != tag.strip() or not _is_line(tag) or not tag:
            raise InputError(
                f"the label {label!r} of {item.record.path!r} cannot be a tag of a caption: it has "
                "a comma, a control character, outer spaces or bytes that are not UTF-8",
                "Rename the label, or omit it with --blacklist.",
            )
        return tag


def _text_option(given: object) -> str:
    text = str(given).strip().strip(",").strip()
    if not _is_line(text):
        raise InputError(f"the text {text!r} of a caption is not one line of UTF-8")
    return text


def _is_line(text: str) -> bool:
    """Return whether a text is valid UTF-8, on one line, without NUL."""
    is_utf8 = text.encode(errors="replace").decode() == text
    return is_utf8 and "\0" not in text and len(text.splitlines()) <= 1


def _key(label: str) -> str:
    return label.replace("_", " ").strip().casefold()


# Reading


def read_captions(path: str, options: ReadOptions) -> Iterator[Record]:
    """Yield a record for each image that has a caption beside it: its tags, with the score 1.

    Raises:
        InputError: There are none; a caption is not a text, or is larger than 1 MiB.
    """
    found = False
    for folder, names in walk(path):
        known = set(names)
        for name in filter(is_image, names):
            caption = os.path.splitext(name)[0] + _SUFFIX
            if caption not in known:
                continue
            found = True
            tags = _tags(os.path.join(folder, caption))
            inner = os.path.relpath(os.path.join(folder, name), path)
            yield Record(
                os.path.join(options.base or path, inner),
                tuple(Prediction("", tag, 1.0) for tag in tags),
            )
    if not found:
        hint = "Name a folder of photos with a .txt file beside each."
        if os.path.isfile(os.path.join(path, WRITTEN)):
            hint = "Its captions are beside the photos: name their folder."
        raise InputError(f"{path!r} has no image with a caption beside it", hint)


def _tags(path: str) -> list[str]:
    try:
        with open(path, "rb") as file:
            content = file.read(_LARGEST + 1)
        if len(content) > _LARGEST:
            raise InputError(f"the caption {path!r} is larger than 1 MiB")
        text = content.decode("utf-8-sig")
    except OSError as error:
        raise InputError(f"cannot read the caption {path!r}: {reason(error)}") from error
    except UnicodeDecodeError as error:
        raise InputError(f"the caption {path!r} is not UTF-8") from error
    tags = [tag.strip() for line in text.splitlines() for tag in line.split(",")]
    return list(dict.fromkeys(filter(None, tags)))


def is_captions(path: str) -> bool:
    """Return whether a folder, its subfolders or theirs have images with captions."""
    if not os.path.isdir(path):
        return False
    left = _FIRST
    try:
        for folder, names in walk(path):
            known = set(names)
            if any(
                os.path.splitext(name)[0] + _SUFFIX in known for name in filter(is_image, names)
            ):
                return True
            left -= 1 + len(names)
            if left < 0 or len(os.path.relpath(folder, path).split(os.sep)) > 8:
                return False
    except InputError:
        return False
    return False


CAPTIONS = DatasetFormat(
    "captions",
    "A caption `.txt` beside each image, for trainers such as kohya's",
    "",
    ("copy", "hardlink", "symlink", "reference"),
    _writer,
    read_captions,
    is_captions,
    options=("prepend", "append", "replace_underscores", "blacklist"),
)
