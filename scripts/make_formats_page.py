"""Print the image formats that are read as Markdown, for the documentation.

    python scripts/make_formats_page.py

The table is made from the registry that decoding uses.
"""

from __future__ import annotations

from collections.abc import Iterable

from mnv2cli.images.formats import FORMATS, ImageFormat
from mnv2cli.sources.names import RAW_SUFFIXES

HEADER = ("Format", "Suffixes", "Read by", "What is read")

Row = tuple[str, ...]


def _table(rows: Iterable[Row]) -> str:
    lines = [HEADER, tuple("---" for _ in HEADER), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines) + "\n"


def _row(each: ImageFormat) -> Row:
    reader = f"{each.reader}, with the extra `{each.extra}`" if each.extra else each.reader
    return each.name, _listed(each.suffixes), reader, each.note


def _listed(suffixes: Iterable[str]) -> str:
    return " ".join(f"`{suffix}`" for suffix in suffixes)


RAW_PHOTOS = (
    "[Raw photos](raw-photos.md)",
    _listed(RAW_SUFFIXES),
    "rawpy, with the extra `raw`",
    "The largest preview; the sensor data if that is too small.",
)


def page() -> str:
    """Return the part of the page below its introduction."""
    sections = [
        (
            "In folders",
            "Files in folders that have one of these suffixes are images.",
            [*(_row(each) for each in FORMATS if each.in_folders), RAW_PHOTOS],
        ),
        (
            "If named",
            "These are read if you name the file, or with `--all-files`: icons and textures are "
            "seldom photos.",
            [_row(each) for each in FORMATS if not each.in_folders],
        ),
    ]
    return "\n".join(f"## {title}\n\n{text}\n\n{_table(rows)}" for title, text, rows in sections)


if __name__ == "__main__":
    print(page(), end="")
