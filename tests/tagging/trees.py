"""Folders of photos with sidecars, and plans to tag them."""

from __future__ import annotations

import os
import random
from collections.abc import Iterable
from pathlib import Path

import pytest

from mnv2cli.tagging import apply as applying
from mnv2cli.tagging import prepare
from mnv2cli.tagging.actions import Method, TagAction, TagPlan, WriteOptions
from mnv2cli.tagging.tags import Tags
from mnv2cli.tagging.xmp.keywords import Change
from tests.sorting.trees import restore_times, write

TAGS = Tags(("cat", "tiger cat"), (("cat", "tiger cat"),), "MobileNetV2", 0.9)
OTHERS = Tags(("dog",), (("dog",),), "MobileNetV2", 0.8)

SIDECAR = """<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>
<x:xmpmeta xmlns:x="adobe:ns:meta/" x:xmptk="Other 1.0">
 <rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
  <rdf:Description rdf:about="" xmlns:dc="http://purl.org/dc/elements/1.1/"
    xmlns:xmp="http://ns.adobe.com/xap/1.0/" xmp:Rating="{rating}">
   <dc:subject>
    <rdf:Bag>
     <rdf:li>holiday</rdf:li>
    </rdf:Bag>
   </dc:subject>
  </rdf:Description>
 </rdf:RDF>
</x:xmpmeta>
<?xpacket end="w"?>
"""


def sidecar(rating: int = 3) -> str:
    """Return the sidecar of another program."""
    return SIDECAR.format(rating=rating)


def make(root: Path, count: int = 4) -> list[Path]:
    """Make photos, every second of which has a sidecar, and return the sidecars."""
    files = []
    for i in range(count):
        photo = write(root / f"sub{i % 2}" / f"{i}.jpg", f"photo {i}", 1_500_000_000 + i)
        files.append(photo.with_name(f"{photo.name}.xmp"))
        if i % 4 > 1:
            write(files[-1], sidecar(i), 1_500_000_000 + i)
    restore_times(root)
    return files


def plan_of(
    root: Path,
    files: Iterable[Path],
    tags: Tags | None = TAGS,
    method: Method = "sidecar",
    touch: bool = False,
) -> TagPlan:
    """Return a plan to write the same tags into some files."""
    actions = [
        TagAction(os.fspath(file).removesuffix(".xmp"), method, os.fspath(file), tags)
        for file in files
    ]
    return TagPlan(os.fspath(root), actions, WriteOptions(touch=touch))


def fake_embedding(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let photos be any bytes, and embed keywords as a line after their first one."""

    class Tool:
        def __init__(self, path: str) -> None:
            pass

        def __enter__(self) -> Tool:
            return self

        def __exit__(self, *error: object) -> None:
            pass

    def embed(tool: Tool, photo: str, temp: str, change: Change) -> bool:
        head, rest = Path(photo).read_bytes().split(b"\n", 1)
        if rest.startswith(MARK):
            rest = rest.split(b"\n", 1)[1]
        words = ",".join(change.tags.keywords).encode() if change.tags else b""
        line = MARK + words + b"\n" if words else b""
        if (content := head + b"\n" + line + rest) == Path(photo).read_bytes():
            return False
        with open(temp, "xb") as file:
            file.write(content)
        return True

    monkeypatch.setattr(prepare, "ExifTool", Tool)
    for module in (applying, prepare):
        monkeypatch.setattr(module, "find_exiftool", lambda: "exiftool")
    monkeypatch.setattr(prepare, "embed", embed)


MARK = b"keywords: "


def make_photos(root: Path, count: int = 4, size: int = 3000) -> list[Path]:
    """Make photos for :func:`fake_embedding`, and return them."""
    noise = random.Random(1)
    return [
        write(
            root / f"in{i % 2}" / f"{i}.jpg",
            b"photo\n" + noise.randbytes(size + i),
            1_500_000_000 + i,
        )
        for i in range(count)
    ]
