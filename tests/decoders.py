"""Decoders that crash or hang depending on the file name, and the children of this process."""

from __future__ import annotations

import sys

import psutil

# A child whose decoder behaves according to the name of the file.
PROGRAM = """
import ctypes, os, signal, sys, time
sys.path[:] = {path!r}
from mnv2cli.images import child
from mnv2cli.errors import ImageError
from mnv2cli.images.renditions import NetworkInput
real, real_taken_at = child.decode_as, child.taken_at
seen = []
def decode_as(path, rendition, options, *more):
    name = os.path.basename(path)
    seen.append(name)
    if name.startswith("boom"): os.kill(os.getpid(), signal.SIGSEGV)
    if name.startswith("abort"): os.abort()
    if name.startswith("exit"): os._exit(7)
    if name.startswith("hang-seen"): open(path + ".seen", "w").close()
    if name.startswith("hang"): time.sleep(1000)
    if name.startswith("lock"): ctypes.PyDLL(None).sleep(1000)  # and holds the GIL
    if name.startswith("stop"): os.kill(os.getpid(), signal.SIGSTOP)
    if name.startswith("greedy"):
        try: bytearray(64 << 30)
        except MemoryError as error: raise ImageError("not enough memory") from error
    if name.startswith("once") and len(seen) > 1: os.abort()
    if name.startswith("loud"): os.write(1, b"noise"); print("noise", flush=True)
    if name.startswith("wrong"): return real(path, NetworkInput(8, options), options, *more)
    return real(path, rendition, options, *more)
def taken_at(path):
    if "taken" in path: os.abort()
    return real_taken_at(path)
child.decode_as, child.taken_at = decode_as, taken_at
child.main()
"""


def command() -> list[str]:
    """Return the command that starts a child with :data:`PROGRAM`."""
    return [sys.executable, "-c", PROGRAM.format(path=sys.path)]


def children() -> set[int]:
    """Return the processes that this one has started, including zombies."""
    return {child.pid for child in psutil.Process().children()}
