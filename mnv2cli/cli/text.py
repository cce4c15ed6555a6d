"""Text for the terminal: what is of unknown origin made fit for it."""

from __future__ import annotations

import os


def printable(text: str) -> str:
    """Return text that cannot steer a terminal: control and undecodable characters are escaped.

    Names of files may hold anything, escape sequences and line ends too.
    """
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else _escaped(c) for c in text)


def _escaped(char: str) -> str:
    code = ord(char)
    if 0xDC80 <= code <= 0xDCFF:  # a byte that is not UTF-8, as os.fsdecode keeps it
        return f"\\x{code - 0xDC00:02x}"
    return char.encode("unicode_escape").decode()


def size_text(size: int) -> str:
    """Return a number of bytes as people say it, in units of 1,000."""
    for factor, unit in ((10**9, "GB"), (10**6, "MB"), (10**3, "kB")):
        if size >= factor:
            return f"{size / factor:,.1f} {unit}"
    return f"{size} bytes"


def home_text(path: str) -> str:
    """Return text with ``~`` for the user's folder in its paths."""
    home = os.path.expanduser("~")
    return path.replace(home + os.sep, f"~{os.sep}")


def shorten(text: str, width: int) -> str:
    """Cut text to a width in terminal cells from the left: the end of a path tells most."""
    from rich.cells import cell_len

    if cell_len(text) <= width:
        return text
    while text and cell_len(text) > width - 1:
        text = text[1:]
    return f"…{text}"
