import numpy as np
import pytest

from mnv2cli.models.unknown import Unknown


def unknown() -> Unknown:
    return Unknown(
        means=np.eye(2, 4, dtype=np.float32),
        centre=np.array([0.2, -2], dtype=np.float32),
        spread=np.array([0.1, 1], dtype=np.float32),
        held_out=np.linspace(-4, 4, 100, dtype=np.float32),
    )


def test_p_values_are_low_when_photos_are_far_from_all_classes():
    near, far = [1, 0, 0, 0], [0, 0, 0, 1]
    features = np.array([near, far], dtype=np.float32)
    scores = np.array([[0.99, 0.01], [0.5, 0.5]], dtype=np.float32)
    likely, unlikely = unknown().p_values(features, scores)
    assert likely > 0.9
    assert unlikely < 0.05


def test_arrays_make_the_same_measure():
    again = Unknown.from_arrays(unknown().arrays())
    for name, array in unknown().arrays().items():
        np.testing.assert_array_equal(array, again.arrays()[name])


@pytest.mark.parametrize(
    ("name", "array", "message"),
    [
        ("means", None, "missing"),
        ("means", np.zeros(3, np.float32), "2 dimensions"),
        ("held_out", np.zeros(3), "float64"),
        ("held_out", np.array([2, 1], np.float32), "not ascending"),
        ("centre", np.zeros(3, np.float32), "not 2"),
        ("spread", np.zeros(2, np.float32), "not positive"),
        ("spread", np.array([1, np.inf], np.float32), "not finite"),
    ],
)
def test_from_arrays_fails_when_an_array_is_invalid(name, array, message):
    arrays = unknown().arrays()
    if array is None:
        del arrays[name]
    else:
        arrays[name] = array
    with pytest.raises(ValueError, match=message):
        Unknown.from_arrays(arrays)
