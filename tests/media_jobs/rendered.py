"""Renditions of an original, as Pillow reads them, and their colours."""

from io import BytesIO

from PIL import Image

from media_jobs.images import encode, renditions_of
from media_jobs.recipes import PNG, RenditionSpec

PAGE = RenditionSpec("page", 200, 200, (PNG,))
CARD = RenditionSpec("card", 100, 100, (PNG,), fit="cover")


def made(data: bytes, *specs: RenditionSpec, file_format=PNG) -> dict[str, Image.Image]:
    """The renditions as files say they are."""
    return {
        spec.name: Image.open(BytesIO(encode(picture, file_format)))
        for spec, picture in renditions_of(data, specs)
    }


def is_near(pixel, colour, *, by: int = 12) -> bool:
    return all(abs(a - b) <= by for a, b in zip(pixel, colour, strict=False))


def channels_at(image: Image.Image, x: int, y: int) -> tuple[int, ...]:
    pixel = image.getpixel((x, y))
    assert isinstance(pixel, tuple)
    return pixel
