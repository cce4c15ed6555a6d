"""The colours of images with a profile become sRGB."""

from __future__ import annotations

import io
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageCms

from mnv2cli.images import profiles
from tests.conftest import draw
from tests.images.icc import (
    ADOBE_RGB,
    D50_XY,
    D65_XY,
    P3,
    PROPHOTO,
    SRGB,
    Array,
    cmyk_profile,
    grey_profile,
    lab_of,
    matrix_profile,
    srgb_curve,
    to_xyz,
)
from tests.images.pixels import COLOUR, close, pixels_of, quadrants

P3_PROFILE = matrix_profile(P3)
PROPHOTO_PROFILE = matrix_profile(PROPHOTO, 1.8, D50_XY)
IN_P3 = (215, 93, 30)
"""What :data:`COLOUR` is in sRGB if it is one of Display P3."""


def inks(cmyk: Array) -> Array:
    """Print cyan as red, and the other inks as nothing but black."""
    light = np.ones((len(cmyk), 3))
    light[:, 1:] *= 1 - cmyk[:, :1]
    return lab_of(light * (1 - cmyk[:, 3:]))


@pytest.fixture(autouse=True)
def empty_cache() -> None:
    profiles._by_profile.cache_clear()


def test_expected_colour_follows_from_the_definitions() -> None:
    light = srgb_curve(np.array(COLOUR) / 255)
    converted = np.linalg.inv(to_xyz(SRGB, D65_XY)) @ to_xyz(P3, D65_XY) @ light
    coded = 1.055 * converted ** (1 / 2.4) - 0.055
    assert np.abs(coded * 255 - IN_P3).max() < 1


@pytest.mark.parametrize("suffix", ["jpg", "png", "tif", "webp", "avif"])
def test_display_p3_becomes_srgb(tmp_path: Path, suffix: str) -> None:
    path = draw(tmp_path / f"a.{suffix}", COLOUR, icc_profile=P3_PROFILE)
    assert close(pixels_of(path), IN_P3, within=5)


def test_display_p3_in_heic_becomes_srgb(tmp_path: Path) -> None:
    import pillow_heif

    pillow_heif.register_heif_opener()
    path = draw(tmp_path / "a.heic", COLOUR, (70, 50), icc_profile=P3_PROFILE, quality=95)
    assert close(pixels_of(path), IN_P3, within=6)


def test_srgb_red_in_other_spaces_becomes_red(tmp_path: Path) -> None:
    for i, (profile, red) in enumerate((
        (P3_PROFILE, (234, 51, 35)),
        (matrix_profile(ADOBE_RGB, 563 / 256), (219, 0, 0)),
        (PROPHOTO_PROFILE, (179, 70, 26)),
    )):  # fmt: skip
        path = draw(tmp_path / f"{i}.png", red, icc_profile=profile)
        assert close(pixels_of(path), (255, 0, 0), within=8), i


def test_colours_differ_little_from_exact_ones(tmp_path: Path) -> None:
    noise = np.random.default_rng(3).integers(0, 256, (32, 32, 3), np.uint8)
    for profile in (P3_PROFILE, matrix_profile(ADOBE_RGB, 563 / 256), PROPHOTO_PROFILE):
        Image.fromarray(noise).save(tmp_path / "a.png", icc_profile=profile)
        exact = ImageCms.profileToProfile(
            Image.open(tmp_path / "a.png"), _opened(profile), ImageCms.createProfile("sRGB"), 1
        )
        found = pixels_of(tmp_path / "a.png", fit="stretch").astype(int)
        assert np.abs(found - np.asarray(exact)).mean() < 1


def _opened(profile: bytes) -> ImageCms.ImageCmsProfile:
    return ImageCms.ImageCmsProfile(io.BytesIO(profile))


def test_pixels_with_an_srgb_profile_stay_bit_for_bit(tmp_path: Path) -> None:
    noise = np.random.default_rng(2).integers(0, 256, (300, 400, 3), np.uint8)
    own = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    Image.fromarray(noise).save(tmp_path / "plain.png")
    wanted = pixels_of(tmp_path / "plain.png", 224)
    for profile in (own, matrix_profile(SRGB), matrix_profile(SRGB, name="any name")):
        Image.fromarray(noise).save(tmp_path / "a.png", icc_profile=profile)
        assert np.array_equal(pixels_of(tmp_path / "a.png", 224), wanted)


def test_stretch_and_nearest_ignore_profiles_as_load_img_does(tmp_path: Path) -> None:
    path = draw(tmp_path / "a.png", COLOUR, icc_profile=P3_PROFILE)
    assert close(pixels_of(path, fit="stretch", interpolation="nearest"), COLOUR, within=0)
    assert close(pixels_of(path, fit="stretch"), IN_P3, within=2)
    assert close(pixels_of(path, interpolation="nearest"), IN_P3, within=2)


def test_padding_stays_grey_and_photos_are_turned(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 3
    quadrants((64, 32)).save(tmp_path / "a.jpg", icc_profile=P3_PROFILE, exif=exif, quality=95)
    pixels = pixels_of(tmp_path / "a.jpg", fit="pad")
    assert close(pixels[:7], (128, 128, 128), within=0)
    assert close(pixels[19:23, 20:30], (255, 0, 0), within=12)


@pytest.mark.parametrize("suffix", ["png", "tif"])
def test_colours_are_converted_before_they_are_composed_over_white(
    tmp_path: Path, suffix: str
) -> None:
    path = draw(tmp_path / f"a.{suffix}", (*COLOUR, 128), mode="RGBA", icc_profile=P3_PROFILE)
    wanted = tuple((value * 128 + 255 * 127) // 255 for value in IN_P3)
    assert close(pixels_of(path), wanted, within=3)
    red = (179, 70, 26, 128)
    path = draw(tmp_path / f"b.{suffix}", red, mode="RGBA", icc_profile=PROPHOTO_PROFILE)
    assert close(pixels_of(path), (255, 127, 127), within=3)


def test_palettes_are_converted(tmp_path: Path) -> None:
    palette = Image.new("RGB", (40, 40), COLOUR).quantize(4)
    palette.save(tmp_path / "p.png", icc_profile=P3_PROFILE)
    assert close(pixels_of(tmp_path / "p.png"), IN_P3)


@pytest.mark.parametrize("suffix", ["jpg", "tif"])
def test_cmyk_is_converted_by_its_profile(tmp_path: Path, suffix: str) -> None:
    profile = cmyk_profile(inks)
    for ink, wanted in (
        ((0, 0, 0, 0), (255, 255, 255)),
        ((255, 0, 0, 0), (255, 0, 0)),
        ((0, 255, 255, 0), (255, 255, 255)),
        ((0, 0, 0, 255), (0, 0, 0)),
    ):
        path = draw(tmp_path / f"a.{suffix}", ink, mode="CMYK", icc_profile=profile)
        assert close(pixels_of(path), wanted, within=8), ink
    path = draw(tmp_path / f"plain.{suffix}", (255, 0, 0, 0), mode="CMYK")
    assert close(pixels_of(path), (0, 255, 255), within=12)


def test_grey_is_converted_by_its_profile(tmp_path: Path) -> None:
    linear = grey_profile(1.0)
    for mode, value in (("L", 55), ("LA", (55, 255)), ("I;16", 55 * 257)):
        draw(tmp_path / "a.png", value, mode=mode, icc_profile=linear)  # type: ignore[arg-type]
        assert close(pixels_of(tmp_path / "a.png"), (128, 128, 128), within=1), mode
    draw(tmp_path / "half.png", (55, 128), mode="LA", icc_profile=linear)
    assert close(pixels_of(tmp_path / "half.png"), (191, 191, 191), within=2)
    draw(tmp_path / "b.png", 55, mode="L", icc_profile=grey_profile(srgb_curve))
    assert close(pixels_of(tmp_path / "b.png"), (55, 55, 55), within=0)


DAMAGED = {
    "zeros": bytes(200),
    "short": P3_PROFILE[:100],
    "truncated": P3_PROFILE[:600],
    "no tags": P3_PROFILE[:128] + bytes(4),
    "of another mode": grey_profile(1.0),
    "CMYK": cmyk_profile(inks),
    "too large": P3_PROFILE + bytes(profiles.MAX_PROFILE_BYTES),
    "multi-process elements": P3_PROFILE + b"mpet",
    "black is white": matrix_profile(P3, lambda x: 1 - x),
}


@pytest.mark.parametrize("kind", DAMAGED)
def test_unusable_profiles_are_ignored(tmp_path: Path, kind: str) -> None:
    path = draw(tmp_path / "a.tif", COLOUR, icc_profile=DAMAGED[kind])
    assert close(pixels_of(path), COLOUR, within=0)


@pytest.mark.parametrize("mode", ["L", "CMYK", "LAB", "F"])
def test_profiles_of_another_mode_are_ignored(tmp_path: Path, mode: str) -> None:
    colour: Any = {"L": 90, "F": 90.0}.get(mode, (0, 120, 40, 9)[: len(mode)])
    plain = draw(tmp_path / "plain.tif", colour, mode=mode)
    path = draw(tmp_path / "a.tif", colour, mode=mode, icc_profile=P3_PROFILE)
    assert np.array_equal(pixels_of(path), pixels_of(plain))


def test_profiles_of_the_wrong_type_are_ignored() -> None:
    image = Image.new("RGB", (8, 8))
    for profile in ((1, 2, 3), "text", None, b""):
        image.info["icc_profile"] = profile
        assert profiles.conversion(image) is None


def test_kept_conversions_are_limited(tmp_path: Path) -> None:
    for i in range(profiles.CACHED_PROFILES + 4):
        image = Image.new("L", (8, 8))
        image.info["icc_profile"] = grey_profile(1 + i / 8)
        assert profiles.conversion(image) or i == 10  # gamma 2.25, close to sRGB's curve
    assert profiles._by_profile.cache_info().currsize == profiles.CACHED_PROFILES
    before = profiles._by_profile.cache_info().misses
    assert profiles.conversion(image)
    assert profiles._by_profile.cache_info().misses == before


@pytest.mark.parametrize("kind", ["table", "RGB", "CMYK"])
def test_threads_share_a_conversion(kind: str) -> None:
    mode = "CMYK" if kind == "CMYK" else "RGB"
    rng = np.random.default_rng(5)
    images = [Image.frombytes(mode, (224, 224), rng.bytes(224 * 224 * len(mode))) for _ in range(8)]
    images[0].info["icc_profile"] = {
        "table": P3_PROFILE,
        "RGB": PROPHOTO_PROFILE,
        "CMYK": cmyk_profile(inks),
    }[kind]
    convert = profiles.conversion(images[0])
    assert convert
    wanted = [convert(image).tobytes() for image in images]
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda image: convert(image).tobytes(), images * 12))
    assert found == wanted * 12


def test_the_base_image_of_a_gain_map_is_used(tmp_path: Path) -> None:
    base = Image.new("RGB", (80, 60), COLOUR)
    gain_map = Image.new("L", (40, 30), 255)
    base.save(
        tmp_path / "a.jpg", "MPO", save_all=True, append_images=[gain_map], icc_profile=P3_PROFILE
    )
    assert close(pixels_of(tmp_path / "a.jpg"), IN_P3)
