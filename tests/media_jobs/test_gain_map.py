"""Ultra HDR photos: the base picture everywhere, the gain map where it fits."""

from dataclasses import replace
from io import BytesIO

import pytest
import pyvips
from PIL import Image

from media_jobs.images import encode, renditions_of
from media_jobs.recipes import AVIF, JPEG, PNG, WEBP, RenditionSpec
from tests.media_jobs.originals import BLUE, GREY, RED
from tests.media_jobs.rendered import is_near
from tests.media_jobs.ultra_hdr import BOOST, gain_map_of, size_of, ultra_hdr

PAGE = RenditionSpec("page", 200, 200, (JPEG,))
SMALL = RenditionSpec("page-small", 100, 100, (JPEG,))
CARD = RenditionSpec("card", 100, 100, (JPEG,), fit="cover")
MARKED = replace(PAGE, name="zoom", watermark=True)


def made(data: bytes, *specs: RenditionSpec, file_format=JPEG) -> dict[str, bytes]:
    return {spec.name: encode(picture, file_format) for spec, picture in renditions_of(data, specs)}


def test_control_libvips_names_another_loader_for_it():
    assert pyvips.Image.new_from_buffer(ultra_hdr(), "").get("vips-loader") == "uhdrload_buffer"


@pytest.mark.parametrize("orientation", [1, 3, 5, 6, 8])
def test_picture_and_map_are_upright_in_a_whole_picture(orientation):
    page = made(ultra_hdr(orientation), PAGE)["page"]

    picture = Image.open(BytesIO(page))
    assert picture.size == (200, 150)
    assert is_near(picture.getpixel((10, 10)), RED)
    assert is_near(picture.getpixel((190, 10)), GREY)
    assert is_near(picture.getpixel((190, 140)), BLUE)
    light = gain_map_of(page)
    assert (light.width, light.height) == (100, 75)
    assert light(5, 5)[0] > 240
    assert max(light(95, 5)[0], light(5, 70)[0], light(95, 70)[0]) < 15


def test_each_size_has_a_map_of_its_size_that_says_the_same():
    files = made(ultra_hdr(), PAGE, SMALL, MARKED)

    sizes = {name: (m.width, m.height) for name, m in _maps(files).items()}
    assert sizes == {"page": (100, 75), "page-small": (50, 38), "zoom": (100, 75)}
    for file in files.values():
        read = pyvips.Image.new_from_buffer(file, "")
        assert read.get("gainmap-max-content-boost") == [BOOST] * 3


def test_a_map_that_no_longer_fits_is_dropped():
    card = made(ultra_hdr(), PAGE, CARD)["card"]

    assert size_of(card) == (100, 100)
    assert gain_map_of(card) is None


def test_control_libvips_keeps_the_whole_map_of_a_picture_that_is_cut():
    whole = pyvips.Image.new_from_buffer(ultra_hdr(), "")

    cut = whole.crop(100, 0, 300, 300).jpegsave_buffer(keep="gainmap")

    assert gain_map_of(cut)(5, 5)[0] > 240  # where the picture is grey now


def test_a_card_of_a_square_photo_is_a_whole_picture():
    card = made(ultra_hdr(width=300, height=300), CARD)["card"]

    assert gain_map_of(card).width == 50


def test_other_formats_have_the_base_picture_alone():
    for file_format in (AVIF, WEBP, PNG):
        page = made(ultra_hdr(6), PAGE, file_format=file_format)["page"]
        assert is_near(Image.open(BytesIO(page)).convert("RGB").getpixel((10, 10)), RED)


def test_the_map_brings_nothing_along_that_the_camera_noted():
    original = ultra_hdr(6)
    assert b"Camera of a shopkeeper" in original

    assert b"shopkeeper" not in made(original, PAGE)["page"]


def test_colours_of_another_profile_become_srgb():
    # Its red and green have changed places, as in `test_images`.
    data = ultra_hdr()
    start = data.index(b"ICC_PROFILE\x00")
    profile = data[start : start + 600]
    swapped = profile.replace(b"rXYZ", b"????").replace(b"gXYZ", b"rXYZ").replace(b"????", b"gXYZ")

    page = made(data.replace(profile, swapped, 1), PAGE)["page"]

    assert is_near(Image.open(BytesIO(page)).getpixel((10, 10)), (40, 220, 40), by=20)


def test_a_photo_whose_map_is_cut_off_is_shown_without_it():
    data = ultra_hdr()

    page = made(data[:-200], PAGE)["page"]

    assert is_near(Image.open(BytesIO(page)).getpixel((10, 10)), RED)
    assert gain_map_of(page) is None


def test_a_photo_whose_map_cant_be_decoded_is_shown_without_it():
    data = bytearray(ultra_hdr())
    start = data.rindex(b"\xff\xda")
    data[start - 60 : start + 60] = bytes(120)

    page = made(bytes(data), PAGE)["page"]

    assert is_near(Image.open(BytesIO(page)).getpixel((10, 10)), RED)
    assert gain_map_of(page) is None


@pytest.mark.parametrize("size", [(16, 12), (8, 90)])
def test_a_tiny_one_is_made_too(size):
    page = made(ultra_hdr(width=size[0], height=size[1]), PAGE)["page"]

    assert size_of(page) == size


def _maps(files: dict[str, bytes]) -> dict[str, pyvips.Image]:
    return {name: gain_map_of(file) for name, file in files.items()}
