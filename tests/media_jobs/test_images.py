"""Renditions, read back by Pillow."""

from dataclasses import replace
from io import BytesIO

import pytest
import pyvips
from PIL import Image, ImageChops, ImageCms, ImageDraw

from media_jobs.filetypes import GIF, UnusableFileError
from media_jobs.images import animations_of, encode, renditions_of
from media_jobs.recipes import AVIF, JPEG, PNG, PRODUCT, WEBP, RenditionSpec
from tests.media_jobs.originals import (
    BLUE,
    GREY,
    RED,
    alpha_png,
    bomb_png,
    camera_jpeg,
    photo,
    saved,
)
from tests.media_jobs.rendered import CARD, PAGE, channels_at, is_near, made


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_photo_is_upright_however_the_camera_was_held(orientation):
    page = made(camera_jpeg(orientation), PAGE)["page"]

    assert page.size == (200, 150)
    assert is_near(page.getpixel((10, 10)), RED)
    assert is_near(page.getpixel((190, 140)), BLUE)


def test_a_rendition_tells_nothing_of_the_camera_and_its_place():
    original = camera_jpeg(1)
    assert b"Camera of a shopkeeper" in original

    for file_format in (AVIF, WEBP, JPEG, PNG):
        page = made(original, PAGE, file_format=file_format)["page"]
        assert dict(page.getexif()) == {}
        assert "icc_profile" not in page.info


def test_transparency_is_kept_where_the_format_can_and_white_in_jpeg():
    for file_format in (AVIF, WEBP, PNG):
        page = made(alpha_png(), PAGE, file_format=file_format)["page"].convert("RGBA")
        assert channels_at(page, 3, 3)[3] == 0
        assert is_near(page.getpixel((100, 100)), (*RED, 255))

    flat = made(alpha_png(), PAGE, file_format=JPEG)["page"]
    assert flat.mode == "RGB"
    assert is_near(flat.getpixel((3, 3)), (255, 255, 255))


def test_colours_of_another_profile_become_srgb():
    # A profile in which red and green have changed places: its red is everybody else's green.
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    profile = profile.replace(b"rXYZ", b"????").replace(b"gXYZ", b"rXYZ").replace(b"????", b"gXYZ")
    data = saved(Image.new("RGB", (300, 300), (220, 40, 40)), "PNG", icc_profile=profile)

    page = made(data, PAGE)["page"]

    assert is_near(page.getpixel((50, 50)), (40, 220, 40))


def test_cmyk_sixteen_bits_and_grey_become_eight_bit_rgb():
    cmyk = saved(Image.new("CMYK", (300, 300), (0, 255, 255, 0)), "JPEG")
    deep = saved(Image.new("I;16", (300, 300), 40_000), "PNG")
    grey = saved(Image.new("L", (300, 300), 90), "PNG")

    red = made(cmyk, PAGE)["page"]
    assert red.mode == "RGB"
    redness, greenness, *_others = channels_at(red, 50, 50)
    assert redness > 180 > 100 > greenness
    assert is_near(made(deep, PAGE)["page"].convert("RGB").getpixel((9, 9)), (156, 156, 156))
    assert is_near(made(grey, PAGE)["page"].convert("RGB").getpixel((9, 9)), (90, 90, 90))


def animated_gif(width: int = 300, height: int = 300) -> bytes:
    frames = [Image.new("RGB", (width, height), colour) for colour in (RED, BLUE, GREY)]
    return saved(
        frames[0], "GIF", save_all=True, append_images=frames[1:], duration=[100, 300, 100]
    )


def test_an_animation_becomes_an_animated_webp_of_the_same_pace():
    moving = replace(PAGE, moves=True)

    (output,) = animations_of(animated_gif(400, 300), (moving, CARD))

    assert isinstance(output.content, bytes)
    webp = Image.open(BytesIO(output.content))
    assert (output.name, output.format, output.seconds) == ("page", "webp", 0.5)
    assert webp.format == "WEBP"
    assert (webp.n_frames, webp.size) == (3, (200, 150))
    assert (output.width, output.height) == (200, 150)
    durations = []
    for number, colour in enumerate((RED, BLUE, GREY)):
        webp.seek(number)
        assert is_near(webp.convert("RGB").getpixel((50, 50)), colour)
        durations.append(webp.info["duration"])
    assert durations == [100, 300, 100]


def test_what_is_clear_in_an_animation_stays_clear():
    frames = []
    for left in (10, 60):
        frame = Image.new("RGBA", (120, 120), (0, 0, 0, 0))
        ImageDraw.Draw(frame).rectangle((left, 10, left + 40, 110), fill=(*RED, 255))
        frames.append(frame)
    data = saved(frames[0], "GIF", save_all=True, append_images=frames[1:], disposal=2)

    (output,) = animations_of(data, (replace(PAGE, moves=True),))

    frames_of_webp = pyvips.Image.new_from_buffer(output.content, "[n=-1]")
    second = frames_of_webp.crop(0, 120, 120, 120)
    assert second(15, 60)[3] == 0
    assert is_near(second(80, 60), (*RED, 255))


def test_a_still_picture_and_the_pages_of_a_tiff_are_no_animation():
    pages = [Image.new("RGB", (60, 60), colour) for colour in (RED, BLUE)]
    tiff = saved(pages[0], "TIFF", save_all=True, append_images=pages[1:])

    for data in (saved(photo(), "GIF"), saved(photo(), "WEBP"), tiff):
        assert list(animations_of(data, (replace(PAGE, moves=True),))) == []


def test_where_nothing_moves_an_animation_shows_its_first_frame():
    data = animated_gif()

    page = made(data, PAGE)["page"]

    assert page.size == (200, 200)
    assert is_near(page.convert("RGB").getpixel((50, 50)), RED)


def test_inside_keeps_the_whole_picture_and_cover_fills_the_box():
    pictures = made(saved(photo(), "PNG"), PAGE, CARD)

    assert pictures["page"].size == (200, 150)
    assert pictures["card"].size == (100, 100)


@pytest.mark.parametrize("size", [(1, 1), (3, 90), (90, 60)])
def test_nothing_is_enlarged(size):
    pictures = made(saved(photo(*size), "PNG"), PAGE, CARD)

    assert pictures["page"].size == size
    assert pictures["card"].size == (min(size), min(size))


def test_the_product_recipe_gives_five_sizes_in_three_formats():
    data = saved(photo(2400, 1800), "JPEG")

    files = {
        (spec.name, file_format.name): Image.open(BytesIO(encode(picture, file_format)))
        for spec, picture in renditions_of(data, PRODUCT.renditions)
        for file_format in spec.formats
    }

    sizes = {
        "card": (640, 640),
        "card-small": (320, 320),
        "page": (1200, 900),
        "page-small": (600, 450),
        "zoom": (1600, 1200),
    }
    formats = {"avif": "AVIF", "webp": "WEBP", "jpeg": "JPEG"}
    assert {key: (file.format, file.size) for key, file in files.items()} == {
        (name, file_format): (formats[file_format], size)
        for name, size in sizes.items()
        for file_format in formats
    }


def test_the_watermark_lies_in_the_lower_right_corner_and_nowhere_else():
    data = saved(photo(1000, 800), "PNG")
    bare = RenditionSpec("zoom", 1000, 800, (PNG,))

    without = made(data, bare)["zoom"]
    marked = made(data, replace(bare, watermark=True))["zoom"]

    difference = ImageChops.difference(marked, without).convert("L")
    left, top, right, bottom = difference.getbbox()
    assert left > 500
    assert top > 650
    assert (right, bottom) != (1000, 800)
    assert sum(difference.histogram()[30:]) > 1000


def test_a_picture_too_small_for_a_watermark_goes_without():
    spec = RenditionSpec("zoom", 1000, 1000, (PNG,), watermark=True)

    assert made(saved(photo(20, 20), "PNG"), spec)["zoom"].size == (20, 20)


def test_a_watermark_keeps_transparency():
    spec = RenditionSpec("zoom", 300, 300, (PNG,), watermark=True)

    zoom = made(alpha_png(), spec)["zoom"]

    assert zoom.mode == "RGBA"
    assert channels_at(zoom, 3, 3)[3] == 0


@pytest.mark.parametrize("file_format", ["JPEG", "PNG", "WEBP", "AVIF", "GIF", "TIFF"])
def test_a_file_cut_short_is_refused_in_plain_words(file_format):
    # Noise: so that half of the file can't be the whole picture.
    data = saved(Image.effect_noise((400, 400), 80).convert("RGB"), file_format)

    with pytest.raises(UnusableFileError, match="damaged or cut short"):
        made(data[: len(data) // 2], PAGE)


def test_a_text_that_is_called_picture_is_refused_in_plain_words():
    with pytest.raises(UnusableFileError, match="Choose a picture"):
        made(b"not a picture", PAGE)


def test_a_file_of_two_kinds_is_refused():
    svg = b'<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>'

    with pytest.raises(UnusableFileError, match="damaged"):
        made(b"GIF89a" + svg, PAGE)


def test_a_file_that_libvips_takes_for_something_else_is_refused(monkeypatch):
    monkeypatch.setattr("media_jobs.decoding.sniff", lambda _head: GIF)

    with pytest.raises(UnusableFileError, match="damaged"):
        made(saved(photo(), "PNG"), PAGE)


def test_a_huge_picture_is_refused_before_it_is_decoded(monkeypatch):
    def decode(*_args, **_options):
        raise AssertionError("decoded")

    monkeypatch.setattr("pyvips.Image.thumbnail_buffer", decode)

    with pytest.raises(UnusableFileError, match=r"20000 × 20000 pixels, that is 400 megapixels"):
        made(bomb_png(), PAGE)


def test_a_picture_just_under_the_limit_of_pixels_is_taken():
    picture = Image.new("L", (8000, 4999), 128)
    ImageDraw.Draw(picture).rectangle((0, 0, 4000, 2500), fill=30)

    assert made(saved(picture, "PNG"), PAGE)["page"].size == (200, 125)


def test_a_file_over_25_megabytes_is_refused():
    with pytest.raises(UnusableFileError, match="at most 25 MB"):
        made(saved(photo(), "PNG") + bytes(25_000_000), PAGE)
