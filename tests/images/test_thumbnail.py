"""Thumbnails: the whole image, upright, in sRGB, small, whatever the file."""

from __future__ import annotations

import io
import weakref
from contextlib import closing
from pathlib import Path

import numpy as np
import pillow_heif
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageCms

from mnv2cli.errors import ImageError
from mnv2cli.images import raw_reader, renditions, resize
from mnv2cli.images.decode import decode, decode_as
from mnv2cli.images.isolated import IsolatedDecoders
from mnv2cli.images.options import ImageOptions
from mnv2cli.images.reader import ImageReader
from mnv2cli.images.renditions import Thumbnail
from tests.conftest import draw
from tests.decoders import command
from tests.images.camera_raws import Shot, dng, jpeg
from tests.images.icc import SRGB, matrix_profile
from tests.images.pixels import quadrants

OPTIONS = ImageOptions()
NEAR = 12  # levels that WebP may change in an area of one colour


def swapped() -> bytes:
    """Return a profile whose red is green, and whose green is red."""
    red, green, blue = SRGB
    return matrix_profile((green, red, blue))


def opened(data: bytes) -> Image.Image:
    image = Image.open(io.BytesIO(data))
    assert image.format == "WEBP" and not image.getexif() and "icc_profile" not in image.info
    return image


def made(path: Path | str) -> Image.Image:
    return opened(decode_as(str(path), Thumbnail(), OPTIONS))


def colour(image: Image.Image, x: float, y: float) -> NDArray[np.int16]:
    """Return the colour at a place, in shares of width and height."""
    at = (min(int(x * image.width), image.width - 1), min(int(y * image.height), image.height - 1))
    return np.asarray(image.convert("RGB").getpixel(at), np.int16)


def is_near(found: NDArray[np.int16], wanted: tuple[int, int, int]) -> bool:
    return bool(np.abs(found - np.array(wanted)).max() <= NEAR)


def quarters(size: tuple[int, int] = (400, 200)) -> Image.Image:
    """Return an image whose top left quarter is red and whose top right is green; else blue."""
    image = Image.new("RGB", size, (0, 0, 255))
    half = (size[0] // 2, size[1] // 2)
    image.paste((255, 0, 0), (0, 0, *half))
    image.paste((0, 200, 0), (half[0], 0, size[0], half[1]))
    return image


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_thumbnail_is_upright(tmp_path: Path, orientation: int) -> None:
    turns = {2: 0, 3: 3, 4: 1, 5: 5, 6: 2, 7: 6, 8: 4}  # that undo each orientation
    image = quarters()
    if orientation > 1:
        image = image.transpose(Image.Transpose(turns[orientation]))
    exif = Image.Exif()
    exif[0x0112] = orientation
    path = tmp_path / "turned.jpg"
    image.save(path, quality=95, exif=exif)
    found = made(path)
    assert found.size == (160, 80)
    assert is_near(colour(found, 0.25, 0.25), (255, 0, 0))
    assert is_near(colour(found, 0.75, 0.25), (0, 200, 0))
    assert is_near(colour(found, 0.25, 0.75), (0, 0, 255))


def test_transparency_is_white(tmp_path: Path) -> None:
    image = Image.new("RGBA", (300, 300), (255, 0, 0, 0))
    image.paste((0, 0, 255, 255), (0, 0, 150, 300))
    image.save(tmp_path / "clear.png")
    found = made(tmp_path / "clear.png")
    assert is_near(colour(found, 0.2, 0.5), (0, 0, 255))
    assert is_near(colour(found, 0.8, 0.5), (255, 255, 255))


def test_16_bit_grey_keeps_its_levels(tmp_path: Path) -> None:
    Image.fromarray(np.full((300, 200), 128 * 257, np.uint16)).save(tmp_path / "deep.png")
    found = made(tmp_path / "deep.png")
    assert found.size == (107, 160) and is_near(colour(found, 0.5, 0.5), (128, 128, 128))


def test_cmyk_becomes_rgb(tmp_path: Path) -> None:
    Image.new("CMYK", (400, 300), (0, 255, 255, 0)).save(tmp_path / "ink.jpg", quality=95)
    assert is_near(colour(made(tmp_path / "ink.jpg"), 0.5, 0.5), (254, 0, 0))


def test_colours_follow_the_profile(tmp_path: Path) -> None:
    Image.new("RGB", (400, 300), (250, 20, 20)).save(
        tmp_path / "swapped.jpg", quality=95, icc_profile=swapped()
    )
    red, green, _ = colour(made(tmp_path / "swapped.jpg"), 0.5, 0.5)
    assert green > red + 100
    same = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    Image.new("RGB", (400, 300), (250, 20, 20)).save(tmp_path / "same.png", icc_profile=same)
    assert is_near(colour(made(tmp_path / "same.png"), 0.5, 0.5), (250, 20, 20))


@pytest.mark.parametrize(
    ("size", "expected"),
    [
        ((1, 1), (1, 1)),
        ((100, 40), (100, 40)),
        ((160, 160), (160, 160)),
        ((161, 160), (160, 159)),
        ((5000, 1), (160, 1)),
        ((2, 3000), (1, 160)),
        ((4000, 3000), (160, 120)),
    ],
)
def test_the_longer_side_is_160_at_most(
    tmp_path: Path, size: tuple[int, int], expected: tuple[int, int]
) -> None:
    for name in ("a.png", "a.jpg"):
        Image.new("RGB", size, (10, 200, 30)).save(tmp_path / name, quality=90)
        found = made(tmp_path / name)
        assert found.size == expected
        assert is_near(colour(found, 0.5, 0.5), (10, 200, 30))


def test_an_animation_shows_its_first_frame(tmp_path: Path) -> None:
    frames = [Image.new("RGB", (200, 200), c) for c in ((255, 0, 0), (0, 0, 255))]
    frames[0].save(tmp_path / "two.webp", save_all=True, append_images=frames[1:], lossless=True)
    found = made(tmp_path / "two.webp")
    assert not getattr(found, "is_animated", False)
    assert is_near(colour(found, 0.5, 0.5), (255, 0, 0))


def test_heic_is_read(tmp_path: Path) -> None:
    file = pillow_heif.from_pillow(quarters((600, 300)))
    file.save(tmp_path / "phone.heic", quality=90)
    found = made(tmp_path / "phone.heic")
    assert found.size == (160, 80)
    assert is_near(colour(found, 0.25, 0.25), (255, 0, 0))


@pytest.mark.skipif(not raw_reader.is_available(), reason="pip install 'mnv2cli[raw]'")
def test_raw_photos_are_read_in_another_process(tmp_path: Path) -> None:
    photo = quadrants((400, 300))
    for name, preview, expected in (
        ("large.dng", (300, 225), (160, 120)),
        ("tiny.dng", (40, 30), (160, 120)),  # too small: the sensor data is read
    ):
        path = tmp_path / name
        path.write_bytes(dng(Shot(photo, (jpeg(photo, preview),))))
        with ImageReader(224, OPTIONS) as reader:
            assert opened(reader.thumbnail(str(path))).size == expected
            assert opened(reader.decode_both(str(path)).thumbnail).size[0] > 100


def test_a_large_jpeg_is_decoded_at_a_small_scale(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    quarters((2000, 1000)).save(tmp_path / "large.jpg")
    seen = []
    make = Thumbnail.make
    monkeypatch.setattr(
        Thumbnail, "make", lambda self, image: (seen.append(image.size), make(self, image))[1]
    )
    assert made(tmp_path / "large.jpg").size == (160, 80)
    assert seen == [(250, 125)]


def test_reasons_and_limits_are_those_of_decoding(tmp_path: Path) -> None:
    draw(tmp_path / "image.png", (1, 2, 3))
    (tmp_path / "text.png").write_text("hello")
    for path, options in (
        ("text.png", OPTIONS),
        ("none.png", OPTIONS),
        ("image.png", ImageOptions(max_pixels=10)),
    ):
        errors = []
        for function in (
            lambda path, options: decode_as(path, Thumbnail(), options),
            lambda path, options: decode(path, 224, options),
        ):
            with pytest.raises(ImageError) as caught:
                function(str(tmp_path / path), options)
            errors.append(str(caught.value))
        assert errors[0] == errors[1]


@pytest.mark.parametrize("interpolation", ["bilinear", "nearest"])
@pytest.mark.parametrize("fit", ["crop", "pad", "stretch"])
def test_both_of_one_decoding_equal_each_alone(
    tmp_path: Path, fit: str, interpolation: str
) -> None:
    path = str(tmp_path / "a.jpg")
    quarters((700, 500)).save(path, icc_profile=swapped())
    options = ImageOptions(fit=fit, interpolation=interpolation)  # type: ignore[arg-type]
    with ImageReader(96, options) as reader:
        both = reader.decode_both(path)
    assert np.array_equal(both.pixels, decode(path, 96, options))
    alone = made(path)
    assert opened(both.thumbnail).size == alone.size == (160, 114)
    difference = np.asarray(opened(both.thumbnail), np.int16) - np.asarray(alone)
    assert np.abs(difference).mean() < 3


def test_other_processes_return_the_same(tmp_path: Path) -> None:
    path = str(tmp_path / "a.jpg")
    quarters((700, 500)).save(path)
    with (
        closing(IsolatedDecoders(96, OPTIONS)) as decoders,
        ImageReader(96, OPTIONS, decoder=decoders) as isolated,
        ImageReader(96, OPTIONS) as here,
    ):
        assert (
            isolated.thumbnail(path)
            == here.thumbnail(path)
            == decode_as(path, Thumbnail(), OPTIONS)
        )
        both, expected = isolated.decode_both(path), here.decode_both(path)
        assert np.array_equal(both.pixels, expected.pixels)
        assert both.thumbnail == expected.thumbnail


@pytest.mark.parametrize("name", ["boom.jpg", "hang.jpg"])
def test_a_decoder_that_ends_loses_one_thumbnail(tmp_path: Path, name: str) -> None:
    draw(tmp_path / "good.png", (1, 2, 3))
    draw(tmp_path / name, (1, 2, 3))
    options = ImageOptions(timeout=1)
    with (
        closing(IsolatedDecoders(32, options, command=command())) as decoders,
        ImageReader(32, options, decoder=decoders) as reader,
    ):
        with pytest.raises(ImageError, match=r"crashed|too long"):
            reader.thumbnail(str(tmp_path / name))
        assert opened(reader.thumbnail(str(tmp_path / "good.png")))


@pytest.mark.parametrize("interpolation", ["bilinear", "nearest"])
def test_both_take_one_more_copy_of_the_image_at_a_time(
    tmp_path: Path, interpolation: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    copies: list[weakref.ref[Image.Image]] = []

    def watched(image: Image.Image, **options: bool) -> resize.Prepared:
        assert not any(each() for each in copies)
        found = prepare(image, **options)
        copies.append(weakref.ref(found.image))
        return found

    prepare = resize.prepare
    for module in (resize, renditions):
        monkeypatch.setattr(module, "prepare", watched)
    path = str(tmp_path / "a.png")
    quarters((300, 200)).convert("P").save(path)
    options = ImageOptions(fit="stretch", interpolation=interpolation)  # type: ignore[arg-type]
    with ImageReader(96, options) as reader:
        reader.decode_both(path)
    assert copies
