"""CSV lines that all Python versions read alike, even with NUL or lone carriage returns."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable

NUL_SIGN = "\ufdd0"
"""Replaces NUL, which Python 3.10 rejects; a noncharacter of Unicode, which no text contains."""


def csv_line(fields: Iterable[str], *, quote: bool = False) -> str:
    """Return a line of CSV, with quotes where a field needs them, or everywhere.

    Args:
        fields: The fields.
        quote: Quote every field.
    """
    texts = list(fields)
    if any("\0" in text for text in texts):  # the csv module of Python 3.10 rejects NUL
        hidden = csv_line([text.replace("\0", NUL_SIGN) for text in texts], quote=quote)
        return hidden.replace(NUL_SIGN, "\0")
    # The csv module does not quote a lone carriage return, which readers treat as a line end.
    quote_all = quote or any("\r" in text for text in texts)
    line = io.StringIO()
    csv.writer(
        line, quoting=csv.QUOTE_ALL if quote_all else csv.QUOTE_MINIMAL, lineterminator="\n"
    ).writerow(texts)
    return line.getvalue()
