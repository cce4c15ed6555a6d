"""What the tests of images elsewhere share: images, readers and a web server."""

from __future__ import annotations

import csv
import io
import threading
from collections import Counter
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import Result
from PIL import Image

from mnv2cli.errors import ImageError
from mnv2cli.images.options import ImageOptions
from mnv2cli.images.reader import ImageReader
from mnv2cli.sources.finder import Finder
from mnv2cli.sources.options import Filters
from tests.hosts import answer

Invoke = Callable[..., Result]

SIZE = 96
OPTIONS = ImageOptions()


def picture(red: int = 7, form: str = "PNG", **save: Any) -> bytes:
    stream = io.BytesIO()
    Image.new("RGB", (40, 30), (red, 9, 0)).save(stream, form, **save)
    return stream.getvalue()


def found(*inputs: str | Path, listed: tuple[str, ...] = (), **options: Any) -> list[str]:
    return [s.path for s in Finder(map(str, inputs), Filters(**options), listed=listed)]


def errors(*inputs: str) -> list[str]:
    return [source.error for source in Finder(inputs)]


def read(url: str) -> np.ndarray[Any, Any]:
    with ImageReader(SIZE, OPTIONS) as fetcher:
        return fetcher.decode(url)


def fails(url: str) -> str:
    with pytest.raises(ImageError) as caught:
        read(url)
    return str(caught.value)


def table(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


class Site:
    """A web server's pages, and how often each was asked for."""

    def __init__(self) -> None:
        self.pages: dict[str, Callable[[BaseHTTPRequestHandler], None]] = {}
        self.asked: Counter[str] = Counter()
        self.url = ""

    def handle(self, request: BaseHTTPRequestHandler) -> None:
        self.asked[request.path] += 1
        self.pages.get(request.path, answer(b"", 404))(request)


def hold(over: threading.Event) -> Callable[[BaseHTTPRequestHandler], None]:
    def handle(request: BaseHTTPRequestHandler) -> None:
        over.wait(8)

    return handle
