"""Learn from corrections: photos that the user moved to another class in a sorted folder."""

from __future__ import annotations

import os
from contextlib import closing
from dataclasses import dataclass, replace
from time import perf_counter
from typing import Any

from mnv2cli.errors import InputError, NoImagesError
from mnv2cli.images.options import ImageOptions
from mnv2cli.inference.classifier import Classifier
from mnv2cli.learning.compare import folders_for, predicted_without
from mnv2cli.learning.corrections import SortedPhotos, read_sorted
from mnv2cli.learning.dataset import Examples, check_classes
from mnv2cli.learning.earlier import (
    EarlierFinder,
    EarlierPhotos,
    corrections_of,
    folders_of,
    model_file,
    open_earlier,
)
from mnv2cli.learning.fit import FitOptions
from mnv2cli.learning.gather import Embedder
from mnv2cli.learning.learned import Learned
from mnv2cli.learning.model_file import (
    check_model_output,
    describe_training,
    replacing,
    write_model,
)
from mnv2cli.learning.options import LearnOptions, Running
from mnv2cli.learning.preload import preloading
from mnv2cli.learning.report import Moved, Relearned, Unused
from mnv2cli.learning.summary import HOW_TO_RENAME
from mnv2cli.learning.training import (
    About,
    Outcome,
    fit_and_measure,
    group_keys,
    open_network,
    report,
    training_set,
)
from mnv2cli.learning.truth import Truth, check_left, combine
from mnv2cli.models.head import Head
from mnv2cli.models.learned_file import LearnedContent
from mnv2cli.models.options import ModelOptions
from mnv2cli.models.weights import digest as weights_digest
from mnv2cli.system.messages import count


@dataclass(frozen=True)
class Corrections:
    """What to learn from, and where to.

    Attributes:
        dest: The folder that ``mnv2 sort`` made.
        output: The file of the new model.
        given: The training photos; None for those of the earlier model.
        model: The earlier model, if it is not the file of the new one; else the network.
    """

    dest: str
    output: str
    given: Examples | None
    model: ModelOptions

    @property
    def earlier(self) -> str:
        """The path of the earlier model; empty for none."""
        if file := model_file(self.model.name):
            return file
        return self.output if os.path.isfile(self.output) else ""

    @property
    def replaces(self) -> bool:
        """Whether the new model replaces the earlier one."""
        path = self.earlier
        return os.path.isfile(self.output) and bool(path) and os.path.samefile(path, self.output)


def relearn(what: Corrections, options: LearnOptions, running: Running) -> Learned:
    """Learn the corrections of a sorted folder in addition to earlier photos.

    The photos that were learned before, and those that the user moved to another class, are the
    truth; where both have a photo, the user's folder counts. Photos that were not moved are learned
    only with ``options.trust_all``: the user may not have looked at them.

    Raises:
        InputError: There is no earlier model, or its photos cannot be found.
        NoImagesError: There are no new corrections.
        OutputError: The file cannot be written; the earlier model remains.
    """
    check_model_output(what.output, force=options.force or what.replaces)
    if not os.path.isdir(what.dest):
        raise InputError(f"{what.dest!r} is not a folder", "Name the folder that mnv2 sort made.")
    return _Relearner(what, options, running).run()


class _Relearner:
    def __init__(self, what: Corrections, options: LearnOptions, running: Running) -> None:
        self._what = what
        self._options = options
        self._running = running
        self._earlier: LearnedContent | None = open_earlier(what.earlier) if what.earlier else None
        if self._earlier is None and what.given is None:
            raise InputError(
                f"there is no earlier model to correct: {what.output!r} does not exist",
                "Name it with --model FILE.keras, or name the folder of its training photos too.",
            )
        names = self._earlier.class_names if self._earlier else ()
        given = what.given.names if what.given else ()
        self._names = (*names, *(name for name in given if name not in names))

    def run(self) -> Learned:
        what, running = self._what, self._running
        classifier = self._open()
        embedder = Embedder(classifier, cache=self._options.cache, watch=running.watch)
        with closing(embedder), preloading():
            classifier.load()  # the cache of features depends on it
            there = read_sorted(what.dest, self._names, running.filters, embedder.digest)
            earlier = self._earlier_photos(embedder)
            names = (*self._names, *there.new_names)
            check_classes(names, what.dest)
            photos = embedder.embed(
                [*earlier.examples, *there.corrected, *there.added, *there.unmoved]
            )
        start = perf_counter()
        truth = combine(photos, earlier, there, names, trust_all=self._options.trust_all)
        names = truth.names
        check_left(truth, what.dest)
        if not truth.new and not truth.trusted and not truth.dropped:
            raise _nothing_new(what.dest, there)
        training = training_set(truth.photos, names, self._keys(truth, earlier))
        outcome = fit_and_measure(training, truth.photos.digests, self._fit_options(names))
        about = describe_training(training, truth.photos.digests, outcome.fitted, outcome.metrics)
        about |= {"group_by": self._group_by, "folders": self._folders()}
        about |= self._chosen(truth)
        with replacing(what.output, keep=what.replaces) as backup:
            fitted, force = outcome.fitted, self._options.force or what.replaces
            write_model(what.output, classifier, names, fitted, about, replace=force)
        seconds = perf_counter() - start
        unused = Unused(
            tuple(what.given.skipped) if what.given else (),
            tuple(photos.unreadable),
            truth.copies,
            truth.conflicts,
        )
        made = report(
            outcome,
            About(what.output, classifier.network.name, what.dest, "", unused, seconds),
        )
        relearned = self._relearned(truth, there, outcome)
        return replace(
            made,
            relearned=replace(relearned, backup=backup, lost=earlier.lost),
            sorted_folder=what.dest,
        )

    # The earlier model

    def _open(self) -> Classifier:
        """Return a classifier with the network of the earlier model."""
        earlier, model = self._earlier, self._what.model
        if earlier is None:
            return open_network(model, self._running)
        if not model_file(model.name) and model.is_explicit:
            raise InputError(
                f"--model {model.name} cannot be combined with --from-sorted: the network is that "
                f"of {self._what.earlier}",
                "Omit --model.",
            )
        images, usual = self._running.images, ImageOptions()
        learned = {"fit": earlier.fit, "interpolation": earlier.interpolation}
        own: dict[str, Any] = {
            name: value
            for name, value in learned.items()
            if getattr(images, name) == getattr(usual, name)
        }
        running = replace(self._running, images=replace(images, **own))
        classifier = open_network(earlier.backbone, running)
        network = classifier.network
        path = network.find()
        if earlier.weights and path and weights_digest(path) != earlier.weights:
            raise InputError(
                f"{self._what.earlier} was learned with other weights of {network.name}",
                "Learn it again from its photos: mnv2 learn FOLDER -o FILE.keras --force",
            )
        if earlier.thresholds:
            self._running.events.warning(
                "the thresholds of mnv2 calibrate do not fit the new model, and are removed"
            )
        return classifier

    def _earlier_photos(self, embedder: Embedder) -> EarlierPhotos:
        if self._what.given is not None:
            return EarlierPhotos(list(self._what.given.photos))
        assert self._earlier is not None
        finder = EarlierFinder(
            self._what.earlier, self._earlier, embedder.digest, embedder.find_content
        )
        return finder.find(self._running.filters, self._what.dest)

    def _folders(self) -> list[str]:
        """Return the folders and files that the new model is learned from."""
        folders = [os.path.abspath(self._what.dest)]
        if self._what.given is not None:
            folders.insert(0, os.path.abspath(self._what.given.source))
        elif self._earlier is not None:
            folders = [*folders_of(self._earlier), *folders]
        return list(dict.fromkeys(folders))

    def _chosen(self, truth: Truth) -> dict[str, Any]:
        """Return which contents have the class that the user, or an earlier model, chose."""
        is_used = self._earlier is not None and self._what.given is None
        known = corrections_of(self._earlier) if self._earlier and is_used else {}
        known[os.path.abspath(self._what.dest)] = truth.corrected
        contents = set(truth.photos.digests)
        return {
            "corrections": {
                folder: sorted(each & contents) for folder, each in sorted(known.items())
            },
            "answers": sorted(truth.answers),
        }

    @property
    def _group_by(self) -> str:
        known = self._earlier.training.get("group_by", "") if self._earlier else ""
        return self._options.group_by or (known if isinstance(known, str) else "")

    def _keys(self, truth: Truth, earlier: EarlierPhotos) -> dict[str, str]:
        """Return what photos are grouped by; earlier photos without a path keep their group."""
        group_by = self._group_by
        found = [each for each in truth.photos.examples if os.path.lexists(each.path)]
        keys = group_keys(found, group_by)
        if group_by:
            for example, digest in zip(truth.photos.examples, truth.photos.digests, strict=True):
                if example.path not in keys and digest in earlier.groups:
                    keys[example.path] = f"\0{earlier.groups[digest]}"
        return keys

    def _fit_options(self, names: tuple[str, ...]) -> FitOptions:
        """Return options that make fitting start at the earlier head."""
        earlier = self._earlier
        if earlier is None:
            return FitOptions()
        strength = earlier.training.get("strength")
        is_usable = isinstance(strength, float | int) and 0 < strength < float("inf")
        is_same = names == earlier.class_names
        return FitOptions(
            strength=float(strength) if is_usable else None,  # type: ignore[arg-type]
            start=(earlier.head.kernel, earlier.head.bias) if is_same else None,
        )

    # The report

    def _relearned(self, truth: Truth, there: SortedPhotos, outcome: Outcome) -> Relearned:
        import numpy as np

        training, fitted = outcome.training, outcome.fitted
        old = predicted_without(training, truth.before, fitted) == training.classes
        now = fitted.out_of_fold.argmax(axis=1) == training.classes
        new = np.array(truth.new, dtype=np.int64)
        examples = [truth.photos.examples[each] for each in truth.new]
        moved = []
        for position, each in zip(truth.new, examples, strict=True):
            if each.path in there.folders:
                earlier = training.names[truth.before[position]] if position in truth.back else ""
                moved.append(Moved(each.path, earlier or there.folders[each.path], each.name))
        return Relearned(
            corrections=tuple(moved),
            added=len(examples) - len(moved),
            trusted=truth.trusted,
            answers=len(truth.answers),
            dropped=truth.dropped,
            accuracy_before=float(old.mean()),
            accuracy_after=float(now.mean()),
            corrected_before=int(old[new].sum()),
            corrected_after=int(now[new].sum()),
            would_move=self._would_move(truth, there, outcome),
            ignored=tuple(there.ignored),
            renamed=there.renamed,
            missing=there.missing,
        )

    def _would_move(self, truth: Truth, there: SortedPhotos, outcome: Outcome) -> tuple[Moved, ...]:
        """Return the photos that are neither learned nor in the folder of the new model."""
        fitted, names = outcome.fitted, outcome.training.names
        head = Head(fitted.kernel, fitted.bias, fitted.unknown)
        goals = folders_for(head, names, truth.others.features)
        found = []
        for example, goal in zip(truth.others.examples, goals, strict=True):
            folder = there.folders[example.path]
            current = example.name or folder.split("/")[0]
            if goal != current:
                found.append(Moved(example.path, folder, goal))
        return tuple(found)


def _nothing_new(dest: str, there: SortedPhotos) -> NoImagesError:
    """Return the error of a folder without new corrections, with what is not learned and why."""
    message = f"no new corrections in {dest!r}"
    if there.renamed:
        folders = ", ".join(f"{name} is {folder} now" for name, folder in there.renamed)
        return NoImagesError(f"{message}, but renamed folders: {folders}", HOW_TO_RENAME)
    if there.ignored:
        (path, why), more = there.ignored[0], len(there.ignored) - 1
        rest = f", and {count(more, 'other photo')}" if more else ""
        message += f"; not learned: {path}: {why}{rest}"
    return NoImagesError(
        message,
        "Move photos that are in a wrong folder to that of their class, then try again. "
        "--trust-all also learns from photos that were not moved.",
    )
