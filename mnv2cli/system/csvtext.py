"""Lines of CSV that every Python reads alike, also with NUL or lone carriage returns in them."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable

NUL_SIGN = "\ufdd0"
"""Stands for NUL where that cannot be; it is no character and in no text."""


def csv_line(fields: Iterable[str], *, quote: bool = False) -> str:
    """Return a line of CSV, quoted where a field needs it, or everywhere."""
    texts = list(fields)
    if any("\0" in text for text in texts):  # Python 3.10's csv knows no NUL
        hidden = csv_line([text.replace("\0", NUL_SIGN) for text in texts], quote=quote)
        return hidden.replace(NUL_SIGN, "\0")
    # csv does not quote a lone carriage return by itself, and readers then see a line end.
    odd = quote or any("\r" in text for text in texts)
    line = io.StringIO()
    csv.writer(
        line, quoting=csv.QUOTE_ALL if odd else csv.QUOTE_MINIMAL, lineterminator="\n"
    ).writerow(texts)
    return line.getvalue()
