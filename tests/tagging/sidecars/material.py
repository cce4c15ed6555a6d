"""One sidecar, and what a reader must find in it."""

from __future__ import annotations

from dataclasses import dataclass

BOM = "\ufeff"
XPACKET_ID = "W5M0MpCehiHzreSzNTczkc9d"


@dataclass(frozen=True)
class Sidecar:
    """A sidecar with keywords of a person.

    Attributes:
        name: For the id of a test.
        data: The bytes of the file.
        file: Its usual name, beside a photo ``IMG_1.jpg`` or ``IMG_1.cr2``.
        subjects: The items of ``dc:subject``.
        hierarchy: The items of ``lr:hierarchicalSubject``; None if the file has no such list.
        tags_list: The items of ``digiKam:TagsList``; None if the file has no such list.
        encoding: The encoding of the text.
        unread_by: The libraries that cannot read the file, ``exiv2`` or ``exiftool``.
    """

    name: str
    data: bytes
    file: str = "IMG_1.jpg.xmp"
    subjects: tuple[str, ...] = ()
    hierarchy: tuple[str, ...] | None = None
    tags_list: tuple[str, ...] | None = None
    encoding: str = "utf-8"
    unread_by: frozenset[str] = frozenset()

    @property
    def text(self) -> str:
        """The text of the file, with a BOM if it has one."""
        return self.data.decode(self.encoding)

    def __str__(self) -> str:
        return self.name
