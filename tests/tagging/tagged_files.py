"""Photos and sidecars to plan tags for; only their names and packets matter."""

from __future__ import annotations

import os
import struct
from pathlib import Path

from mnv2cli.records import CategoryScore, Prediction, Record
from mnv2cli.tagging.actions import TagPlan
from mnv2cli.tagging.tags import Tags
from mnv2cli.tagging.xmp.edit import edit
from mnv2cli.tagging.xmp.keywords import Change

TABBY = Tags(("cat", "tabby"), (("cat", "tabby"),), "net", 0.8)
PUG = Tags(("dog", "pug"), (("dog", "pug"),), "net", 0.7)


def cat(path: object) -> Record:
    """Return the record that gives ``TABBY``."""
    prediction = Prediction("n02123045", "tabby", 0.8)
    return Record(str(path), (prediction,), "", "net", CategoryScore("cat", 0.9, 0.8))


def unsure(path: object) -> Record:
    """Return a record that gives no tags."""
    prediction = Prediction("n02123045", "tabby", 0.1)
    return Record(str(path), (prediction,), "", "net", CategoryScore("cat", 0.2, 0.1))


def failed(path: object, why: str = "empty file") -> Record:
    """Return the record of a photo that cannot be read."""
    return Record(str(path), error=why, model="net")


def touch(folder: Path, names: str) -> None:
    """Create files without content."""
    folder.mkdir(exist_ok=True)
    for name in names.split():
        (folder / name).touch()


def packet(tags: Tags | None = TABBY, before: bytes = b"", *, hierarchy: bool = False) -> bytes:
    """Return a packet with tags that this tool wrote."""
    made = edit(before, Change(tags, hierarchy=hierarchy, date="2024-05-06T07:08:09+02:00"))
    assert made is not None
    return made


def jpeg(tags: Tags | None = None) -> bytes:
    """Return the segments of a JPEG; with tags, in its packet."""
    head = b"\xff\xd8"
    if tags is not None:
        content = b"http://ns.adobe.com/xap/1.0/\0" + packet(tags)
        head += b"\xff\xe1" + struct.pack(">H", len(content) + 2) + content
    return head + b"\xff\xd9"


def shown(plan: TagPlan) -> list[tuple[str, str, str, str]]:
    """Return the actions: names of photos and files, methods and reasons."""
    return [
        (os.path.basename(each.source), each.method, os.path.basename(each.file), each.reason)
        for each in plan.actions
    ]
