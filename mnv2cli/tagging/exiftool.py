"""ExifTool: find it, and read and write photos by it."""

from __future__ import annotations

import base64
import json
import os
import platform
import re
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from types import TracebackType
from typing import Any

from mnv2cli.errors import InputError
from mnv2cli.tagging.exiftool_process import EmbedError, Process, RefusedError, short

MINIMUM = (12, 38)
"""The oldest version of ExifTool: older ones run a file name that ends in ``|`` as a command."""

SECONDS = 60.0
"""The time limit of one call."""

_START = ("-config", "")
"""The first arguments; without ``-config`` ExifTool runs ``~/.ExifTool_config``, a program."""


_INSTALL = {
    "debian": "sudo apt install libimage-exiftool-perl",
    "ubuntu": "sudo apt install libimage-exiftool-perl",
    "fedora": "sudo dnf install perl-Image-ExifTool",
    "rhel": "sudo dnf install perl-Image-ExifTool",
    "arch": "sudo pacman -S perl-image-exiftool",
    "suse": "sudo zypper install exiftool",
    "opensuse": "sudo zypper install exiftool",
    "alpine": "sudo apk add exiftool",
}
_TAGS = (
    "-XMP", "-IPTC:Keywords", "-IPTC:CodedCharacterSet", "-Photoshop:IPTCDigest",
    "-File:CurrentIPTCDigest", "-XMP-xmpNote:HasExtendedXMP", "-File:FileType", "-Error",
)  # fmt: skip

READ_ONLY = re.compile(rb"""(end=["'])[rw](["']\?>\s*)\Z""")
"""The end of a packet, with a letter for whether programs may edit it."""


@dataclass(frozen=True, slots=True)
class PhotoMetadata:
    """What a photo contains that has to do with keywords.

    Attributes:
        packet: The XMP packet; empty if there is none.
        packets: How many packets there are.
        iptc: The IPTC Keywords; None if the photo has no IPTC at all.
        is_utf8: IPTC declares UTF-8 as its character set.
        has_digest: There is a digest of IPTC, and it is right.
        is_extended: The packet says that it continues in other segments of the JPEG.
        file_type: The format of the content, by ExifTool's name, such as ``JPEG``.
    """

    packet: bytes = b""
    packets: int = 0
    iptc: tuple[str, ...] | None = None
    is_utf8: bool = False
    has_digest: bool = False
    is_extended: bool = False
    file_type: str = ""


@dataclass(frozen=True, slots=True)
class Edits:
    """What to write into a photo.

    Attributes:
        packet: The XMP packet; empty to delete all XMP; None to keep it as it is.
        iptc_removed: Words of which all occurrences are deleted from the IPTC Keywords.
        iptc_added: Words that are then added to them.
        digest: Renew the digest of IPTC.
    """

    packet: bytes | None = None
    iptc_removed: tuple[str, ...] = ()
    iptc_added: tuple[str, ...] = ()
    digest: bool = False


def find_exiftool() -> str:
    """Return the path of ExifTool.

    Raises:
        InputError: It is not installed, does not run, or is too old.
    """
    path = shutil.which("exiftool")
    if path is None:
        raise InputError("ExifTool is not installed", f"Install it: {install_command()}")
    _check_version(path)
    return path


@cache
def _check_version(path: str) -> None:
    """Check that ExifTool runs and is not too old, once; raises InputError."""
    try:
        done = subprocess.run(
            [path, *_START, "-ver"],
            stdin=subprocess.DEVNULL, capture_output=True, timeout=SECONDS, check=True,
        )  # fmt: skip
        version = done.stdout.decode(errors="replace").split()[0]
        number = tuple(int(part) for part in version.split("."))
    except (OSError, subprocess.SubprocessError, IndexError, ValueError) as error:
        raise InputError(
            f"ExifTool does not run: {path}", f"Install it again: {install_command()}"
        ) from error
    if number < MINIMUM:
        raise InputError(
            f"ExifTool {version} is too old: {path}",
            f"At least {MINIMUM[0]}.{MINIMUM[1]} is required: {install_command()}",
        )


def install_command() -> str:
    """Return what installs ExifTool on this system."""
    if sys.platform == "darwin":
        return "brew install exiftool"
    if sys.platform == "win32":
        return "winget install OliverBetz.ExifTool (or: scoop install exiftool)"
    try:
        release = platform.freedesktop_os_release()
    except OSError:
        release = {}
    for name in (release.get("ID", ""), *release.get("ID_LIKE", "").split()):
        if command := _INSTALL.get(name.partition("-")[0]):
            return command
    return "see https://exiftool.org/install.html"


def charset(system: str) -> tuple[str, ...]:
    """Return the arguments, for each command, by which ExifTool finds files of any name.

    Given before ``-stay_open`` they would be for the first command alone.

    Args:
        system: The name of the operating system, as in ``os.name``.
    """
    return ("-charset", "filename=UTF8") if system == "nt" else ()


_EACH = charset(os.name)


class ExifTool:
    """One process of ExifTool; a context manager.

    It is started at the first call, and again after it died or was ended for taking too long. It
    ends with this process, on POSIX systems even if that is killed.

    Args:
        path: The path of ExifTool.
        seconds: The time limit of one call.
    """

    def __init__(self, path: str, seconds: float = SECONDS) -> None:
        self._path = path
        self._seconds = seconds
        self._process: Process | None = None

    def __enter__(self) -> ExifTool:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """End the process."""
        if self._process is not None:
            self._process.end()
            self._process = None

    def read(self, photo: str) -> PhotoMetadata:
        """Read what a photo contains.

        Raises:
            EmbedError: ExifTool cannot read it.
        """
        output = self._run(["-j", "-a", "-b", "-G4:0", *_TAGS], photo)
        found = _parsed(output)
        tags = {name.rpartition(":")[2]: value for name, value in reversed(found.items())}
        if "Error" in tags:
            raise EmbedError(short(str(tags["Error"])))
        packets = [value for name, value in found.items() if name.split(":")[-2:] == ["XMP", "XMP"]]
        is_extended = "HasExtendedXMP" in tags
        if is_extended:  # the further segments are found as another packet
            packets = [value for value in packets if "HasExtendedXMP" in value]
        has_iptc = "CurrentIPTCDigest" in tags
        return PhotoMetadata(
            packet=self._packet(packets[0], photo) if packets else b"",
            packets=len(packets),
            iptc=_words(tags.get("Keywords", [])) if has_iptc else None,
            is_utf8=tags.get("CodedCharacterSet") == "UTF8",
            has_digest=has_iptc and tags.get("IPTCDigest") == tags["CurrentIPTCDigest"],
            is_extended=is_extended,
            file_type=str(tags.get("FileType", "")),
        )

    def _packet(self, value: str, photo: str) -> bytes:
        if value.startswith("base64:"):
            return base64.b64decode(value[7:])
        if "\ufeff" in value[:40]:
            return value.encode()
        return bytes(self._run(["-b", "-XMP"], photo))  # may be UTF-16, whose zero bytes JSON lacks

    def write(self, photo: str, edits: Edits) -> bytearray:
        """Return the content of a photo with other metadata; the photo itself is not touched.

        Raises:
            EmbedError: ExifTool cannot change it.
        """
        arguments = []
        if edits.packet is not None:
            # Plain XMP also is a tag of EXIF, which would then be laid out anew.
            arguments.append("-XMP:XMP<=packet" if edits.packet else "-XMP:XMP=")
        arguments += [f"-IPTC:Keywords-={word}" for word in edits.iptc_removed]
        arguments += [f"-IPTC:Keywords+={word}" for word in edits.iptc_added]
        if edits.digest:
            arguments.append("-Photoshop:IPTCDigest=new")
        content = self._run([*arguments, "-o", "-"], photo, edits.packet or b"")
        # All writable formats contain the packet as it is, but PNG says that it is read-only.
        packet = edits.packet or b""
        if not content or not (packet in content or READ_ONLY.sub(rb"\1r\2", packet) in content):
            raise EmbedError("ExifTool did not write it")
        return content

    def previews(self, photo: str) -> object:
        """Return all images within a photo, to compare them with those of another one.

        Raises:
            EmbedError: ExifTool cannot read it.
        """
        return _parsed(self._run(["-j", "-a", "-b", "-G4:1", "-preview:all", "-AFCP:all"], photo))

    def _run(self, arguments: Sequence[str], photo: str, packet: bytes = b"") -> bytearray:
        if self._process is None or not self._process.is_alive:
            self.close()
            self._process = Process([self._path, *_START, "-stay_open", "True", "-@", "-"])
        try:
            return self._process.run([*_EACH, *arguments], photo, packet, self._seconds)
        except BaseException as error:
            # What it was doing is unknown, or it answers to a call that nobody waits for.
            if not isinstance(error, RefusedError):
                self.close()
            raise


def _parsed(output: bytearray) -> dict[str, Any]:
    """Return the tags of one photo; numbers stay text, as keywords may look like numbers."""
    try:
        found: dict[str, Any] = json.loads(output, parse_int=str, parse_float=str)[0]
        del found["SourceFile"]
    except (ValueError, LookupError) as error:
        raise EmbedError("ExifTool's answer is not readable") from error
    return found


def _words(value: Any) -> tuple[str, ...]:
    """Return keywords from JSON, where ExifTool does not quote all, nor list a single one."""
    values = value if isinstance(value, list) else [value]
    return tuple(str(one).lower() if isinstance(one, bool) else str(one) for one in values)
