"""Python's TOML parser, or the package of the same code for Python 3.10, for files of others."""

from __future__ import annotations

import re
import sys
from typing import Any

if sys.version_info >= (3, 11):
    import tomllib
    from tomllib import TOMLDecodeError
else:
    import tomli as tomllib
    from tomli import TOMLDecodeError

__all__ = ["TOMLDecodeError", "loads", "long_key"]

_MOST_PARTS = 16
_NO_CODE = re.compile(
    r'''"""(?:[^"\\]|\\.|"(?!""))*(?:"""|\Z)'''  # strings of several lines
    r"|'''.*?(?:'''|\Z)"
    r"""|"(?:[^"\\\n]|\\.)*"?|'[^'\n]*'?|#[^\n]*""",  # open ones too: no text is read twice
    re.DOTALL,
)
_LONG = re.compile(rf"(?<![\w-])(?:[\w-]+[ \t]*\.[ \t]*){{{_MOST_PARTS}}}")


def loads(text: str) -> dict[str, Any]:
    """Return the content of a TOML file.

    Raises:
        TOMLDecodeError: It is not TOML, or has what Python cannot read: a number of thousands of
            digits, or values nested too deeply.
    """
    try:
        return tomllib.loads(text)
    except TOMLDecodeError:
        raise
    except ValueError as error:
        raise TOMLDecodeError("A number has too many digits") from error
    except (RecursionError, MemoryError) as error:
        raise TOMLDecodeError("It is nested too deeply") from error


def long_key(text: str) -> int:
    """Return the number of the first line with a key of too many parts, as in ``a.b.c``; or 0.

    The parser's time and memory grow with the square of a key's parts.
    """
    code = _NO_CODE.sub(lambda found: "s" + "\n" * found[0].count("\n"), text)
    found = _LONG.search(code)
    return code.count("\n", 0, found.start()) + 1 if found else 0
