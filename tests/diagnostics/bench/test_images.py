"""The images of the benchmark."""

from __future__ import annotations

from pathlib import Path

import pytest

from mnv2cli.diagnostics.bench.images import draw_photos, image_folder
from mnv2cli.errors import InputError
from mnv2cli.images.decode import decode
from mnv2cli.images.options import ImageOptions
from tests.conftest import draw


def test_drawn_images_are_like_photos(tmp_path: Path) -> None:
    paths = draw_photos(str(tmp_path), 3)
    sizes = [Path(path).stat().st_size for path in paths]
    assert all(50_000 < size < 200_000 for size in sizes)
    assert decode(paths[0], 224, ImageOptions()).shape == (224, 224, 3)


def test_fewer_images_are_repeated(tmp_path: Path) -> None:
    for name in ("a.png", "b.png"):
        draw(tmp_path / name)
    (tmp_path / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\nbroken")
    draw(tmp_path / "c.gif")  # which not all scripts can read
    with image_folder([str(tmp_path)], 5) as folder:
        links = sorted(Path(folder).iterdir())
        names = [link.resolve().name for link in links]
    assert [link.name for link in links] == [f"{i:06}.jpg" for i in range(5)]
    assert names == ["a.png", "b.png", "a.png", "b.png", "a.png"]
    assert not Path(folder).exists()


def test_a_folder_without_images_is_an_error(tmp_path: Path) -> None:
    with (
        pytest.raises(InputError, match="no JPEG or PNG images found"),
        image_folder([str(tmp_path)], 5),
    ):
        pass
