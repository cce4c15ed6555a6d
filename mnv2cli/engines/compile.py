"""Compile a network once and keep it, so that later runs start at once.

An entry is written beside its place in the cache, proven to score like Keras, and renamed when it
is whole, so that neither a killed process nor two at once leave anything but a whole entry or none.
"""

from __future__ import annotations

import errno
import os
import shutil
import tempfile
import weakref
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from mnv2cli.engines.cache import Compiled, cache_folder, entry_key, make_room, open_entry
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

_ROOM = 64 << 20  # bytes; more than any entry needs
_LOCK_WAIT = 600.0  # seconds; a compile takes 10 to 60


def find_or_compile(
    network: Network,
    precision: Precision,
    calibration: Calibration | None,
    notify: Notice,
) -> Compiled:
    """Return the compiled form of a network: from the cache, or made now and kept there.

    A cache that cannot be written costs a warning and the time to compile, nothing else.

    Raises:
        WeightsError: The network's weights cannot be had.
        CompileError: The export fails, or its result does not score like the network.
    """
    key = entry_key(network, precision, calibration)
    cache = cache_folder()
    folder = os.path.join(cache, key)
    if entry := open_entry(folder):
        return entry

    from filelock import FileLock, Timeout

    try:
        os.makedirs(cache, exist_ok=True)
        lock = FileLock(os.path.join(cache, f"{key}.lock"))
        try:
            lock.acquire(timeout=0)
        except Timeout:
            notify("Another mnv2 is compiling this model: waiting for it.")
            lock.acquire(timeout=_LOCK_WAIT)
        try:
            if entry := open_entry(folder):
                return entry
            make_room(cache, key)
            return _compile_into(folder, network, precision, calibration, notify)
        finally:
            lock.release()
    except (OSError, Timeout) as error:
        why = getattr(error, "strerror", None) or str(error)  # a lock may time out, too
        notify(f"The compiled model cannot be kept in {cache} ({why}): it is made for this run.")
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
        f"Compiling {network.name} to {precision} with TensorFlow: "
        f"{'half a minute' if precision == 'int8' else 'ten to thirty seconds'}, only this once; "
        "later runs start at once."
    )
    # Beside its final place: a rename does not cross file systems.
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
        raise OSError("what was written cannot be read back")
    return entry


def _in_temporary(model: Any, network: Network, images: NDArray[np.uint8] | None) -> Compiled:
    """Compile for this process alone."""
    try:
        temporary = _TemporaryFolder()
        export(model, network, images, temporary.name)
    except OSError as error:
        raise CompileError(
            f"the compiled model cannot be written: {reason(error, lower=False)}",
            "Free some space in the cache or the temporary folder, or use --engine keras.",
        ) from error
    entry = open_entry(temporary.name)
    if entry is None:
        raise CompileError("the compiled model cannot be read back", "Use --engine keras.")
    return replace(entry, temporary=temporary)


class _TemporaryFolder:
    """A folder that goes away with this object, or with the process."""

    def __init__(self) -> None:
        self.name = tempfile.mkdtemp(prefix="mnv2-")
        weakref.finalize(self, shutil.rmtree, self.name, ignore_errors=True)
