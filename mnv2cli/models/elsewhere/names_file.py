"""The names of a model's classes: read from a file, and checked, since they become folders."""

from __future__ import annotations

import json
import os
import re
from typing import Any

from mnv2cli.errors import InputError
from mnv2cli.labels.imagenet import Label, imagenet_labels
from mnv2cli.models.class_names import same_key, why_refused
from mnv2cli.system.messages import reason

IMAGENET = "imagenet"
"""The value of ``--labels`` that means ImageNet's 1,000 classes in Keras's order."""

FORMATS = (
    "One label per line in the order of the model's outputs, a JSON list, or a JSON object from "
    "label to number."
)
_LARGEST = 4 << 20  # bytes
_NUMBERED = re.compile(r"(\d+)[ \t]+(\S.*)")


def read_names(path: str) -> tuple[tuple[Label, ...], bool]:
    """Return the labels in a file, and whether its lines are numbered as Teachable Machine's.

    Args:
        path: The file; :data:`IMAGENET` for ImageNet's classes.

    Raises:
        InputError: It cannot be read, or a label is refused.
    """
    if path == IMAGENET and not os.path.exists(path):
        return imagenet_labels(), False
    try:
        with open(path, "rb") as file:
            content = file.read(_LARGEST + 1)
    except OSError as error:
        raise InputError(f"cannot read the labels in {path}: {reason(error)}", FORMATS) from error
    return parse_names(content, path)


def parse_names(content: bytes, what: str) -> tuple[tuple[Label, ...], bool]:
    """Return the labels in the content of a file; see :func:`read_names`.

    Args:
        content: UTF-8 text or JSON.
        what: The name of the file in errors.

    Raises:
        InputError: It is not a list of labels, or a label is refused.
    """
    if len(content) > _LARGEST:
        raise InputError(f"{what} is far too large for a list of labels", FORMATS)
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError(f"{what} is not UTF-8 text", FORMATS) from error
    if text.lstrip().startswith(("[", "{")):
        names, is_numbered = _from_json(text, what), False
    else:
        names, is_numbered = _from_lines(text)
    if not names:
        raise InputError(f"{what} contains no labels", FORMATS)
    _check(names, what)
    return tuple(Label("", name) for name in names), is_numbered


def _from_lines(text: str) -> tuple[list[str], bool]:
    """Return the lines, without Teachable Machine's numbers if all lines have them."""
    lines = [line.strip(" \t\r") for line in text.rstrip().split("\n")] if text.strip() else []
    found = [_NUMBERED.fullmatch(line) for line in lines]
    numbered = [match[2] for i, match in enumerate(found) if match and match[1] == str(i)]
    is_numbered = bool(lines) and len(numbered) == len(lines)
    return (numbered if is_numbered else lines), is_numbered


def _from_json(text: str, what: str) -> list[str]:
    try:
        found: Any = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise InputError(f"{what} is not valid JSON", FORMATS) from error
    if isinstance(found, dict):
        pairs = found.items()
        if all(isinstance(key, str) and key.isdecimal() for key in found):
            numbers = {int(key): name for key, name in pairs}
        else:
            numbers = {number: name for name, number in pairs if type(number) is int}
        if len(numbers) < len(found) or sorted(numbers) != list(range(len(numbers))):
            raise InputError(f"{what} does not number its labels from 0 without gaps", FORMATS)
        found = [numbers[number] for number in range(len(numbers))]
    if not all(isinstance(name, str) for name in found):
        raise InputError(f"{what} contains a label that is not text", FORMATS)
    return [name.strip() for name in found]


def _check(names: list[str], what: str) -> None:
    first: dict[str, int] = {}
    for number, name in enumerate(names, 1):
        if why := why_refused(name):
            raise InputError(f"label {number} in {what}, {name[:60]!r}, {why}", "Rename the label.")
        same = same_key(name)
        if same in first:
            raise InputError(
                f"labels {first[same]} and {number} in {what} are the same: {name[:60]!r}",
                "Each class requires another name; upper and lower case do not count.",
            )
        first[same] = number
