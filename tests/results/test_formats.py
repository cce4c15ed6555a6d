from __future__ import annotations

import pytest

from mnv2cli.errors import InputError
from mnv2cli.results.formats import FORMATS, format_of


def test_the_suffix_names_the_format() -> None:
    assert [format_of(f"x.{s}") for s in ("csv", "JSON", "jsonl", "parquet")] == list(FORMATS)
    with pytest.raises(InputError, match=r"does not end in .csv, .json, .jsonl, .parquet"):
        format_of("x.xls")
