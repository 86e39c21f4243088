"""Originals of unusual kinds, read back by Pillow: as browsers would show them."""

import struct
import subprocess
import sys
import zlib
from io import BytesIO

import pytest
import pyvips
from PIL import Image, ImageCms

from media_jobs.decoding import opened
from media_jobs.filetypes import JPEG, UnusableFileError
from media_jobs.images import animations_of, renditions_of
from media_jobs.picture_memory import memory_needed
from media_jobs.recipes import CARDS, PRINT_PICTURE, PRODUCT, RenditionSpec
from tests.media_jobs.originals import BLUE, GREY, RED, photo, saved
from tests.media_jobs.rendered import CARD, PAGE, is_near, made

MOVING = RenditionSpec("page", 200, 200, (), moves=True)


def noise(width: int = 800, height: int = 800) -> Image.Image:
    return Image.effect_noise((width, height), 80).convert("RGB")


def swapped_profile() -> bytes:
    """A profile in which red and green have changed places."""
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    return profile.replace(b"rXYZ", b"????").replace(b"gXYZ", b"rXYZ").replace(b"????", b"gXYZ")


# ── Raw files of cameras ────────────────────────────────────────────────────────────────────


def tagged(*tags: tuple[int, int]) -> bytes:
    """A small TIFF with more tags of one value each in its first directory."""
    data = saved(photo().resize((64, 48)), "TIFF")
    (directory,) = struct.unpack_from("<I", data, 4)
    (count,) = struct.unpack_from("<H", data, directory)
    entries = [data[at : at + 12] for at in range(directory + 2, directory + 2 + 12 * count, 12)]
    entries += [struct.pack("<HHII", tag, 4, 1, value) for tag, value in tags]
    data += b"\0" * (len(data) % 2)
    place = struct.pack("<I", len(data))
    return (
        (data[:4] + place + data[8:] + struct.pack("<H", len(entries)))
        + b"".join(sorted(entries, key=lambda entry: struct.unpack_from("<H", entry)))
        + bytes(4)
    )


@pytest.mark.parametrize(
    "data",
    [
        tagged((50_706, 0x0401)),  # DNG: ProRAW and what Pixels and Galaxys save
        tagged((254, 1), (330, 8)),  # NEF, ARW: a preview, and the raw picture elsewhere
        tagged()[:8] + b"CR\x02\x00" + tagged()[12:],
    ],
    ids=["dng", "nef", "cr2"],
)
def test_a_raw_file_is_refused_rather_than_its_preview_printed(data):
    with pytest.raises(UnusableFileError, match="Raw pictures"):
        opened(data)


@pytest.mark.parametrize("tags", [(), ((254, 1),), ((254, 0), (330, 8))])
def test_a_tiff_that_is_no_raw_file_is_opened(tags):
    assert opened(tagged(*tags)).upright_size == (64, 48)


# ── AVIF ────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("major", [b"avif", b"mif1", b"miaf", b"MA1B"])
def test_an_avif_is_read_whatever_its_major_brand(major):
    data = saved(photo(), "AVIF")

    page = made(data[:8] + major + data[12:], PAGE)["page"]

    assert is_near(page.getpixel((10, 10)), RED)


def test_an_animated_avif_shows_its_still_picture():
    frames = [Image.new("RGB", (120, 90), colour) for colour in (RED, BLUE, GREY)]
    data = saved(frames[0], "AVIF", save_all=True, append_images=frames[1:], duration=100)
    assert data[8:12] == b"avis"

    page = made(data, PAGE)["page"]

    assert page.size == (120, 90)
    assert is_near(page.getpixel((50, 50)), RED)
    assert list(animations_of(data, (MOVING,))) == []


# ── Memory ──────────────────────────────────────────────────────────────────────────────────


def forty_eight_megapixels(**options) -> bytes:
    ground = pyvips.Image.black(8064, 6048, bands=3).linear([1, 1, 1], list(GREY))
    return ground.cast("uchar").copy(interpretation="srgb").jpegsave_buffer(**options)


def test_a_photo_of_48_megapixels_is_taken_for_the_shop_and_for_the_printer():
    data = forty_eight_megapixels()

    (_spec, page), *_others = renditions_of(data, PRODUCT.renditions)
    (_spec, printed), *_others = renditions_of(data, PRINT_PICTURE.renditions[:1])

    assert (page.width, page.height) == (1600, 1200)
    assert (printed.width, printed.height) == (8064, 6048)


@pytest.mark.parametrize("interlace", [False, True])
def test_it_takes_no_more_memory_than_was_estimated(tmp_path, interlace):
    data = forty_eight_megapixels(interlace=interlace)
    file = tmp_path / "photo.jpg"
    file.write_bytes(data)
    needed = memory_needed(data, opened(data).header, JPEG, kept=1600 * 1200)

    taken = subprocess.run(
        [sys.executable, "-c", _MEASURE, str(file)], capture_output=True, text=True, check=True
    )

    assert int(taken.stdout) < needed + 40_000_000  # libvips' own buffers
    assert needed < (350_000_000 if interlace else 40_000_000)


_MEASURE = """
import sys, pyvips
pyvips.concurrency_set(1)
def most():
    line = next(line for line in open("/proc/self/status") if line.startswith("VmHWM"))
    return int(line.split()[1]) * 1024
data = open(sys.argv[1], "rb").read()
pyvips.Image.black(9, 9).copy_memory()
before = most()
pyvips.Image.thumbnail_buffer(data, 1600, height=1200, size="down").copy_memory()
print(most() - before)
"""


def test_what_takes_too_much_memory_is_told_its_kind_and_its_size(settings, monkeypatch):
    settings.WORKER_MEMORY_MB = 100
    data = saved(Image.new("RGB", (2000, 2000)), "AVIF")
    monkeypatch.setattr("pyvips.Image.thumbnail_buffer", _never)

    with pytest.raises(UnusableFileError, match=r"2000 × 2000 pixels.*of its kind \(AVIF\)"):
        made(data, PAGE)


def test_a_bomb_is_refused_however_little_memory_it_would_take(settings, monkeypatch):
    settings.WORKER_MEMORY_MB = 1_000_000
    data = forty_eight_megapixels()
    settings.MEDIA_MAX_MEGAPIXELS = 9
    monkeypatch.setattr("pyvips.Image.thumbnail_buffer", _never)

    with pytest.raises(UnusableFileError, match="48 megapixels; at most 45 can be used"):
        made(data, PAGE)


def _never(*_args, **_options):
    raise AssertionError("decoded")


# ── Colours ─────────────────────────────────────────────────────────────────────────────────


def test_an_animated_webp_with_a_profile_keeps_its_colours():
    frames = [Image.new("RGB", (300, 300), colour) for colour in (RED, BLUE)]
    data = saved(
        frames[0],
        "WEBP",
        save_all=True,
        append_images=frames[1:],
        lossless=True,
        icc_profile=swapped_profile(),
    )

    (output,) = animations_of(data, (MOVING,))

    assert isinstance(output.content, bytes)
    first = Image.open(BytesIO(output.content)).convert("RGB").getpixel((50, 50))
    assert is_near(first, (40, 220, 40))
    assert is_near(made(data, PAGE)["page"].convert("RGB").getpixel((50, 50)), (40, 220, 40))


@pytest.mark.parametrize("kind", ["lab", "labs", "xyz", "scrgb"])
def test_a_tiff_of_absolute_colours_is_shown_in_them(kind):
    red = pyvips.Image.black(300, 300, bands=3).linear([1, 1, 1], list(RED))
    data = red.cast("uchar").copy(interpretation="srgb").colourspace(kind).tiffsave_buffer()

    assert is_near(made(data, PAGE)["page"].convert("RGB").getpixel((50, 50)), RED, by=3)


@pytest.mark.parametrize("compression", ["raw", "tiff_lzw"])
def test_a_tiff_of_eight_bit_lab_is_shown_in_its_colours(compression):
    # CIE L*a*b* of 53, 80, 67: sRGB's red. Pillow counts a and b from 128.
    lab = Image.new("LAB", (300, 300), (round(53 * 2.55), 128 + 80, 128 + 67))

    page = made(saved(lab, "TIFF", compression=compression), PAGE)["page"]

    assert is_near(page.convert("RGB").getpixel((50, 50)), (255, 0, 0), by=25)


def chunk(name: bytes, content: bytes) -> bytes:
    checked = name + content
    return struct.pack(">I", len(content)) + checked + struct.pack(">I", zlib.crc32(checked))


def png_of_gamma(value: int, gamma: float, *, also: bytes = b"", bits: int = 8) -> bytes:
    """A grey PNG of this sample, with a gAMA chunk and perhaps another one."""
    row = b"\x00" + value.to_bytes(bits // 8) * 3 * 60
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", struct.pack(">IIBBBBB", 60, 60, bits, 2, 0, 0, 0))
        + chunk(b"gAMA", struct.pack(">I", round(gamma * 100_000)))
        + also
        + chunk(b"IDAT", zlib.compress(row * 60))
        + chunk(b"IEND", b"")
    )


@pytest.mark.parametrize(
    ("gamma", "shown"),
    [
        (1.0, 188),  # light: half of it is 188 in sRGB
        (1 / 1.8, 144),  # an old Macintosh
        (0.45455, 128),  # sRGB, as encoders write it
        (0.0, 128),  # says nothing
    ],
)
def test_a_png_that_says_its_gamma_is_as_bright_as_browsers_show_it(gamma, shown):
    page = made(png_of_gamma(128, gamma), PAGE)["page"]

    assert is_near(page.getpixel((30, 30)), (shown,) * 3, by=2)


@pytest.mark.parametrize(
    ("coded", "samples"),
    [
        ((12, 13, 0, 1), (184, 56, 49)),  # Display P3
        ((9, 13, 0, 1), (164, 69, 49)),  # BT.2020
        ((1, 13, 0, 1), (200, 40, 40)),  # sRGB itself
        ((12, 13), (200, 40, 40)),  # broken off: sRGB
    ],
)
def test_a_png_that_codes_its_wide_gamut_keeps_its_red(coded, samples):
    plain = saved(Image.new("RGB", (60, 60), samples), "PNG")
    place = plain.index(b"IDAT") - 4

    page = made(plain[:place] + chunk(b"cICP", bytes(coded)) + plain[place:], PAGE)["page"]

    assert is_near(page.getpixel((30, 30)), (200, 40, 40), by=3)


def test_sixteen_bits_of_light_keep_their_shadows():
    page = made(png_of_gamma(40, 1.0, bits=16), PAGE)["page"]

    assert is_near(page.getpixel((30, 30)), (2, 2, 2), by=1)


def test_a_png_that_says_srgb_too_is_srgb():
    srgb = b"\x00\x00\x00\x01sRGB\x00" + struct.pack(">I", zlib.crc32(b"sRGB\x00"))

    page = made(png_of_gamma(128, 1.0, also=srgb), PAGE)["page"]

    assert is_near(page.getpixel((30, 30)), (128, 128, 128), by=2)


WIDE = ((0.3127, 0.3290), (0.680, 0.320), (0.265, 0.690), (0.150, 0.060))
"""White, red, green and blue of Display P3, as telephones have it."""
ADOBE = ((0.3127, 0.3290), (0.640, 0.330), (0.210, 0.710), (0.150, 0.060))
WARM = ((0.3457, 0.3585), *WIDE[1:])
"""Under D50, the white of print."""
SAME = ((0.3127, 0.3290), (0.640, 0.330), (0.300, 0.600), (0.150, 0.060))


def png_of_primaries(
    colour: tuple[int, ...],
    primaries: tuple[tuple[float, float], ...],
    *,
    gamma: float | None = 0.45455,
    mode: str = "RGB",
) -> bytes:
    """A PNG of one colour, with a cHRM chunk."""

    def chunk(name: bytes, content: bytes) -> bytes:
        checked = name + content
        return struct.pack(">I", len(content)) + checked + struct.pack(">I", zlib.crc32(checked))

    plain = saved(Image.new(mode, (60, 60), colour if len(colour) > 1 else colour[0]), "PNG")
    numbers = [round(number * 100_000) for point in primaries for number in point]
    said = chunk(b"cHRM", struct.pack(">8I", *numbers))
    if gamma is not None:
        said += chunk(b"gAMA", struct.pack(">I", round(gamma * 100_000)))
    return plain[:33] + said + plain[33:]


@pytest.mark.parametrize(
    ("primaries", "gamma", "colour", "shown"),
    [
        # By the matrices of CSS Color 4, sections 10.2 to 10.9.
        (WIDE, 0.45455, (200, 100, 50), (215, 93, 31)),
        (WIDE, 0.45455, (0, 255, 0), (0, 255, 0)),  # beyond sRGB: cut off
        (WIDE, 1.0, (128, 64, 32), (197, 135, 92)),
        (ADOBE, 0.45455, (150, 100, 100), (165, 100, 100)),
        (WARM, 0.45455, (128, 128, 128), (128, 128, 128)),  # white stays white
        (SAME, 0.45455, (200, 100, 50), (200, 100, 50)),
        (WIDE, None, (200, 100, 50), (200, 100, 50)),  # browsers need both
        (((0.3127, 0.3290), *[(0.3, 0.6)] * 3), 0.45455, (200, 100, 50), (200, 100, 50)),
        (((0, 0), *WIDE[1:]), 0.45455, (200, 100, 50), (200, 100, 50)),
    ],
    ids=["P3", "P3 green", "P3 light", "Adobe", "D50", "sRGB", "no gamma", "a point", "zeros"],
)
def test_a_png_that_says_its_primaries_has_the_colours_that_browsers_show(
    primaries, gamma, colour, shown
):
    page = made(png_of_primaries(colour, primaries, gamma=gamma), PAGE)["page"]

    assert is_near(page.getpixel((30, 30)), shown, by=2)


@pytest.mark.parametrize(
    ("mode", "colour", "shown"),
    [
        ("RGBA", (200, 100, 50, 128), (215, 93, 31, 128)),
        ("L", (128,), (128, 128, 128)),
        ("LA", (128, 60), (128, 128, 128, 60)),
        ("I;16", (32768,), (128, 128, 128)),
    ],
)
def test_primaries_leave_greys_and_what_one_can_look_through_alone(mode, colour, shown):
    page = made(png_of_primaries(colour, WIDE, mode=mode), PAGE)["page"]

    assert is_near(page.convert("RGBA").getpixel((30, 30)), (*shown, 255)[:4], by=2)


# ── Samples of TIFFs ────────────────────────────────────────────────────────────────────────


LIGHT = 188
"""Half of the light, in sRGB."""


@pytest.mark.parametrize(
    ("kind", "white", "bands", "shown"),
    [
        ("float", 1.0, 1, LIGHT),
        ("float", 1.0, 2, LIGHT),
        ("float", 1.0, 3, LIGHT),
        ("float", 1.0, 4, LIGHT),
        ("float", 255.0, 1, 128),
        ("uchar", 255, 1, 128),
        ("ushort", 65_535, 1, 128),
        ("ushort", 65_535, 3, 128),
        ("uint", 2**32 - 1, 1, 128),
        ("uint", 2**32 - 1, 3, 128),
        ("uint", 2**32 - 1, 4, 128),
        ("int", 2**31 - 1, 1, 128),
        ("int", 255, 1, 128),  # as Pillow writes mode I
        ("uint", 65_535, 3, 128),
        ("short", 255, 1, 128),
        ("short", 2**15 - 1, 1, 128),
        ("short", 2**15 - 1, 3, 128),
        ("char", 127, 1, 128),
    ],
)
def test_a_tiff_of_other_samples_is_as_bright_as_viewers_show_it(kind, white, bands, shown):
    grey = pyvips.Image.black(60, 60) + white / 2
    corner = pyvips.Image.black(6, 6) + white
    colours = [grey.insert(corner, 0, 0)] * (1 if bands < 3 else 3)
    alpha = [pyvips.Image.black(60, 60) + white] if bands in (2, 4) else []
    picture = colours[0].bandjoin([*colours[1:], *alpha]).cast(kind)
    data = picture.copy(interpretation="b-w" if bands < 3 else "srgb").tiffsave_buffer()

    page = made(data, PAGE)["page"].convert("RGBA")

    assert is_near(page.getpixel((40, 40)), (shown, shown, shown, 255), by=2)
    assert is_near(page.getpixel((1, 1)), (255, 255, 255, 255), by=2)


def test_floats_keep_their_turn():
    grey = (pyvips.Image.black(60, 30) + 0.5).cast("float").copy(interpretation="b-w").copy()
    grey.set_type(pyvips.GValue.gint_type, "orientation", 6)

    assert made(grey.tiffsave_buffer(), PAGE)["page"].size == (30, 60)


def test_a_tiff_of_a_compression_that_is_missing_here_is_told_its_kind():
    data = bytearray(saved(photo(60, 60), "TIFF", compression="tiff_adobe_deflate"))
    place = data.index(struct.pack("<HHIH", 259, 3, 1, 8))
    struct.pack_into("<H", data, place + 8, 50_000)  # Zstandard

    with pytest.raises(UnusableFileError, match="kind of TIFF that can't be read"):
        made(bytes(data), PAGE)


def test_a_tiff_of_doubles_is_told_its_kind_and_not_called_damaged():
    data = pyvips.Image.black(60, 60).cast("double").tiffsave_buffer()

    with pytest.raises(UnusableFileError, match="kind of TIFF that can't be read"):
        made(data, PAGE)


# ── Panoramas ───────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("size", [(6000, 1000), (1000, 6000), (6001, 1001)])
def test_a_card_of_a_panorama_is_as_large_as_its_recipe_says(size):
    cards = made(saved(photo(*size), "JPEG"), *CARDS, PRODUCT.renditions[2])

    assert cards["card"].size == (640, 640)
    assert cards["card-small"].size == (320, 320)
    assert max(cards["page"].size) == 1200


def test_a_panorama_held_upright_gets_large_cards_too():
    exif = Image.Exif()
    exif[0x0112] = 6
    data = saved(photo(3000, 400), "JPEG", exif=exif)

    assert made(data, CARDS[0])["card"].size == (400, 400)


# ── JPEGs that end too early ────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("progressive", [False, True])
@pytest.mark.parametrize("lacking", [1, 2, 3, 40, 2000])
def test_a_jpeg_that_lacks_its_last_bytes_is_shown(progressive, lacking):
    picture = noise()
    picture.paste(RED, (0, 0, 200, 200))
    data = saved(picture, "JPEG", quality=90, progressive=progressive)

    page = made(data[:-lacking], PAGE)["page"]

    assert page.size == (200, 200)
    assert is_near(page.getpixel((10, 10)), RED)


@pytest.mark.parametrize("progressive", [False, True])
@pytest.mark.parametrize("share", [0.1, 0.5, 0.9])
@pytest.mark.parametrize("ending", [b"", b"\xff\xd9"])
def test_a_jpeg_that_lacks_more_is_damaged_even_if_it_says_that_it_ends(progressive, share, ending):
    data = saved(noise(), "JPEG", quality=90, progressive=progressive)

    with pytest.raises(UnusableFileError, match="damaged or cut short"):
        made(data[: int(len(data) * share)] + ending, PAGE)


def test_a_jpeg_that_libjpeg_only_grumbles_at_is_shown():
    data = saved(noise(), "JPEG", quality=90)
    place = data.index(b"\xff\xda")

    page = made(data[:place] + b"\x00\x00\x00" + data[place:] + b"left over", PAGE)["page"]

    assert page.size == (200, 200)


# ── Reasons ─────────────────────────────────────────────────────────────────────────────────


def test_a_whole_file_of_a_kind_that_cant_be_read_is_not_called_damaged():
    # 12 bits a sample: medical pictures are such JPEGs.
    data = bytearray(saved(photo(), "JPEG"))
    data[data.index(b"\xff\xc0") + 4] = 12

    with pytest.raises(UnusableFileError, match=r"kind of JPEG that can't be read.*PNG, WebP"):
        made(bytes(data), PAGE)


def test_a_picture_for_which_there_is_no_memory_is_not_called_damaged(monkeypatch):
    def full(*_args, **_options):
        raise pyvips.Error("unable to copy to memory", "out of memory --- size == 48MB")

    monkeypatch.setattr("pyvips.Image.thumbnail_buffer", full)

    with pytest.raises(MemoryError):
        made(saved(photo(), "PNG"), CARD)


def test_a_gif_of_one_picture_is_a_picture():
    data = saved(photo(), "GIF", save_all=True, loop=0)

    assert made(data, PAGE)["page"].size == (200, 150)
    assert list(animations_of(data, (MOVING,))) == []
