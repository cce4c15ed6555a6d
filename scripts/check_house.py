"""Check the structure of the package: import directions and cycles, sizes, parameters, start-up.

    python scripts/check_house.py

import-linter reads the directions from ``pyproject.toml``. The exit code is 1 if a check fails.
"""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "mnv2cli"

MAX_LINES = 400
MAX_PARAMETERS = 7  # without self and cls
HEAVY = ("keras", "numpy", "pandas", "PIL", "pyarrow", "ray", "rich", "scipy",
         "sklearn", "tensorflow", "tqdm")  # fmt: skip
"""Libraries that the help of the command line must not import."""


def module_lengths() -> dict[str, int]:
    """Return the number of lines of each module, by its path below the root."""
    return {
        str(path.relative_to(ROOT)): len(path.read_text(encoding="utf-8").splitlines())
        for path in sorted(PACKAGE.rglob("*.py"))
    }


def parameter_counts() -> dict[str, int]:
    """Return the number of parameters of each function, by ``path:line name``."""
    counts = {}
    for path in sorted(PACKAGE.rglob("*.py")):
        for name, node in _functions(ast.parse(path.read_text(encoding="utf-8"))):
            parameters = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]
            has_self = bool(parameters) and parameters[0].arg in ("self", "cls")
            counts[f"{path.relative_to(ROOT)}:{node.lineno} {name}"] = len(parameters) - has_self
    return counts


def _functions(tree: ast.Module) -> Iterator[tuple[str, ast.FunctionDef | ast.AsyncFunctionDef]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node.name, node


def heavy_imports(*arguments: str) -> list[str]:
    """Return the heavy libraries that a command line imports until it ends."""
    code = (
        "import sys\n"
        "from mnv2cli.cli import main\n"
        f"main({list(arguments)!r}, standalone_mode=False)\n"
        f"print(*[name for name in {HEAVY!r} if name in sys.modules], file=sys.stderr)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return done.stderr.split()


def _is_within(limit: int, found: dict[str, int], what: str) -> bool:
    """Print the largest value and those over the limit; return whether there are none of these."""
    over = {name: count for name, count in found.items() if count > limit}
    largest = max(found, key=lambda name: found[name])
    print(f"{len(found)} {what}; largest {found[largest]} of {limit}: {largest}")
    for name, count in over.items():
        print(f"  over the limit: {name}: {count}")
    return not over


def main() -> int:
    """Run all checks, and return the exit code."""
    imports = subprocess.run(
        [sys.executable, "-c", "from importlinter.cli import lint_imports_command as run; run()"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    start = imports.stdout.find("Analyzed")
    print(imports.stdout[max(start, 0) :].strip() or imports.stderr.strip())
    passed = imports.returncode == 0
    passed &= _is_within(MAX_LINES, module_lengths(), "modules checked for lines")
    passed &= _is_within(MAX_PARAMETERS, parameter_counts(), "functions checked for parameters")
    for arguments in (("--help",), ("classify", "--help"), ("sort", "--help")):
        heavy = heavy_imports(*arguments)
        print(f"mnv2 {' '.join(arguments)} imports {', '.join(heavy) or 'no heavy library'}")
        passed &= not heavy
    print("All checks passed." if passed else "Some checks failed: see above.")
    return 0 if passed else 1


if __name__ == "__main__":
    sys.exit(main())
