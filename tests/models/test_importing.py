"""The model of a weights file is found by its name or the options."""

from __future__ import annotations

import pytest

from mnv2cli.errors import InputError
from mnv2cli.models import ModelOptions
from mnv2cli.models.importing import options_of_file

PUBLISHED = "mobilenet_v2_weights_tf_dim_ordering_tf_kernels_0.5_160.h5"


@pytest.mark.parametrize(
    ("path", "given", "expected"),
    [
        (PUBLISHED, ModelOptions(), ModelOptions("mobilenet_v2", 0.5, 160)),
        (f"/stick/{PUBLISHED}", ModelOptions(size=160), ModelOptions("mobilenet_v2", 0.5, 160)),
        ("own.h5", ModelOptions("", 1.0, 96), ModelOptions("mobilenet_v2", 1.0, 96)),
        ("own", ModelOptions("", 1.0, 96), ModelOptions("mobilenet_v2", 1.0, 96)),
        ("lite.pth", ModelOptions(), ModelOptions("efficientnet_lite0")),
        ("lite.pth", ModelOptions(alpha=0.5), ModelOptions("efficientnet_lite0", 0.5)),
    ],
)
def test_the_name_or_the_options_give_the_model(
    path: str, given: ModelOptions, expected: ModelOptions
) -> None:
    assert options_of_file(path, given) == expected


@pytest.mark.parametrize(
    ("path", "given", "message"),
    [
        (PUBLISHED, ModelOptions(alpha=1.0), "means --alpha 0.5 --size 160"),
        (PUBLISHED, ModelOptions(size=96), "means --alpha 0.5 --size 160"),
        ("own.h5", ModelOptions(), "cannot tell the network from the name 'own.h5'"),
        ("own.h5", ModelOptions(alpha=1.0), "add --alpha and --size"),
        (f"{PUBLISHED}.gz", ModelOptions(), "cannot tell the network from the name"),
    ],
)
def test_contradictory_or_missing_options_are_errors(
    path: str, given: ModelOptions, message: str
) -> None:
    with pytest.raises(InputError, match=message):
        options_of_file(path, given)
