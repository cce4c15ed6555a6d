"""Compile a network once and keep it, so that later runs start immediately.

An entry is written beside its place in the cache, checked against Keras's scores, and renamed when
it is complete. Neither a killed process nor two concurrent ones can leave an incomplete entry.
"""

from __future__ import annotations

import errno
import os
import shutil
import tempfile
import weakref
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from mnv2cli.engines.cache import (
    Compiled,
    cache_folder,
    entry_key,
    make_room,
    mark_used,
    open_entry,
)
from mnv2cli.engines.calibration import load_images
from mnv2cli.engines.export import export
from mnv2cli.errors import CompileError
from mnv2cli.system.messages import reason

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from mnv2cli.engines.calibration import Calibration
    from mnv2cli.engines.options import Precision
    from mnv2cli.engines.protocol import Network
    from mnv2cli.events import Notice

_ROOM = 64 << 20  # bytes; most entries need less; one that does not fit is removed
_LOCK_WAIT = 600.0  # seconds; compiling takes 10 to 60


def find_or_compile(
    network: Network,
    precision: Precision,
    calibration: Calibration | None,
    notify: Notice,
) -> Compiled:
    """Return the compiled form of a network from the cache; compile it first if it is missing.

    If the cache cannot be written, the model is compiled for this process only, with a notice.

    Raises:
        WeightsError: The network's weights cannot be loaded.
        CompileError: The export fails, or the compiled model's scores differ from Keras's.
    """
    key = entry_key(network, precision, calibration)
    cache = cache_folder()
    folder = os.path.join(cache, key)
    if entry := open_entry(folder):
        mark_used(folder)
        return entry

    from filelock import FileLock, Timeout

    try:
        os.makedirs(cache, exist_ok=True)
        lock = FileLock(os.path.join(cache, f"{key}.lock"))
        try:
            lock.acquire(timeout=0)
        except Timeout:
            notify("Waiting for another mnv2 process, which is compiling this model.")
            lock.acquire(timeout=_LOCK_WAIT)
        try:
            if entry := open_entry(folder):
                return entry
            make_room(cache, key)
            return _compile_into(folder, network, precision, calibration, notify)
        finally:
            lock.release()
    except (OSError, Timeout) as error:
        why = "another process holds the lock" if isinstance(error, Timeout) else reason(error)
        notify(
            f"Compiling for this run only: cannot write to {cache}: {why}. "
            "Set MNV2_CACHE to a writable folder."
        )
    model = network.build()
    images = load_images(calibration, notify) if calibration else None
    return _in_temporary(model, network, images)


def _compile_into(
    folder: str,
    network: Network,
    precision: Precision,
    calibration: Calibration | None,
    notify: Notice,
) -> Compiled:
    if shutil.disk_usage(os.path.dirname(folder)).free < _ROOM:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    model: Any = network.build()
    images = load_images(calibration, notify) if calibration else None
    if calibration and images is not None and not calibration.is_reliable(len(images)):
        return _in_temporary(model, network, images)
    notify(
        f"Compiling {network.name} to {precision}, once; this takes "
        f"{'about 30' if precision == 'int8' else '10 to 30'} seconds."
    )
    # Beside its final place, because a rename cannot cross file systems.
    part = tempfile.mkdtemp(prefix=f"{os.path.basename(folder)}.tmp", dir=os.path.dirname(folder))
    try:
        export(model, network, images, part)
        os.chmod(part, 0o755)
        os.rename(part, folder)
    except BaseException:
        shutil.rmtree(part, ignore_errors=True)
        raise
    entry = open_entry(folder)
    if entry is None:
        raise OSError("the compiled model cannot be read back")
    return entry


def _in_temporary(model: Any, network: Network, images: NDArray[np.uint8] | None) -> Compiled:
    """Compile for this process only."""
    try:
        temporary = _TemporaryFolder()
        export(model, network, images, temporary.name)
    except OSError as error:
        raise CompileError(
            f"cannot write the compiled model: {reason(error)}",
            "Free some space in the temporary folder (TMPDIR), or use --engine keras.",
        ) from error
    entry = open_entry(temporary.name)
    if entry is None:
        raise CompileError("cannot read the compiled model back", "Use --engine keras.")
    return replace(entry, temporary=temporary)


class _TemporaryFolder:
    """A folder that is removed with this object, or at the end of the process."""

    def __init__(self) -> None:
        self.name = tempfile.mkdtemp(prefix="mnv2-")
        weakref.finalize(self, shutil.rmtree, self.name, ignore_errors=True)
