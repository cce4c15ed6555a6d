"""Tar archives of others, read in bounded memory."""

from __future__ import annotations

import tarfile

_LONGEST = 1 << 20  # bytes of a long name or of extended headers
_EXTENDED = (
    tarfile.GNUTYPE_LONGNAME,
    tarfile.GNUTYPE_LONGLINK,
    tarfile.XHDTYPE,
    tarfile.XGLTYPE,
    tarfile.SOLARIS_XHDTYPE,
)


class BoundedTarInfo(tarfile.TarInfo):
    """A header of a member, for ``tarfile.open(tarinfo=...)``.

    ``tarfile`` reads long names and extended headers into memory at once, whatever size they claim.
    """

    @classmethod
    def frombuf(cls, buf: bytes | bytearray, encoding: str, errors: str) -> BoundedTarInfo:
        """Return the header in a block; raises ReadError if it would take too much memory."""
        header = super().frombuf(buf, encoding, errors)
        if header.type in _EXTENDED and header.size > _LONGEST:
            raise tarfile.ReadError(f"a header has {header.size:,} bytes")
        return header
