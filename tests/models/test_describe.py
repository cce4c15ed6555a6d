"""Networks are described as in their papers."""

from __future__ import annotations

from typing import Any

import pytest

from mnv2cli.models import all_models, efficientnet_lite0
from mnv2cli.models.describe import describe, describe_model
from mnv2cli.models.efficientnet_lite0 import EfficientNetLite0
from mnv2cli.models.mobilenet_v2 import MobileNetV2
from mnv2cli.models.published import published


@pytest.mark.parametrize(
    "model",
    [MobileNetV2(), MobileNetV2(0.35, 96), MobileNetV2(0.75, 160), MobileNetV2(1.4),
     EfficientNetLite0()],
    ids=lambda model: model.model,
)  # fmt: skip
def test_published_figures_match_the_keras_model(model: Any) -> None:
    built = model.build_untrained()
    described, figures = describe(built), published()[model.model]
    assert described.parameters == figures.parameters
    assert described.multiply_adds == figures.multiply_adds
    assert described.parameters + described.statistics == built.count_params()
    assert described == describe_model(model)


def test_every_published_network_is_described_without_its_keras_model(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for model in all_models():
        monkeypatch.setattr(type(model), "build_untrained", lambda self: pytest.fail("built"))
        described, figures = describe_model(model), published()[model.model]
        assert described.parameters == figures.parameters
        assert described.multiply_adds == figures.multiply_adds
        assert (described.stages[0].size, described.stages[-1].channels) == (model.size, 1000)


def test_another_network_is_described_by_its_keras_model(model: Any) -> None:
    class Other:
        model = "other"
        head = None

        def build_untrained(self) -> Any:
            return model

    assert describe_model(Other()) == describe(model)  # type: ignore[arg-type]


def test_mobilenet_v2_matches_the_paper() -> None:
    described = describe(MobileNetV2().build_untrained())
    assert described.parameters == pytest.approx(3.4e6, rel=0.04)
    assert described.multiply_adds == pytest.approx(300e6, rel=0.01)
    # Table 2 of the paper: input, operator, t, c, n, s.
    rows = [
        (s.size, s.inputs, s.operator, s.expansion, s.channels, s.repeats, s.stride)
        for s in described.stages
    ]
    assert rows == [
        (224, 3, "conv2d", None, 32, 1, 2),
        (112, 32, "bottleneck", 1, 16, 1, 1),
        (112, 16, "bottleneck", 6, 24, 2, 2),
        (56, 24, "bottleneck", 6, 32, 3, 2),
        (28, 32, "bottleneck", 6, 64, 4, 2),
        (14, 64, "bottleneck", 6, 96, 3, 1),
        (14, 96, "bottleneck", 6, 160, 3, 2),
        (7, 160, "bottleneck", 6, 320, 1, 1),
        (7, 320, "conv2d", None, 1280, 1, 1),
        (7, 1280, "average pool", None, 1280, 1, 1),
        (1, 1280, "dense", None, 1000, 1, 1),
    ]


def test_lite0_is_described_by_its_stages() -> None:
    described = describe(EfficientNetLite0().build_untrained())
    rows = [
        (s.repeats, s.kernel, s.stride, s.expansion, s.channels)
        for s in described.stages
        if s.operator == "bottleneck"
    ]
    assert tuple(rows) == efficientnet_lite0.STAGES
