"""How photos are tagged: the options that the user chooses."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal, get_args

from mnv2cli.errors import InputError
from mnv2cli.labels.categories import Categories
from mnv2cli.labels.categories_file import builtin
from mnv2cli.labels.tree import tree
from mnv2cli.sources.names import name_key

What = Literal["both", "category", "label"]
"""Which names become keywords."""

WHAT: tuple[What, ...] = get_args(What)

Style = Literal["full", "stem"]
"""The name of a new sidecar: ``full`` is ``photo.jpg.xmp``, ``stem`` is ``photo.xmp``."""

STYLES: tuple[Style, ...] = get_args(Style)


@dataclass(frozen=True)
class TagLists:
    """Which names may become keywords, and what they are called.

    Names are compared ignoring case.

    Attributes:
        allow: Only these names; empty for all.
        block: Not these names.
        rename: New names, by the old ones; applied last.
    """

    allow: Iterable[str] = ()
    block: Iterable[str] = ()
    rename: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name in ("allow", "block"):
            names = frozenset(each.casefold() for each in getattr(self, name))
            object.__setattr__(self, name, names)
        renamed = {old.casefold(): new for old, new in self.rename.items()}
        object.__setattr__(self, "rename", renamed)

    def word(self, name: str) -> str:
        """Return the keyword for a name; empty if it does not become one."""
        key = name.casefold()
        if (self.allow and key not in self.allow) or key in self.block:
            return ""
        return self.rename.get(key, name)


@dataclass(frozen=True)
class TagOptions:
    """Which keywords a photo gets.

    Attributes:
        what: Whether the category, the labels or both become keywords.
        threshold: The lowest score of a keyword, in [0, 1]. None for the defaults: 0.5 for
            categories and the user's classes, 0.3 for ImageNet labels.
        thresholds: With ``threshold`` None, the thresholds of single labels.
        max_tags: The maximum number of keywords of a photo, the category included.
        lists: Which names may become keywords.
        prefix: What precedes each keyword, such as ``auto/``; its parts between slashes are the
            first levels of hierarchical keywords.
        categories: Which category a label belongs to; None for the built-in categories.

    Raises:
        InputError: A value is out of range.
    """

    what: What = "both"
    threshold: float | None = None
    thresholds: Mapping[str, float] = field(default_factory=dict)
    max_tags: int = 5
    lists: TagLists = field(default_factory=TagLists)
    prefix: str = ""
    categories: Categories | None = None

    def __post_init__(self) -> None:
        if self.what not in WHAT:
            raise InputError(f"what must be {', '.join(WHAT)}, not {self.what!r}")
        if self.threshold is not None and not 0 <= self.threshold <= 1:
            raise InputError(f"threshold must be 0 to 1, not {self.threshold}")
        if self.max_tags < 1:
            raise InputError(f"max_tags must be at least 1, not {self.max_tags}")
        if not self.prefix.isprintable():
            raise InputError("the prefix of keywords has control characters")
        if "|" in self.prefix:
            raise InputError(
                f"the prefix {self.prefix!r} has '|', which separates levels of keywords",
                "Separate levels with a slash, such as auto/.",
            )
        if self.prefix and not all(part.strip() for part in self.prefix.rstrip("/").split("/")):
            raise InputError(
                f"the prefix {self.prefix!r} has a level without a name", "Use one such as auto/."
            )

    def word(self, name: str) -> tuple[str, str]:
        """Return the keyword for a name, without the prefix, and the key by which it is compared.

        It has no characters that no keyword can have, such as line ends. Both are empty for a name
        that does not become a keyword.
        """
        found = self._words.get(name)
        if found is None:
            word = self.lists.word(name)
            if not word.isprintable():
                word = "".join(each if each.isprintable() else " " for each in word)
            word = " ".join(word.split())
            found = self._words[name] = (word, name_key(word))
        return found

    @cached_property
    def _words(self) -> dict[str, tuple[str, str]]:
        return {}

    @cached_property
    def levels(self) -> tuple[str, ...]:
        """The first levels of hierarchical keywords."""
        return tuple(self.prefix.rstrip("/").split("/")) if self.prefix else ()

    @cached_property
    def category_of_class(self) -> dict[str, str]:
        """The name of the category of each class of ImageNet, by WordNet id."""
        made = self.categories or builtin()
        owners = made.of_class
        return {wnid: made.all[owners[index]].name for wnid, index in tree().classes.items()}

    @cached_property
    def category_names(self) -> frozenset[str]:
        """The names of the categories."""
        return frozenset(self.category_of_class.values())


@dataclass(frozen=True, slots=True)
class PlaceOptions:
    """Which file the keywords of a photo are written to.

    Attributes:
        embed: Write into the photo where its format allows it, else into a sidecar.
        style: The name of a new sidecar.
        refresh: Replace what earlier runs wrote; False to skip photos with tags of earlier runs.
        root: The folder of the run, which all photos are in; empty for the deepest such folder.
    """

    embed: bool = False
    style: Style = "full"
    refresh: bool = False
    root: str = ""
