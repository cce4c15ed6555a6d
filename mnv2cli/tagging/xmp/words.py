"""Words as XML can hold them, compared as photo programs compare them."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence

from mnv2cli.tagging.tags import Tags

_FORBIDDEN = re.compile("[\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f\ud800-\udfff\ufffe\uffff]")
_SPACES = re.compile("[\t\n\x0b\x0c\r\x85\u2028\u2029]+")
_SEPARATORS = {"hierarchy": "|", "tags_list": "/"}


def clean(word: str) -> str:
    """Return a word without control characters, as XML cannot hold them, and outer spaces."""
    if word.isascii() and word.isprintable():
        return word.strip()
    return _FORBIDDEN.sub("", _SPACES.sub(" ", word)).strip()


def fold(word: str) -> str:
    """Return what two words have in common that count as the same: NFC, without case."""
    if word.isascii():
        return word.strip().lower()
    composed = unicodedata.normalize("NFC", word.strip())
    return unicodedata.normalize("NFC", composed.casefold())


def escape(text: str) -> str:
    """Escape text for the content of an element or for an attribute in double quotes."""
    if "&" in text or "<" in text or ">" in text or '"' in text:
        text = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
        text = text.replace('"', "&quot;")
    return text


def words_of(tags: Tags, key: str) -> tuple[str, ...]:
    """Return the words of tags for one of the lists of a packet, cleaned, each once.

    Args:
        tags: The tags; without paths, each keyword is a path of one name.
        key: The list, a key of ``packet.LISTS``.
    """
    if key == "subject":
        return distinct(tags.keywords)
    separator = _SEPARATORS[key]
    paths = tags.paths or [(word,) for word in tags.keywords]
    names = ((clean(name).replace(separator, "-") for name in path) for path in paths)
    return distinct(separator.join(name for name in path if name) for path in names)


def distinct(words: Iterable[str]) -> tuple[str, ...]:
    """Return words cleaned, without empty ones and those that count as the same as earlier ones."""
    kept: dict[str, str] = {}
    for word in words:
        if cleaned := clean(word):
            kept.setdefault(fold(cleaned), cleaned)
    return tuple(kept.values())


def missing(words: Iterable[str], present: Iterable[str]) -> tuple[str, ...]:
    """Return the words that do not count as the same as one of those present."""
    known = {fold(word) for word in present}
    return tuple(word for word in words if fold(word) not in known)


def occurrences(texts: Sequence[str | None], words: Iterable[str]) -> list[int]:
    """Choose the items to remove: for each word its first occurrence, if it has any.

    Args:
        texts: The texts of the items; None for an item that this tool cannot have written.
        words: The words to remove.

    Returns:
        The positions of the items, in their order.
    """
    stripped = [text if text is None else text.strip() for text in texts]
    places: dict[str, int] = {}
    for position, text in enumerate(stripped):
        if text:
            places.setdefault(text, position)
    chosen: set[int] = set()
    others = []
    for word in distinct(words):
        if word in places:
            chosen.add(places[word])
        elif not word.isascii():
            others.append(unicodedata.normalize("NFC", word))
    if others:
        composed: dict[str, int] = {}
        for position, text in enumerate(stripped):
            if text and position not in chosen:
                composed.setdefault(unicodedata.normalize("NFC", text), position)
        chosen.update(composed[word] for word in others if word in composed)
    return sorted(chosen)


def without(words: Sequence[str], ours: Iterable[str]) -> list[str]:
    """Return words without those that removing ours would remove."""
    mine = set(occurrences(words, ours))
    return [word for position, word in enumerate(words) if position not in mine]
