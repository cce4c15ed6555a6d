"""Photos to tag, and the keywords in their sidecars."""

from __future__ import annotations

from pathlib import Path

from mnv2cli.tagging.xmp.read import read_keywords
from tests.sorting.trees import draw_fish, restore_times

THEIRS = """<x:xmpmeta xmlns:x="adobe:ns:meta/">
 <rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
  <rdf:Description rdf:about="" xmlns:dc="http://purl.org/dc/elements/1.1/">
   <dc:subject>
    <rdf:Bag>
     <rdf:li>holiday</rdf:li>
    </rdf:Bag>
   </dc:subject>
  </rdf:Description>
 </rdf:RDF>
</x:xmpmeta>
"""
"""A sidecar with a keyword of a person."""


def fish_with_sidecar(folder: Path) -> Path:
    """Make the folder ``photos``: three fish, a snake with a sidecar, and no image."""
    photos = draw_fish(folder)
    (photos / "3.xmp").write_text(THEIRS)
    restore_times(folder)
    return photos


def words(path: Path | str) -> tuple[str, ...]:
    """Return the flat keywords of a sidecar."""
    return read_keywords(Path(path).read_bytes()).subjects
