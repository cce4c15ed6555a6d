"""Fit a head on the features of a training set, and measure it on photos it did not see."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from mnv2cli.learning.folds import divide
from mnv2cli.learning.metrics import fit_temperature, log_losses, softmax
from mnv2cli.learning.solver import Space, Task, Weights, solve
from mnv2cli.learning.training_set import check
from mnv2cli.learning.unlikeness import learn_unknown
from mnv2cli.models.head import normalise

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from mnv2cli.learning.training_set import TrainingSet
    from mnv2cli.models.unknown import Unknown

USUAL = 10.0
"""The C that suits most sets of photos."""
LOWER, HIGHER = (1.0, 0.1), (100.0,)
"""Other values of C to choose from; accuracy changes little between two of them."""


@dataclass(frozen=True, eq=False)
class FitOptions:
    """How to fit.

    Attributes:
        folds: The largest number of folds; fewer if a class has fewer groups.
        seed: The seed of the folds.
        strength: C, the inverse strength of the L2 penalty; None to choose it by cross-validation.
        start: Kernel and bias of an earlier fit of the same classes and features, to start at.
    """

    folds: int = 5
    seed: int = 0
    strength: float | None = None
    start: tuple[NDArray[np.float32], NDArray[np.float32]] | None = None


@dataclass(frozen=True, eq=False)
class Fitted:
    """A fitted head, and how it did on photos it did not see.

    Attributes:
        kernel: float32 [d, k]; the temperature is folded in.
        bias: float32 [k]; the temperature is folded in.
        unknown: The measure of what is unlike all classes.
        strength: C; give it to ``FitOptions`` to relearn faster.
        temperature: What the logits were divided by.
        folds: The fold in which each photo was held out, int [n].
        out_of_fold: The calibrated scores of each photo by the model that did not see its fold,
            float32 [n, k].
        uncalibrated: The same before the temperature, float32 [n, k].
    """

    kernel: NDArray[np.float32]
    bias: NDArray[np.float32]
    unknown: Unknown
    strength: float
    temperature: float
    folds: NDArray[np.int64]
    out_of_fold: NDArray[np.float32]
    uncalibrated: NDArray[np.float32]


def fit(training: TrainingSet, options: FitOptions | None = None) -> Fitted:
    """Fit a head; the same set and options give the same result.

    The head is a multinomial logistic regression on features of length 1, with balanced classes.
    C is 10, unless another has a clearly lower log loss on held-out photos. The scores of
    ``out_of_fold`` do not profit from this choice: for each fold, the other folds choose C.

    Give ``out_of_fold`` to ``metrics.measure`` for the figures.

    Raises:
        InputError: The set cannot be learned from; see ``training_set.check``.
    """
    from threadpoolctl import threadpool_limits

    options = options or FitOptions()
    check(training)
    # With one thread the sums, and so the head, are the same on all machines with one BLAS; the
    # matrices are so small that more threads gain little.
    with threadpool_limits(1):
        return _fit(training, options)


def _fit(training: TrainingSet, options: FitOptions) -> Fitted:
    import numpy as np

    normalised = normalise(training.features)
    classes = training.classes
    space = Space(normalised)
    folds = divide(classes, training.groups, options.folds, options.seed)
    path = _path(space.points, training, folds, options.strength)
    losses = {each: _losses(path[each], classes) for each in path}
    strength = _best(losses)
    logits = _honest(path, losses, folds)
    temperature = fit_temperature(logits, classes)
    out_of_fold = softmax(logits / temperature)
    start = None
    if options.start is not None:
        kernel, bias = options.start
        if kernel.shape == (normalised.shape[1], len(training.names)):
            start = Weights(space.inward(kernel * temperature), bias * temperature)
    weights = solve(Task(space.points, classes, len(training.names)), strength, start)
    kernel = space.outward(weights.kernel)
    return Fitted(
        kernel=(kernel / temperature).astype(np.float32),
        bias=(weights.bias / temperature).astype(np.float32),
        unknown=learn_unknown(normalised, classes, folds, out_of_fold),
        strength=strength,
        temperature=temperature,
        folds=folds,
        out_of_fold=out_of_fold,
        uncalibrated=softmax(logits),
    )


def _path(
    points: NDArray[np.float32],
    training: TrainingSet,
    folds: NDArray[np.int64],
    strength: float | None,
) -> dict[float, NDArray[np.float32]]:
    """Return the held-out logits [n, k] by C.

    From the usual C it walks down, then up, for as long as the log loss falls. The heads of the
    folds start at those of the C before, never at a head that saw their fold.
    """
    if strength is not None:
        return {strength: _held_out(points, training, folds, strength)[0]}
    first, starts = _held_out(points, training, folds, USUAL)
    path = {USUAL: first}
    for walk in (LOWER, HIGHER):
        heads, loss = starts, _losses(first, training.classes).mean()
        for each in walk:
            path[each], heads = _held_out(points, training, folds, each, heads)
            before, loss = loss, _losses(path[each], training.classes).mean()
            if loss >= before:
                break
    return path


def _held_out(
    points: NDArray[np.float32],
    training: TrainingSet,
    folds: NDArray[np.int64],
    strength: float,
    starts: dict[int, Weights] | None = None,
) -> tuple[NDArray[np.float32], dict[int, Weights]]:
    """Return the held-out logits [n, k] for one C, and the head of each fold."""
    import numpy as np

    count = len(training.names)
    logits = np.empty((len(points), count), dtype=np.float32)
    heads = {}
    for fold in range(int(folds.max()) + 1):
        held_out = folds == fold
        task = Task(points[~held_out], training.classes[~held_out], count)
        heads[fold] = solve(task, strength, starts[fold] if starts else None)
        logits[held_out] = heads[fold].logits(points[held_out])
    return logits, heads


def _best(
    losses: dict[float, NDArray[np.float64]], chosen: NDArray[np.bool_] | slice = slice(None)
) -> float:
    """Return C with the lowest log loss of the chosen photos, if it is clearly the lowest.

    Accuracy changes so little with C that the lowest loss is often chance: the usual C stays
    unless the mean difference is twice its standard error.
    """
    import numpy as np

    best = min(losses, key=lambda each: losses[each][chosen].mean())
    usual = losses.get(USUAL)
    if usual is None or best == USUAL:
        return best
    gains = usual[chosen] - losses[best][chosen]
    clear = gains.mean() > 2 * gains.std() / np.sqrt(len(gains))
    return best if clear else USUAL


def _losses(logits: NDArray[np.float32], classes: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return the log loss of each photo at the best temperature: that of the folded head."""
    return log_losses(softmax(logits / fit_temperature(logits, classes)), classes)


def _honest(
    path: dict[float, NDArray[np.float32]],
    losses: dict[float, NDArray[np.float64]],
    folds: NDArray[np.int64],
) -> NDArray[np.float32]:
    """Return the held-out logits of each fold by the C that is best for the other folds."""
    import numpy as np

    chosen = np.empty_like(next(iter(path.values())))
    for fold in range(int(folds.max()) + 1):
        held_out = folds == fold
        chosen[held_out] = path[_best(losses, ~held_out)][held_out]
    return chosen
