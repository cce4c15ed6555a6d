"""The file of a learned model: one ordinary ``.keras`` file, which Keras alone can load.

Keras's own members hold the whole network: pixels 0 to 255 in, scores of the user's classes out.
Two members more hold what Keras does not need, and what mnv2 reads without Keras: the names of the
classes, the head, and how it was learned.
"""

from __future__ import annotations

import io
import json
import os
import re
import zipfile
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from mnv2cli.errors import WeightsError
from mnv2cli.models.class_names import same_key, why_refused
from mnv2cli.models.head import UNKNOWN, Head
from mnv2cli.models.options import ModelOptions
from mnv2cli.models.unknown import Unknown
from mnv2cli.models.untrusted import check_members
from mnv2cli.system.messages import reason

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np
    from numpy.typing import NDArray

ABOUT, ARRAYS = "mnv2.json", "mnv2.npz"
"""The members of mnv2."""

FORMAT = 1
"""Version of these members; a file with a higher one needs a newer mnv2."""

MAX_CLASSES = 10_000

RESERVED = (UNKNOWN, "unsure")
"""Names that no class may have: ``mnv2 sort`` puts other photos into folders of these names."""

_ESCAPED = re.compile("[\udc80-\udcff]")  # bytes that are not UTF-8
_LARGEST = 256 << 20  # bytes of a member of mnv2
_HINT = "Learn the model again with mnv2 learn."


@dataclass(frozen=True)
class LearnedContent:
    """What a learned model is, besides its network.

    Attributes:
        class_names: The names of the classes, in the order of the scores.
        head: From features to scores.
        backbone: The network that computes the features.
        weights: The SHA-256 of that network's published weights file; empty for others.
        fit: How images are fitted to the network, as in ``ImageOptions``.
        interpolation: How they are resized.
        thresholds: By class, the score below which ``mnv2 sort`` is unsure; classes without one
            have the usual threshold.
        training: How it was learned, as JSON has it: for people, and to learn it again.
    """

    class_names: tuple[str, ...]
    head: Head
    backbone: ModelOptions
    weights: str = ""
    fit: str = "crop"
    interpolation: str = "bilinear"
    thresholds: Mapping[str, float] = field(default_factory=dict)
    training: Mapping[str, Any] = field(default_factory=dict)


def is_learned(path: str) -> bool:
    """Return whether a file says that ``mnv2 learn`` wrote it; it may still be damaged."""
    try:
        if not os.path.isfile(path):
            return False
        with zipfile.ZipFile(path) as archive:
            return ABOUT in archive.namelist()
    except (OSError, zipfile.BadZipFile, NotImplementedError, ValueError):
        return False


def members(content: LearnedContent) -> dict[str, bytes]:
    """Return the members of mnv2 for a file, by name."""
    import numpy as np

    head, backbone = content.head, content.backbone
    about = {
        "format": FORMAT,
        "classes": list(content.class_names),
        "backbone": {
            "family": backbone.name,
            "alpha": backbone.alpha,
            "size": backbone.size,
            "weights": content.weights,
        },
        "images": {"fit": content.fit, "interpolation": content.interpolation},
        "thresholds": dict(content.thresholds),
        "training": dict(content.training),
    }
    arrays: dict[str, NDArray[Any]] = {"kernel": head.kernel, "bias": head.bias}
    if head.unknown is not None:
        arrays |= {f"unknown_{name}": each for name, each in head.unknown.arrays().items()}
    file = io.BytesIO()
    np.savez(file, allow_pickle=False, **arrays)
    text = json.dumps(about, ensure_ascii=True, indent=1, allow_nan=False)
    return {ABOUT: text.encode(), ARRAYS: file.getvalue()}


def read_learned(path: str) -> LearnedContent:
    """Return what a learned model is, without Keras.

    The network's own members are not read; :func:`~mnv2cli.models.untrusted.check_archive` checks
    them before Keras does.

    Raises:
        WeightsError: The file is damaged, from a newer version, or not from ``mnv2 learn``.
    """
    what = f"the model {path}"
    try:
        with zipfile.ZipFile(path) as archive:
            check_members(archive, what, _HINT)
            about = json.loads(_member(archive, ABOUT))
            arrays = _arrays(_member(archive, ARRAYS))
        if about["format"] != FORMAT:
            raise WeightsError(
                f"{what} has format {about['format']!r:.20}, and this mnv2 reads {FORMAT}",
                "Install a newer mnv2cli.",
            )
        return _content(about, arrays)
    except WeightsError:
        raise
    except OSError as error:
        raise WeightsError(f"cannot read {what}: {reason(error)}", "Check its path.") from error
    except Exception as error:  # of zipfile, json and numpy, and of content that does not fit
        text = " ".join(str(error).split())[:200] or type(error).__name__
        raise WeightsError(f"{what} is damaged ({text})", _HINT) from error


def _member(archive: zipfile.ZipFile, name: str) -> bytes:
    if archive.getinfo(name).file_size > _LARGEST:
        raise ValueError(f"{name} is too large")
    return archive.read(name)


def _arrays(content: bytes) -> dict[str, NDArray[np.float32]]:
    import numpy as np

    with zipfile.ZipFile(io.BytesIO(content)) as inner:
        if sum(member.file_size for member in inner.infolist()) > _LARGEST:
            raise ValueError(f"{ARRAYS} is too large")
    with np.load(io.BytesIO(content), allow_pickle=False) as arrays:
        found = {name: arrays[name] for name in arrays.files}
    for name, array in found.items():
        if array.dtype != np.float32 or not np.isfinite(array).all():
            raise ValueError(f"{name} is not of finite float32 numbers")
    return found


def _content(about: Any, arrays: dict[str, NDArray[np.float32]]) -> LearnedContent:
    """Return the checked content; raises many types for content that does not fit."""
    if not isinstance(about["classes"], list):
        raise ValueError("its classes are not a list")
    names = tuple(about["classes"])
    check_names(names)
    kernel, bias = arrays.pop("kernel"), arrays.pop("bias")
    if kernel.ndim != 2 or kernel.shape[1] != len(names) or bias.shape != (len(names),):
        raise ValueError("the head does not fit its classes")
    prefix = "unknown_"
    unknown = {name.removeprefix(prefix): each for name, each in arrays.items()}
    measure = Unknown.from_arrays(unknown) if unknown else None
    if measure is not None and measure.means.shape != kernel.T.shape:
        raise ValueError("its measure of unknown images does not fit its classes")
    backbone, images = about["backbone"], about["images"]
    thresholds = {str(name): float(value) for name, value in about["thresholds"].items()}
    if not all(name in names and 0 <= value <= 2 for name, value in thresholds.items()):
        raise ValueError("its thresholds are not scores of its classes")
    if not isinstance(about["training"], dict):
        raise ValueError("training is not an object")
    alpha, size = backbone["alpha"], backbone["size"]
    return LearnedContent(
        names,
        Head(kernel, bias, measure),
        ModelOptions(
            str(backbone["family"]),
            None if alpha is None else float(alpha),
            None if size is None else int(size),
        ),
        str(backbone["weights"]),
        str(images["fit"]),
        str(images["interpolation"]),
        thresholds,
        about["training"],
    )


def check_names(names: tuple[str, ...]) -> None:
    """Check names of classes; bytes of a folder's name that are not UTF-8 are allowed.

    Raises:
        ValueError: A name cannot be used, is that of a folder of ``mnv2 sort``, or occurs twice.
    """
    if not 2 <= len(names) <= MAX_CLASSES:
        raise ValueError(f"{len(names):,} classes, not 2 to {MAX_CLASSES:,}")
    seen: dict[str, str] = {}
    for name in names:
        if not isinstance(name, str):
            raise ValueError(f"a class is named {name!r:.40}")
        if why := why_refused(_ESCAPED.sub("?", name)):
            raise ValueError(f"the class {name!r:.60} {why}")
        if (key := same_key(name)) in RESERVED:
            raise ValueError(f"a class is named {name!r}, as a folder of mnv2 sort")
        if key in seen:
            raise ValueError(f"two classes have the same name: {seen[key]!r} and {name!r}")
        seen[key] = name
