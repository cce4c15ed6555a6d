"""List every message that the package can show: errors, warnings, notices and help.

    python scripts/list_messages.py [FOLDER OR FILE]...

Each message is on a line with its location; ``{...}`` are placeholders.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
SHOWING = {
    "echo", "secho", "warning", "warn", "notice", "say", "show", "print", "Notice", "add", "status",
}  # fmt: skip
"""Functions that show their text to the user; exceptions and ``help=`` are always listed."""


def text_of(node: ast.expr) -> str | None:
    """Return the text of an expression; None if it is not a literal text."""
    match node:
        case ast.Constant(value=str(text)):
            return text
        case ast.JoinedStr(values=values):
            return "".join(
                str(value.value)
                if isinstance(value, ast.Constant)
                else "{" + ast.unparse(value.value) + "}"  # type: ignore[attr-defined]
                for value in values
            )
        case ast.BinOp(left=left, op=ast.Add(), right=right):
            texts = [text_of(each) or "{" + ast.unparse(each) + "}" for each in (left, right)]
            return "".join(texts)
        case ast.IfExp(body=body, orelse=orelse):
            choices = [text for text in (text_of(body), text_of(orelse)) if text]
            return " / ".join(choices) or None
    return None


def calls(tree: ast.AST) -> Iterator[tuple[int, str, list[ast.expr]]]:
    """Yield line, name and argument expressions of the calls that show text to the user."""
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        name = node.func.attr if isinstance(node.func, ast.Attribute) else ""
        name = node.func.id if isinstance(node.func, ast.Name) else name
        if name.endswith(("Error", "BadParameter", "Exception")) or name in SHOWING:
            yield node.lineno, name, [*node.args, *(word.value for word in node.keywords)]
        else:
            yield from (
                (word.value.lineno, word.arg, [word.value])
                for word in node.keywords
                if word.arg in ("help", "hint", "short_help", "reason", "advice")
            )


def messages(path: Path) -> Iterator[tuple[int, str, str]]:
    """Yield line, kind and text of the messages of one module."""
    for line, name, expressions in calls(ast.parse(path.read_text(encoding="utf-8"))):
        texts = [text for text in map(text_of, expressions) if text]
        if any(" " in text for text in texts):
            yield line, name, " | ".join(texts)


def main(paths: list[str]) -> None:
    """Print the messages of the modules below ``paths``, by default of the package."""
    for top in [Path(path).resolve() for path in paths] or [ROOT / "mnv2cli"]:
        for path in sorted(top.rglob("*.py")) if top.is_dir() else [top]:
            for line, name, text in sorted(messages(path)):
                print(f"{path.relative_to(ROOT)}:{line}: {name}: {text!r}")


if __name__ == "__main__":
    main(sys.argv[1:])
