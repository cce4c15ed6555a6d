"""Features as .npz: a zip file of arrays, which ``numpy.load`` opens without pickle."""

from __future__ import annotations

import io
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, Any

from mnv2cli.errors import OutputError
from mnv2cli.records import Record
from mnv2cli.results.features import (
    BLOCK,
    Block,
    Contents,
    FeaturesFile,
    FeaturesFormat,
    FeaturesInfo,
    damaged,
)

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_ROWS = ("path", "status", "error", "embedding")
_POSITION = "position"
_INFO = "metadata"
_LONGEST = 1 << 16  # characters of a text
_RATIO = 50  # of bytes to compressed bytes of features; a zip bomb has a thousand
_BUFFER = 1 << 24  # bytes of texts that are decoded at once
_LARGEST_INFO = 1 << 16  # bytes
_FAILURES = (
    zipfile.BadZipFile, zipfile.LargeZipFile, zlib.error, EOFError, NotImplementedError,
    RuntimeError, ValueError, KeyError, TypeError, IndexError, AttributeError, MemoryError,
    SyntaxError, OverflowError, UnicodeError,
)  # fmt: skip


def write_npz(stream: IO[bytes], contents: Contents, records: Iterable[Record]) -> None:
    """Write a file whose number of rows is known; holds the paths of its rows in memory.

    The arrays are ``path``, ``status`` and ``error`` (str [n]; bytes of a path that are not UTF-8
    are surrogate escapes), ``embedding`` (float32 [n, size], zeros for errors), ``model`` (str),
    ``normalized`` (bool), ``metadata`` (JSON) and, in a shard, ``position`` (int64 [n]).

    Raises:
        OutputError: There are more or fewer records.
    """
    import numpy as np

    info, rows = contents.info, contents.rows
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_STORED) as archive:
        for name, value in (("model", info.model), ("normalized", info.normalized)):
            _write_small(archive, name, np.array(value))
        _write_small(archive, _INFO, np.array(info.to_json()))
        texts = _Texts()
        with _member(archive, "embedding", np.dtype("<f4"), (rows, info.size)) as file:
            for record in records:
                features = record.embedding
                if features is None:
                    features = np.zeros(info.size, np.float32)
                file.write(np.asarray(features, "<f4").tobytes())
                texts.add(record)
        if texts.rows != rows:
            raise OutputError(f"the features have {texts.rows:,} rows instead of {rows:,}")
        for name, column, width in texts.columns():
            with _member(archive, name, np.dtype(f"<U{width}"), (rows,), compress=True) as file:
                for block in _blocks(column, max(1, _BUFFER // (4 * width))):
                    file.write(np.array(block, f"<U{width}").tobytes())
        if contents.has_position:
            _write_small(archive, _POSITION, np.array(texts.positions, "<i8"))


class _Texts:
    """The texts and positions of all rows, in little memory: paths as bytes, and few errors."""

    def __init__(self) -> None:
        self._paths = bytearray()
        self._errors: dict[int, str] = {}
        self._longest = self._longest_error = 1
        self.positions: list[int] = []
        self.rows = 0

    def add(self, record: Record) -> None:
        self._paths += record.path.encode("utf-8", "surrogatepass") + b"\0"
        self._longest = max(self._longest, len(record.path))
        if record.error:
            self._errors[self.rows] = record.error
            self._longest_error = max(self._longest_error, len(record.error))
        if record.position is not None:
            self.positions.append(record.position)
        self.rows += 1

    def columns(self) -> Iterator[tuple[str, Iterator[str], int]]:
        """Yield name, values and longest value of each column."""
        yield "path", self._split(), self._longest
        numbers = range(self.rows)
        yield "status", ("error" if i in self._errors else "ok" for i in numbers), len("error")
        yield "error", (self._errors.get(i, "") for i in numbers), self._longest_error

    def _split(self) -> Iterator[str]:
        start = 0
        for _ in range(self.rows):
            end = self._paths.index(0, start)
            yield self._paths[start:end].decode("utf-8", "surrogatepass")
            start = end + 1


def _blocks(items: Iterator[str], size: int) -> Iterator[list[str]]:
    from itertools import islice

    while block := list(islice(items, size)):
        yield block


def _write_small(archive: zipfile.ZipFile, name: str, array: NDArray[Any]) -> None:
    from numpy.lib import format as npy

    content = io.BytesIO()
    npy.write_array(content, array, version=(1, 0), allow_pickle=False)
    # Its own ZipInfo has no time, so that the same features are the same bytes.
    archive.writestr(zipfile.ZipInfo(f"{name}.npy"), content.getvalue())


def _member(
    archive: zipfile.ZipFile,
    name: str,
    dtype: np.dtype[Any],
    shape: tuple[int, ...],
    *,
    compress: bool = False,
) -> IO[bytes]:
    """Open a member for the content of an array, after its header."""
    from numpy.lib import format as npy

    member = zipfile.ZipInfo(f"{name}.npy")
    member.compress_type = zipfile.ZIP_DEFLATED if compress else zipfile.ZIP_STORED
    file = archive.open(member, "w", force_zip64=True)
    header = {"descr": dtype.str, "fortran_order": False, "shape": shape}
    npy.write_array_header_1_0(file, header)
    return file


@dataclass(frozen=True)
class _Array:
    """An array in a file whose header has been checked.

    Attributes:
        name: The name of the member.
        start: Bytes of the header.
        dtype: The type of its items.
        shape: Its shape.
    """

    name: str
    start: int
    dtype: np.dtype[Any]
    shape: tuple[int, ...]


def open_npz(path: str) -> FeaturesFile:
    """Check the headers of all arrays of a file; their rows are read later.

    Raises:
        InputError: It is not a features file, or would take more memory than it should.
        OSError: It cannot be read.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            info = FeaturesInfo.from_json(_read_info(path, archive))
            names = [*_ROWS]
            if f"{_POSITION}.npy" in archive.namelist():
                names.append(_POSITION)
            arrays = {name: _header(path, archive, name) for name in names}
    except _FAILURES as error:
        raise damaged(path, _why(error)) from error
    shape = arrays["embedding"].shape
    rows = shape[0] if shape else 0
    _check(path, arrays, info, rows)
    return FeaturesFile(path, info, rows, lambda: _read(path, arrays, rows))


def _why(error: BaseException) -> str:
    if isinstance(error, KeyError):
        return "an array is missing"
    return " ".join(str(error).split())[:200] or type(error).__name__


def _read_info(path: str, archive: zipfile.ZipFile) -> str:
    from numpy.lib import format as npy

    member = archive.getinfo(f"{_INFO}.npy")
    if member.file_size > _LARGEST_INFO:
        raise damaged(path, "its metadata are too long")
    content = io.BytesIO(archive.read(member))
    return str(npy.read_array(content, allow_pickle=False)[()])


def _header(path: str, archive: zipfile.ZipFile, name: str) -> _Array:
    """Read the header of an array, and check it against the size of its member."""
    from numpy.lib import format as npy

    member = archive.getinfo(f"{name}.npy")
    with archive.open(member) as file:
        version = npy.read_magic(file)
        if version == (1, 0):
            shape, is_fortran, dtype = npy.read_array_header_1_0(file)
        elif version == (2, 0):
            shape, is_fortran, dtype = npy.read_array_header_2_0(file)
        else:
            raise damaged(path, f"{name} has an unknown version")
        start = file.tell()
    if dtype.hasobject:
        raise damaged(path, f"{name} has pickled objects, which may run code")
    items = 1
    for length in shape:
        if type(length) is not int or length < 0:
            raise damaged(path, f"{name} has an impossible shape")
        items *= length
    if (is_fortran and len(shape) > 1) or member.file_size != start + items * dtype.itemsize:
        raise damaged(path, f"{name} does not have the size that its shape implies")
    if name == "embedding" and member.file_size > (1 << 20) + _RATIO * member.compress_size:
        raise damaged(path, f"{name} is compressed too much")
    return _Array(f"{name}.npy", start, dtype, shape)


def _check(path: str, arrays: dict[str, _Array], info: FeaturesInfo, rows: int) -> None:
    """Check the types and shapes of the arrays against each other; raises InputError."""
    features = arrays["embedding"]
    if features.dtype.str != "<f4" or len(features.shape) != 2:
        raise damaged(path, f"embedding is {features.dtype} {list(features.shape)}, not float32")
    if features.shape[1] != info.size:
        raise damaged(path, f"it has {features.shape[1]} features, not {info.size}")
    for name, array in arrays.items():
        if array is features:
            continue
        is_sound = (
            array.dtype.str == "<i8"
            if name == _POSITION
            else array.dtype.str.startswith("<U") and 4 <= array.dtype.itemsize <= 4 * _LONGEST
        )
        if not is_sound:
            raise damaged(path, f"{name} has the type {array.dtype}")
        if array.shape != (rows,):
            raise damaged(path, f"{name} has {list(array.shape)} rows instead of {rows:,}")


def _read(path: str, arrays: dict[str, _Array], rows: int) -> Iterator[Block]:
    """Yield the rows; all members are read side by side."""
    widest = max(array.dtype.itemsize for array in arrays.values())
    step = max(1, min(BLOCK, _BUFFER // widest))
    try:
        with ExitStack() as stack:
            archive = stack.enter_context(zipfile.ZipFile(path))
            files = {}
            for name, array in arrays.items():
                files[name] = stack.enter_context(archive.open(array.name))
                _exactly(files[name], array.start)
            for start in range(0, rows, step):
                count = min(step, rows - start)
                found = {name: _take(files[name], arrays[name], count) for name in arrays}
                yield _block(path, found)
    except _FAILURES as error:
        raise damaged(path, _why(error)) from error


def _take(file: IO[bytes], array: _Array, rows: int) -> NDArray[Any]:
    import numpy as np

    shape = (rows, *array.shape[1:])
    size = array.dtype.itemsize * int(np.prod(shape))
    return np.frombuffer(_exactly(file, size), array.dtype).reshape(shape)


def _exactly(file: IO[bytes], size: int) -> bytes:
    content = file.read(size)
    if len(content) != size:
        raise EOFError("it is truncated")
    return content


def _block(path: str, found: dict[str, NDArray[Any]]) -> Block:
    import numpy as np

    paths, errors, statuses = (found[name].tolist() for name in ("path", "error", "status"))
    if any(status != ("error" if error else "ok") for status, error in zip(statuses, errors)):  # noqa: B905
        raise damaged(path, "a status contradicts the error beside it")
    positions = found[_POSITION].tolist() if _POSITION in found else []
    return Block(paths, errors, found["embedding"].astype(np.float32), positions)


NPZ = FeaturesFormat(write_npz, open_npz)
