"""How to learn, and what runs it."""

from __future__ import annotations

from dataclasses import dataclass, field

from mnv2cli.engines.options import EngineOptions
from mnv2cli.events import RunEvents
from mnv2cli.images.options import ImageOptions
from mnv2cli.learning.gather import Watch, unwatched
from mnv2cli.learning.keywords import KeywordClasses
from mnv2cli.sources.options import Filters


@dataclass(frozen=True, slots=True)
class LearnOptions:
    """How to learn classes.

    Attributes:
        group_by: Photos that belong together, such as those of one house, are never split between
            learning and measuring: ``parent`` for those of a folder, or a regular expression whose
            first group in the path is the same; empty for none. Copies always belong together.
        force: Overwrite an existing file.
        cache: Use and fill the cache of features.
        trust_all: Of a sorted folder, learn also from photos that the user did not move.
        keywords: Take the class of a photo from its keywords; None for its subfolder.
    """

    group_by: str = ""
    force: bool = False
    cache: bool = True
    trust_all: bool = False
    keywords: KeywordClasses | None = None


@dataclass(frozen=True, slots=True)
class Running:
    """What runs: the options of the classifier, and who watches.

    Attributes:
        engine: The engine, its precision and its workers.
        images: How to decode images; the model remembers it.
        filters: Which files in folders to use.
        events: Callbacks for notices, warnings and downloads.
        watch: Shows the progress of computing features.
    """

    engine: EngineOptions = field(default_factory=EngineOptions)
    images: ImageOptions = field(default_factory=ImageOptions)
    filters: Filters = field(default_factory=Filters)
    events: RunEvents = field(default_factory=RunEvents)
    watch: Watch = unwatched
