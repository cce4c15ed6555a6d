"""Read which photos are of which class: from the keywords that people gave them."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from mnv2cli.errors import InputError, NoImagesError
from mnv2cli.learning.dataset import OWN_FOLDER, Example, Examples, check_folder
from mnv2cli.learning.targets import AmbiguousNameError, finder_in, listed
from mnv2cli.learning.training_set import FEWEST_PHOTOS
from mnv2cli.models.class_names import same_key, why_refused
from mnv2cli.models.learned_file import RESERVED
from mnv2cli.results.check import OWN_FILE
from mnv2cli.results.thumbnail_files import is_thumbnail_path
from mnv2cli.sources.finder import Finder
from mnv2cli.sources.names import natural_sorted, path_parts, suffix_of
from mnv2cli.sources.options import Filters
from mnv2cli.system.messages import count
from mnv2cli.tagging.known import photo_keywords
from mnv2cli.tagging.sidecars import SUFFIX, Sidecars
from mnv2cli.tagging.xmp.keywords import XmpError
from mnv2cli.tagging.xmp.words import fold

NO_KEYWORD = "no keyword"
OTHER_KEYWORD = "no keyword of a class"
SEVERAL = "keywords of several classes"
AMBIGUOUS = "ambiguous keyword"
"""Why photos are skipped, up to the colon."""

_WHERE = (
    "Write keywords with your photo program, or with exiftool: exiftool -subject+=kitchen "
    "photo.jpg. Sidecars must be beside the photos, as photo.jpg.xmp or photo.xmp."
)
_CLASSES_HINT = "Name the keywords that are classes: --keyword kitchen --keyword bath."
_SHOWN = 6  # keywords in a message


@dataclass(frozen=True, slots=True)
class KeywordClasses:
    """Take the class of a photo from its keywords: those of people, not those of ``mnv2 tag``.

    Attributes:
        words: The keywords that are classes, ignoring case; ``WORD=CLASS`` gives a word another
            class, also one that several words share. Empty for all keywords.

    Raises:
        InputError: A word is empty, or has two classes.
    """

    words: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if isinstance(self.words, str):
            raise InputError("words must be a tuple of keywords, not a string")
        seen: dict[str, str] = {}
        for each in self.words:
            word, name = _split(each)
            if not word or not name:
                raise InputError(
                    f"the keyword {each!r} is not a word or WORD=CLASS", "For example: tub=bath"
                )
            if seen.setdefault(fold(word), name) != name:
                raise InputError(
                    f"the keyword {word!r} has two classes: {seen[fold(word)]!r} and {name!r}",
                    "Omit one of them.",
                )

    @property
    def named(self) -> tuple[str, ...]:
        """The classes of the words, each once."""
        return tuple(dict.fromkeys(name for name, _ in self.classes.values()))

    @property
    def classes(self) -> dict[str, tuple[str, bool]]:
        """By each word, folded: its class, and whether it was named with ``=``."""
        return {fold(_split(each)[0]): (_split(each)[1], "=" in each) for each in self.words}


def _split(text: str) -> tuple[str, str]:
    word, sign, name = text.partition("=")
    return word.strip(), (name if sign else word).strip()


@dataclass
class _Tagged:
    """The photos of a folder with their keywords."""

    folder: str
    photos: list[tuple[str, tuple[str, ...]]] = field(default_factory=list)
    skipped: list[tuple[str, str]] = field(default_factory=list)
    ours: int = 0  # photos with keywords of this tool alone

    def words(self) -> Counter[str]:
        """Return how many photos have each keyword, as spelled."""
        return Counter(word for _, words in self.photos for word in words)

    def frequent(self) -> str:
        """Return the most frequent keywords, for a message."""
        counts: Counter[str] = Counter()
        spelled = _spelled({word: fold(word) for word in self.words()}, self.words())
        for word, number in self.words().items():
            counts[fold(word)] += number
        shown = [f"{spelled[key]} ({number:,})" for key, number in counts.most_common(_SHOWN)]
        more = len(counts) - len(shown)
        return ", ".join(shown) + (f" and {more:,} more" if more > 0 else "")


def from_keywords(folder: str, chosen: KeywordClasses, filters: Filters | None = None) -> Examples:
    """Return the photos below a folder, in any layout, each with the class that its keyword names.

    Without chosen words, each keyword of enough photos is a class. Photos without a keyword, and
    those with keywords of several classes, are skipped with that reason.

    Args:
        folder: The folder, on this machine.
        chosen: Which keywords are classes.
        filters: Which files to use.

    Raises:
        InputError: It is not a folder, or cannot be listed.
        NoImagesError: No photo has a class.
    """
    tagged = _read(folder, filters)
    spellings = tagged.words()
    explicit: dict[Hashable, str] = {}
    classes: dict[str, Hashable] = {}
    if chosen.words:
        for key, (name, is_named) in chosen.classes.items():
            classes[key] = fold(name)
            if is_named:
                explicit[fold(name)] = name
    else:
        for key in _learnable(tagged.photos):
            classes[key] = key
    texts = {word: classes[fold(word)] for word in spellings if fold(word) in classes}
    typed: dict[Hashable, str] = {fold(name): name for name, _ in chosen.classes.values()}
    names = {**typed, **_spelled(texts, spellings), **explicit}
    found = _examples(tagged, classes, names, _only)
    _check(found, tagged)
    used = {photo.name for photo in found.photos}
    wanted = {names[fold(name)] for name, _ in chosen.classes.values()}
    found.names = tuple(natural_sorted(list(used | wanted)))
    return found


def labelled_by_keywords(
    folder: str,
    chosen: KeywordClasses,
    class_names: Sequence[str],
    filters: Filters | None = None,
) -> Examples:
    """Return the photos below a folder whose keywords mean something to a model.

    Of several keywords where one is below the others in the tree, such as ``animal`` and ``dog``,
    the most specific one counts; otherwise the photo is skipped.

    Args:
        folder: The folder, on this machine.
        chosen: Which keywords count, and which class or node they name.
        class_names: The classes of the model; empty for ImageNet's.
        filters: Which files to use.

    Raises:
        InputError: It is not a folder, or a chosen keyword means nothing to the model.
        NoImagesError: No photo has a class.
    """
    tagged = _read(folder, filters)
    find = finder_in(class_names)
    spellings = tagged.words()
    chosen_classes = chosen.classes
    if chosen.words:
        for word, (name, is_named) in chosen_classes.items():
            if find(name) is None:
                raise _unknown(name, class_names, word if is_named else "")
    classes: dict[str, Hashable] = {}
    texts: dict[str, Hashable] = {}
    numbers: Counter[str] = Counter()
    ambiguous: dict[str, str] = {}
    for word, number in spellings.items():
        key = fold(word)
        if chosen.words and key not in chosen_classes:
            continue
        text = chosen_classes[key][0] if chosen.words and chosen_classes[key][1] else word
        try:
            target = find(text)
        except AmbiguousNameError as error:
            ambiguous[key] = f"{AMBIGUOUS}: {word}: {' or '.join(error.choices)}"
            continue
        if target is not None:
            text = target.title if class_names else text
            classes[key] = texts[text] = target.classes
            numbers[text] += number
    found = _examples(tagged, classes, _spelled(texts, numbers), _most_specific, ambiguous)
    _check(found, tagged)
    found.names = tuple(natural_sorted(list({photo.name for photo in found.photos})))
    return found


def skipped_photos(found: Examples) -> list[tuple[str, str]]:
    """Return the photos that were skipped because of their keywords, with the reasons."""
    kinds = (NO_KEYWORD, SEVERAL, AMBIGUOUS, "unreadable ")
    return [(path, why) for path, why in found.skipped if why.startswith(kinds)]


def _read(folder: str, filters: Filters | None) -> _Tagged:
    check_folder(folder, "Give the folder of the photos.")
    found = _Tagged(folder)
    sidecars = Sidecars()
    for place, names in _photos(found, filters or Filters()).items():
        raws = sidecars.raws(place, names)
        for name in names:
            path = os.path.join(place, name)
            shot = [os.path.join(place, raw) for raw in raws.get(name, ())]
            try:
                known = photo_keywords(path, sidecars, shot)
            except XmpError as error:
                found.skipped.append((path, str(error)))
                continue
            found.photos.append((path, known.theirs))
            found.ours += bool(known.ours and not known.theirs)
    return found


def _photos(found: _Tagged, filters: Filters) -> dict[str, list[str]]:
    """Return the names of the photos in each folder; note the skipped files."""
    depth = len(path_parts(found.folder))
    by_folder: dict[str, list[str]] = {}

    def skip(path: str, why: str) -> None:
        if suffix_of(path) != SUFFIX:  # a sidecar is read with its photo
            found.skipped.append((path, why))

    finder = Finder([found.folder], filters, skip)
    for source in finder:
        if OWN_FOLDER in path_parts(source.path)[depth:]:
            found.skipped.append((source.path, "hidden"))
        elif is_thumbnail_path(source.path):
            found.skipped.append((source.path, OWN_FILE))
        elif source.error:
            found.skipped.append((source.path, source.error))
        else:
            place, name = os.path.split(source.path)
            by_folder.setdefault(place, []).append(name)
    return by_folder


def _learnable(photos: Sequence[tuple[str, tuple[str, ...]]]) -> set[str]:
    """Return the keywords, folded, that enough photos have, and have alone among these."""
    sets = [{fold(word) for word in words if _is_class_name(word)} for _, words in photos]
    numbers = Counter(key for each in sets for key in each)
    chosen = {key for key, number in numbers.items() if number >= FEWEST_PHOTOS}
    while True:
        single = Counter(key for each in sets if len(each & chosen) == 1 for key in each & chosen)
        few = {key for key in chosen if single[key] < FEWEST_PHOTOS}
        if not few or few == chosen:
            return chosen
        chosen -= few


def _is_class_name(word: str) -> bool:
    return not why_refused(word) and same_key(word) not in RESERVED


def _spelled(classes: Mapping[str, Hashable], numbers: Mapping[str, int]) -> dict[Hashable, str]:
    """Return the name of each class: the word of it that most photos have, as they spell it."""
    found: dict[Hashable, str] = {}
    for word in sorted(classes, key=lambda word: (-numbers[word], word)):
        found.setdefault(classes[word], word)
    return found


Choose = Callable[[list[Hashable]], Hashable | None]
"""Returns the class that several give; None if they contradict each other."""


def _examples(
    tagged: _Tagged,
    classes: Mapping[str, Hashable],
    names: Mapping[Hashable, str],
    choose: Choose,
    ambiguous: Mapping[str, str] | None = None,
) -> Examples:
    found = Examples(tagged.folder, (), skipped=tagged.skipped, hint=_CLASSES_HINT)
    for path, words in tagged.photos:
        keys = list(map(fold, words))
        mine = list(dict.fromkeys(classes[key] for key in keys if key in classes))
        why = ""
        unclear = [ambiguous[key] for key in keys if key in ambiguous] if ambiguous else []
        if not words:
            why = NO_KEYWORD
        elif not mine and unclear:
            why = unclear[0]
        elif not mine:
            why = f"{OTHER_KEYWORD}: {', '.join(words)}"
        elif (one := choose(mine)) is None:
            why = f"{SEVERAL}: {', '.join(natural_sorted([names[each] for each in mine]))}"
        else:
            found.photos.append(Example(path, names[one]))
        if why:
            found.skipped.append((path, why))
    return found


def _only(classes: list[Hashable]) -> Hashable | None:
    return classes[0] if len(classes) == 1 else None


def _most_specific(classes: list[Hashable]) -> Hashable | None:
    sets = [each for each in classes if isinstance(each, frozenset)]
    least = min(sets, key=len)
    return least if all(least <= each for each in sets) else None


def _check(found: Examples, tagged: _Tagged) -> None:
    """Check that photos have classes; raises NoImagesError, which says where it looked."""
    if found.photos:
        return
    if not tagged.photos:
        why = Counter(why.partition(":")[0] for _, why in found.skipped)
        shown = ", ".join(f"{each} {number:,}" for each, number in why.most_common())
        raise NoImagesError(
            f"no photos with keywords in {tagged.folder!r}",
            (f"Skipped: {shown}. " if shown else "") + _WHERE,
        )
    photos = count(len(tagged.photos), "photo")
    if not tagged.words():
        mine = (
            f"; keywords of mnv2 tag do not count ({count(tagged.ours, 'photo')} with them alone)"
        )
        raise NoImagesError(
            f"none of the {photos} in {tagged.folder!r} has keywords: neither in the photo (XMP, "
            f"IPTC) nor in a sidecar beside it{mine if tagged.ours else ''}",
            _WHERE,
        )
    why = Counter(why.partition(":")[0] for _, why in skipped_photos(found))
    shown = ", ".join(f"{each} {number:,}" for each, number in why.most_common())
    raise NoImagesError(
        f"none of the {photos} in {tagged.folder!r} has a keyword of exactly one class: {shown}",
        f"The most frequent keywords are {tagged.frequent()}. {_CLASSES_HINT}",
    )


def _unknown(name: str, class_names: Iterable[str], word: str) -> InputError:
    """Return the error about a chosen class; ``word``: the keyword that it was named for."""
    names = list(class_names)
    what = f"the class of the keyword {word!r}, {name!r}," if word else f"the keyword {name!r}"
    other = f"--keyword {word or name}=CLASS"
    if names:
        classes = f"Its classes are {listed(names)}."
        way_out = f"Name one of them: {other}" if word else (
            f"To give a keyword another class: {other}"
        )  # fmt: skip
        return InputError(f"{what} is not a class of the model", f"{classes} {way_out}")
    return InputError(
        f"{what} is not a class of ImageNet, a category or a node of the tree",
        f"Name one of these (see mnv2 labels): {other}",
    )
