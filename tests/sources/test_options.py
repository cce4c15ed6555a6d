from __future__ import annotations

import pytest

from mnv2cli.errors import InputError
from mnv2cli.sources.options import Filters


@pytest.mark.parametrize("name", ["include", "exclude"])
def test_a_string_is_not_accepted_as_patterns(name: str) -> None:
    with pytest.raises(InputError, match=f"{name} must be a tuple of patterns"):
        Filters(**{name: "*.jpg"})  # type: ignore[arg-type]
