"""Write what was learned into a file, and check before all work that this is possible."""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

from mnv2cli import __version__
from mnv2cli.errors import InputError, OutputError
from mnv2cli.models.head import Head
from mnv2cli.models.learned_file import LearnedContent
from mnv2cli.models.learned_template import write_learned
from mnv2cli.models.options import ModelOptions
from mnv2cli.models.weights import digest
from mnv2cli.results.check import already_exists, existing_folder
from mnv2cli.sources.urls import is_url
from mnv2cli.system.files import NO_SPACE, AtomicFile
from mnv2cli.system.messages import reason
from mnv2cli.system.urls import redact

if TYPE_CHECKING:
    from mnv2cli.inference.classifier import Classifier
    from mnv2cli.learning.fit import Fitted
    from mnv2cli.learning.metrics import Metrics
    from mnv2cli.learning.training_set import TrainingSet

SUFFIX = ".keras"


def check_model_output(path: str, *, force: bool) -> None:
    """Check that a model can be written to a file, before any work is done.

    Raises:
        InputError: Its name does not end in ``.keras``; it exists and ``force`` is not given; it is
            not a regular file; its folder does not exist or cannot be written to.
    """
    if is_url(path) or not path.lower().endswith(SUFFIX):
        raise InputError(
            f"cannot write a model to {redact(path)!r}: name a local file that ends in {SUFFIX}",
            "For example: -o mine.keras",
        )
    existing_folder(path)
    if os.path.islink(path) and not os.path.exists(path):
        target = os.path.realpath(path)
        raise InputError(
            f"cannot write {path!r}: it is a link to {target!r}, which does not exist",
            "Remove the link, or name another file.",
        )
    if os.path.lexists(path):
        if not os.path.isfile(path):
            kind = "a folder" if os.path.isdir(path) else "not a regular file"
            raise InputError(f"cannot write {path!r}: it is {kind}", "Name another file.")
        if not force:
            raise already_exists(path)
    folder = os.path.dirname(os.path.realpath(path))
    if not os.access(folder, os.W_OK):
        raise InputError(
            f"cannot write to {folder!r}: {_why_not(folder)}", "Name a file in a writable folder."
        )


def _why_not(folder: str) -> str:
    """Return why a folder cannot be written to, as the system says it."""
    try:
        os.rmdir(tempfile.mkdtemp(prefix=".mnv2-", dir=folder))
    except OSError as error:
        return reason(error)
    return "permission denied"


def check_not_a_photo(path: str, photos: Iterable[str]) -> None:
    """Check that the file of a model is none of the photos to learn from; raises InputError."""
    with suppress(OSError):
        target = os.stat(path)
        for photo in photos:
            if os.path.basename(photo) == os.path.basename(path) and os.path.samestat(
                os.stat(photo), target
            ):
                raise InputError(
                    f"the model would overwrite the input {photo!r}", "Name another file."
                )


def training_hash(digests: Sequence[str], names: Sequence[str]) -> str:
    """Return the SHA-256 of a training set, whatever the order and the names of its photos.

    Args:
        digests: The SHA-256 of each photo's content in hexadecimal.
        names: The class of each photo.
    """
    whole = hashlib.sha256()
    for digest_, name in sorted(zip(digests, names, strict=True)):
        whole.update(f"{digest_} {name}\n".encode("utf-8", "surrogatepass"))
    return whole.hexdigest()


def describe_training(
    training: TrainingSet, digests: Sequence[str], fitted: Fitted, metrics: Metrics
) -> dict[str, Any]:
    """Return how a model was learned, for its file: figures, and the class of each content.

    There is no date in it, so the same photos and options give the same file. ``contents`` has the
    class and the group of each photo by the SHA-256 of its content.
    """
    names = [training.names[each] for each in training.classes]
    contents = {
        digest_: [int(each), int(group)]
        for digest_, each, group in zip(digests, training.classes, training.groups, strict=True)
    }
    return {
        "mnv2cli": __version__,
        "hash": training_hash(digests, names),
        "photos": metrics.photos,
        "accuracy": round(metrics.top1, 6),
        "interval": [round(each, 6) for each in metrics.interval],
        "calibration_error": round(metrics.calibration_error, 6),
        "strength": fitted.strength,
        "temperature": round(fitted.temperature, 6),
        "classes": {
            each.name: {
                "photos": each.photos,
                "recall": round(each.recall, 6),
                "precision": round(each.precision, 6),
            }
            for each in metrics.classes
        },
        "contents": dict(sorted(contents.items())),
    }


def write_model(
    path: str,
    classifier: Classifier,
    names: tuple[str, ...],
    fitted: Fitted,
    training: dict[str, Any],
    *,
    replace: bool,
) -> None:
    """Write the file of a model beside its place, then move it there.

    Raises:
        OutputError: It exists and ``replace`` is not given, or it cannot be written; nothing is
            left behind.
    """
    network, images = classifier.network, classifier.options.images
    chosen = classifier.options.model
    published = "" if network.weights else network.find()
    content = LearnedContent(
        names,
        Head(fitted.kernel, fitted.bias, fitted.unknown),
        ModelOptions(network.family, chosen.alpha, chosen.size),
        digest(published) if published else "",
        images.fit,
        images.interpolation,
        training=training,
    )
    write_learned(path, content, network, replace=replace)


@contextmanager
def replacing(path: str, *, keep: bool) -> Iterator[str]:
    """Keep the model that a block replaces; yield the path of the copy, empty for none.

    ``mine.keras`` is kept as ``mine.previous.keras``, which replaces an older copy. If the block
    fails, nothing has changed.

    Args:
        path: The model.
        keep: Whether to keep it.

    Raises:
        OutputError: It cannot be kept.
    """
    if not keep:
        yield ""
        return
    copy = f"{path[: -len(SUFFIX)]}.previous{SUFFIX}"
    try:
        with open(path, "rb") as file:
            content = file.read()
        part = AtomicFile(copy)
    except OSError as error:
        raise _not_kept(path, copy, error) from error
    try:
        try:
            part.file.write(content)
            part.file.flush()  # a full disk is noticed before anything changes
        except OSError as error:
            raise _not_kept(path, copy, error) from error
        yield copy
        try:
            part.commit()
        except OSError as error:
            raise _not_kept(path, copy, error) from error
    finally:
        part.discard()


def _not_kept(path: str, copy: str, error: OSError) -> OutputError:
    hint = "Free some space." if error.errno in NO_SPACE else "Name another file with -o."
    return OutputError(f"cannot keep {path} as {copy}: {reason(error)}", hint)
