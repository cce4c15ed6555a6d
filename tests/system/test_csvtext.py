"""Fields of CSV are read back unchanged."""

from __future__ import annotations

import csv
import io

import pytest

from mnv2cli.system.csvtext import NUL_SIGN, csv_line

FIELDS = ["a", "b, c", 'a "quote"', "line\nend", "lone\rreturn", "ends\r\n", "", "ä", "\ud800"]


@pytest.mark.parametrize("quote", [False, True])
@pytest.mark.parametrize("nul", ["", "before\0after"])
def test_fields_are_read_back_as_they_were(quote: bool, nul: str) -> None:
    line = csv_line([*FIELDS, nul], quote=quote)
    assert line.endswith("\n") and line.count("\0") == nul.count("\0")
    reader = csv.reader(io.StringIO(line.replace("\0", NUL_SIGN), newline=""), strict=True)
    (cells,) = [[cell.replace(NUL_SIGN, "\0") for cell in row] for row in reader]
    assert cells == [*FIELDS, nul]


def test_only_fields_that_need_it_are_quoted_by_default() -> None:
    assert csv_line(["a", "b,c"]) == 'a,"b,c"\n'
    assert csv_line(["a", "b"], quote=True) == '"a","b"\n'
    assert csv_line(["a", "b\rc"]) == '"a","b\rc"\n'
