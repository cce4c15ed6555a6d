"""A tag plan as a CSV file that people can edit, and its checks when it is read back."""

from __future__ import annotations

import csv
import os
import re
import shlex
import stat
from collections.abc import Iterable, Sequence

from mnv2cli.errors import InputError, OutputError
from mnv2cli.journals.moves import PathKeys
from mnv2cli.results.spreadsheet import restored, safe
from mnv2cli.sources.names import name_key
from mnv2cli.sources.urls import is_url
from mnv2cli.system.csvtext import csv_line
from mnv2cli.system.messages import reason
from mnv2cli.tagging.actions import KINDS, WRITING, Kind, Method, TagAction, TagPlan, WriteOptions
from mnv2cli.tagging.plan import not_embeddable, root_of
from mnv2cli.tagging.sidecars import SUFFIX, Sidecars
from mnv2cli.tagging.tagged import is_embeddable
from mnv2cli.tagging.tags import Tags

_COLUMNS = (
    "path", "action", "keywords", "file", "hierarchy", "score", "model", "options", "kind",
    "reason",
)  # fmt: skip
_REQUIRED = {"path", "action", "keywords"}
_OPTIONS = ("hierarchy", "touch")
_MAX_LISTED = 10
_ELSEWHERE = "Paths in a plan are relative to the folder where it was made: run mnv2 tag there."
_AS_PLANNED = "as the plan says"
_PARTS = {sign: re.compile(rf"(?:\\.|[^\\{sign}]|\\\Z)+", re.DOTALL) for sign in ";|"}
_ESCAPED = re.compile(r"\\([\\;|])")


def write_plan(plan: TagPlan, path: str) -> None:
    """Write a plan as CSV, for people to edit.

    Keywords are separated by ``;``, the levels of hierarchical ones by ``|``. Within a word these
    signs, and a backslash, follow a backslash. Cells that a spreadsheet would read as formulas
    start with an apostrophe.

    Raises:
        OutputError: The file cannot be written.
    """
    chosen = " ".join(name for name in _OPTIONS if getattr(plan.write, name))
    try:
        with open(path, "w", encoding="utf-8", errors="surrogateescape", newline="") as file:
            file.write(csv_line(_COLUMNS))
            for action in plan.actions:
                file.write(csv_line(map(safe, _cells(action, chosen))))
    except OSError as error:
        raise OutputError(f"cannot write {path!r}: {reason(error)}") from error


def _cells(action: TagAction, options: str) -> Sequence[str]:
    tags = action.tags or Tags(())
    return (
        action.source,
        action.method,
        "; ".join(map(_escaped, tags.keywords)),
        action.file,
        "; ".join("|".join(map(_escaped, path)) for path in tags.paths),
        f"{tags.score:.7g}" if tags.score else "",
        tags.model,
        options if action.method in WRITING else "",
        action.kind,
        action.reason,
    )


def read_plan(path: str) -> TagPlan:
    """Read a plan and check every row: people may have edited it.

    Users may delete or reorder rows, change keywords, and set the action to ``leave``. A row to
    write without keywords removes those of earlier runs. A hierarchical keyword counts while its
    last level is one of the keywords; other keywords then have one level.

    Returns:
        The plan; its root is the deepest folder with all its photos.

    Raises:
        InputError: The file is not a plan, or a row cannot be applied: its photo cannot be read,
            or its file is neither the photo nor its sidecar. Up to ten rows are listed.
    """
    rows = _Rows()
    try:
        with open(path, encoding="utf-8-sig", errors="surrogateescape", newline="") as file:
            reader = csv.DictReader(file)
            if not set(reader.fieldnames or ()) >= _REQUIRED:
                raise _no_plan(path, set(reader.fieldnames or ()))
            for row in reader:
                rows.add(reader.line_num, row)
    except OSError as error:
        raise InputError(f"cannot read the plan {path!r}: {reason(error)}") from error
    except csv.Error as error:
        raise InputError(f"the plan {path!r} is not valid CSV: {error}") from error
    if not rows.actions and not rows.wrong:
        raise InputError(f"the plan {path!r} has no rows")
    root = root_of(action.source for _, action in rows.actions) if rows.actions else ""
    rows.check_embedding(root)
    if rows.wrong:
        wrong = [f"line {line}: {error}" for line, error in sorted(rows.wrong)]
        more = [f"and {len(wrong) - _MAX_LISTED} more"] if len(wrong) > _MAX_LISTED else []
        if rows.is_elsewhere:
            more.append(_ELSEWHERE)
        raise InputError(
            f"cannot apply the plan {path!r}; nothing was changed",
            "\n".join(wrong[:_MAX_LISTED] + more),
        )
    return TagPlan(root, [action for _, action in rows.actions], rows.write or WriteOptions())


def _no_plan(path: str, names: set[str]) -> InputError:
    lacking = [name for name in _COLUMNS if name in _REQUIRED - names]
    columns = "column" if len(lacking) == 1 else "columns"
    last = lacking.pop()
    shown = f"{', '.join(lacking)} and {last}" if lacking else last
    is_result = {"path", "status"} <= names
    return InputError(
        f"{path!r} is not a plan of tags: it lacks the {columns} {shown}",
        f"It is a file of results: mnv2 tag --from {shlex.quote(path)}" if is_result else
        "mnv2 tag --plan writes one.",
    )  # fmt: skip


class _Rows:
    """Check the rows of a plan.

    Attributes:
        actions: The actions of the rows that can be applied, each with its line.
        wrong: The lines that cannot be applied, each with the reason.
        is_elsewhere: No photo exists, and paths are relative: the plan was made in another folder.
        write: How files are written; None before the first row that writes one.
    """

    def __init__(self) -> None:
        self.actions: list[tuple[int, TagAction]] = []
        self.wrong: list[tuple[int, str]] = []
        self.is_elsewhere = True
        self.write: WriteOptions | None = None
        self._sidecars = Sidecars()
        self._files: dict[str, int] = {}  # lines, by the keys of the files that they write
        self._real = PathKeys().folder

    def add(self, line: int, row: dict[str, str | None]) -> None:
        """Add a row."""
        cells = {name: restored(row.get(name) or "") for name in _COLUMNS}
        path = cells["path"].replace("\0", "")
        if os.path.isabs(path) or is_url(path) or os.path.lexists(path):
            self.is_elsewhere = False
        try:
            action = self._action(cells)
            if action.method in WRITING:
                self._check_options(cells["options"])
                folder, name = os.path.split(action.file)
                key = os.path.join(self._real(folder), os.path.normcase(name))
                if self._files.setdefault(key, line) != line:
                    raise ValueError(f"line {self._files[key]} writes the same file")
        except ValueError as error:
            self.wrong.append((line, str(error)))
            return
        self.actions.append((line, action))

    def check_embedding(self, root: str) -> None:
        """Check the photos to embed into, when the folder of all photos is known."""
        for line, action in self.actions:
            if action.method == "embed" and (why := not_embeddable(action.source, root)):
                self.wrong.append((line, f"{action.source!r} cannot be written: {why}"))

    def _action(self, cells: dict[str, str]) -> TagAction:
        path, method = cells["path"], cells["action"].strip().lower()
        if not path or "\0" in path:
            raise ValueError("it has no path")
        if is_url(path):
            raise ValueError("its photo is not on this machine")
        if method in ("skip", "leave", ""):
            return _left(path, cells)
        writing: Method | None = next((each for each in WRITING if each == method), None)
        if writing is None:
            raise ValueError(f"unknown action {method!r}; use {', '.join(WRITING)}, skip or leave")
        _check_photo(path)
        file = self._file(path, cells["file"], writing)
        return TagAction(path, writing, file, _tags(cells), cells["reason"])

    def _file(self, path: str, file: str, method: Method) -> str:
        """Return the file to write; raises ValueError if it does not belong to the photo."""
        if method == "embed":
            if file not in ("", path):
                raise ValueError(f"the file to embed into is not the photo {path!r}")
            if not is_embeddable(path):
                raise ValueError(f"tags are not embedded into photos such as {path!r}")
            return path
        if not file:
            return self._sidecars.of(path).path
        folder, name = os.path.split(file)
        there, photo = os.path.split(path)
        stem = photo[: photo.rfind(".")] if photo.rfind(".") > 0 else photo
        names = {name_key(photo + SUFFIX), name_key(stem + SUFFIX)}
        if name_key(name) not in names or self._real(folder) != self._real(there):
            raise ValueError(
                f"{file!r} is not a sidecar beside {path!r}, such as {photo + SUFFIX!r}"
            )
        if os.path.lexists(file) and not os.path.isfile(file):
            raise ValueError(f"{file!r} is not a regular file")
        return file

    def _check_options(self, cell: str) -> None:
        names = set(cell.split())
        if unknown := sorted(names - set(_OPTIONS)):
            raise ValueError(f"unknown option {unknown[0]!r}; use {' or '.join(_OPTIONS)}")
        write = WriteOptions(hierarchy="hierarchy" in names, touch="touch" in names)
        if self.write is None:
            self.write = write
        elif self.write != write:
            raise ValueError("its options differ from those of the rows before")


def _left(path: str, cells: dict[str, str]) -> TagAction:
    """Return the action of a row that writes nothing."""
    kind: Kind = next((each for each in KINDS if each == cells["kind"].strip()), "")
    why = cells["reason"]
    if cells["file"]:  # only a row that was to be written has a file: the user left it
        kind, why = "", ""
    method: Method = "skip" if kind == "tagged" else "leave"
    return TagAction(path, method, reason=why or _AS_PLANNED, kind=kind)


def _check_photo(path: str) -> None:
    try:
        status = os.stat(path)
    except (OSError, ValueError) as error:
        raise ValueError(f"{path!r} cannot be read") from error
    if not stat.S_ISREG(status.st_mode):
        raise ValueError(f"{path!r} is not a regular file")


def _tags(cells: dict[str, str]) -> Tags | None:
    """Return the tags of a row; None if it has no keywords. Raises ValueError."""
    keywords = _once(_words(cells["keywords"], ";"))
    if not keywords:
        return None
    paths = [tuple(_words(part, "|")) for part in _split(cells["hierarchy"], ";")]
    for word in (*keywords, *(name for path in paths for name in path), cells["model"]):
        if not word.isprintable():
            raise ValueError(f"{word!r} has control characters, or is not Unicode text")
    return Tags(keywords, _kept(paths, keywords), cells["model"], _score(cells["score"]))


def _score(cell: str) -> float:
    try:
        score = float(cell.strip().replace(",", ".") or 0)  # a decimal comma of a spreadsheet
    except ValueError:
        score = -1.0
    if not 0 <= score <= 1:
        raise ValueError(f"the score {cell!r} is not between 0 and 1")
    return score


def _kept(paths: Iterable[tuple[str, ...]], keywords: Sequence[str]) -> tuple[tuple[str, ...], ...]:
    """Return the paths that end in a keyword, and one for each keyword that is in none of them."""
    wanted = {_key(word): word for word in keywords}
    kept, covered = [], set[str]()
    for path in paths:
        named = [_spellings(path, level) & wanted.keys() for level in range(len(path))]
        if named and named[-1]:
            kept.append(path)
            covered.update(*named)
    if kept:
        kept += [(word,) for key, word in wanted.items() if key not in covered]
    return tuple(kept)


def _spellings(path: tuple[str, ...], level: int) -> set[str]:
    """Return the keys of the keywords that a level may stand for: alone, or after a prefix."""
    word = path[level]
    before = ["/".join(path[:count]) for count in range(1, level + 1)]
    return {_key(word), *(_key(f"{each}{sign}{word}") for each in before for sign in ("/", ""))}


def _key(word: str) -> str:
    return name_key(word.replace(" ", ""))


def _once(words: Iterable[str]) -> tuple[str, ...]:
    found: dict[str, str] = {}
    for word in words:
        found.setdefault(name_key(word), word)
    return tuple(found.values())


def _escaped(word: str) -> str:
    return word.replace("\\", "\\\\").replace(";", "\\;").replace("|", "\\|")


def _split(cell: str, sign: str) -> list[str]:
    """Return the parts between signs that do not follow a backslash."""
    return _PARTS[sign].findall(cell)


def _words(cell: str, sign: str) -> list[str]:
    words = (_ESCAPED.sub(r"\1", part).strip() for part in _split(cell, sign))
    return [word for word in words if word]
