"""Helpers to find and read images, and to parse tables."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import Result

from mnv2cli.errors import ImageError
from mnv2cli.images.options import ImageOptions
from mnv2cli.images.reader import ImageReader
from mnv2cli.sources.finder import Finder
from mnv2cli.sources.options import Filters

Invoke = Callable[..., Result]

SIZE = 96
OPTIONS = ImageOptions()


def found(*inputs: str | Path, listed: tuple[str, ...] = (), **options: Any) -> list[str]:
    return [s.path for s in Finder(map(str, inputs), Filters(**options), listed=listed)]


def errors(*inputs: str) -> list[str]:
    return [source.error for source in Finder(inputs)]


def read(url: str) -> np.ndarray[Any, Any]:
    with ImageReader(SIZE, OPTIONS) as reader:
        return reader.decode(url)


def fails(url: str) -> str:
    with pytest.raises(ImageError) as caught:
        read(url)
    return str(caught.value)


def table(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))
