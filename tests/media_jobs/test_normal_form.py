"""Films of every kind come out in one form, and in the colours that they were meant to have."""

import re
import subprocess
from collections.abc import Sequence
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from PIL import Image, ImageChops, ImageStat

from media_jobs import ffmpeg, film_colours, videos
from media_jobs.filetypes import HEAD_BYTES, UnusableFileError, sniff
from media_jobs.recipes import Recipe, VideoSpec
from tests.media_jobs import films
from tests.media_jobs.films import COLOURS, SIZE, hdr, stripes

SPEC = VideoSpec("film", 480, kilobits=4000, quality=10, watermark=False)
RECIPE = Recipe("test", (), (SPEC,), streams=False)
STREAMED = replace(RECIPE, streams=True)

X264 = ("-c:v", "libx264", "-preset", "ultrafast", "-qp", "4")
BT709 = "setparams=colorspace=bt709:range=tv:color_primaries=bt709:color_trc=bt709"
TO_709 = f"scale=out_color_matrix=bt709:out_range=tv,format=yuv420p,{BT709}"
TO_601 = "scale=out_color_matrix=smpte170m:out_range=tv,format=yuv420p"
UNTAGGED = "setparams=colorspace=unknown:range=unknown"


@pytest.fixture
def made(tmp_path) -> Path:
    """A folder for what is made."""
    folder = tmp_path / "made"
    folder.mkdir()
    return folder


def ignore(_seconds: float) -> None:
    pass


def look(path: Path) -> videos.Video:
    with path.open("rb") as file:
        filetype = sniff(file.read(HEAD_BYTES))
    return videos.look(path, filetype, folder=path.parent, progress=ignore)


def encoded(path: Path, *, folder: Path) -> Path:
    """The film that is made of the original."""
    list(videos.encode(look(path), RECIPE, folder=folder, progress=ignore))
    return folder / "film.mp4"


def poster(path: Path, *, folder: Path) -> Image.Image:
    return Image.open(BytesIO(videos.poster_of(look(path), folder=folder, progress=ignore)))


def said(path: Path, *filters: str) -> str:
    command = [ffmpeg.binary(), "-hide_banner", "-i", str(path), *filters, "-f", "null", "-"]
    return subprocess.run(command, capture_output=True, text=True, check=True).stderr


def stream(path: Path) -> str:
    """What ffmpeg says of the pictures."""
    shown = re.search(r"Stream #0:\d.*?: (Video: .*)", said(path))
    assert shown
    return shown[1]


def times(path: Path) -> list[float]:
    """When each picture of the film is shown."""
    shown = said(path, "-an", "-vf", "showinfo", "-fps_mode", "passthrough")
    return [float(found) for found in re.findall(r"pts_time:([\d.]+)", shown)]


def planes(path: Path) -> list[Image.Image]:
    """Y, Cb and Cr of the film's first picture, as they are coded."""
    width, height = map(int, re.search(r", (\d+)x(\d+)", stream(path)).groups())
    raw = subprocess.run(
        [
            *(ffmpeg.binary(), "-v", "error", "-noautorotate", "-i", str(path)),
            *("-frames:v", "1", "-f", "rawvideo", "-pix_fmt", "yuv420p", "-"),
        ],
        capture_output=True,
        check=True,
    ).stdout
    luma, half = width * height, (width // 2, height // 2)
    return [
        Image.frombytes("L", (width, height), raw[:luma]),
        Image.frombytes("L", half, raw[luma : luma * 5 // 4]),
        Image.frombytes("L", half, raw[luma * 5 // 4 :]),
    ]


def middles(picture: Image.Image) -> list[tuple[float, ...]]:
    """The mean of each stripe, without its edges."""
    width = picture.width / len(COLOURS)
    edge, top = width / 4, picture.height // 4
    boxes = [
        (round(place * width + edge), top, round((place + 1) * width - edge), picture.height - top)
        for place in range(len(COLOURS))
    ]
    return [tuple(ImageStat.Stat(picture.crop(box)).mean) for box in boxes]


def colours(path: Path) -> list[tuple[float, float, float]]:
    """The colour of each stripe of a film of BT.709 in limited range, by its formulas."""
    found = []
    for (y,), (blue,), (red,) in zip(*map(middles, planes(path)), strict=True):
        light, cb, cr = 255 * (y - 16) / 219, 255 * (blue - 128) / 224, 255 * (red - 128) / 224
        r, b = light + 1.5748 * cr, light + 1.8556 * cb
        found.append((r, (light - 0.2126 * r - 0.0722 * b) / 0.7152, b))
    return found


def worst(found: Sequence[tuple[float, ...]], colours: Any = COLOURS) -> float:
    """The largest difference of any channel of any colour."""
    return max(
        abs(is_ - meant)
        for pair in zip(found, colours, strict=True)
        for is_, meant in zip(*pair, strict=True)
    )


def wide(primaries: str) -> str:
    return (
        f"setparams=colorspace=gbr:range=pc:color_primaries=bt709:color_trc=bt709,format=gbrpf32le,"
        f"zscale=matrix=bt709:range=limited:primaries={primaries}:transfer=bt709,format=yuv420p10le"
    )


KINDS = {
    "709": lambda path: stripes(path, *X264, filters=TO_709),
    "untagged, below 720 lines": lambda path: stripes(path, *X264, filters=f"{TO_601},{UNTAGGED}"),
    "untagged, 720 lines": lambda path: stripes(
        path, *X264, filters=f"{TO_709},{UNTAGGED}", size=(640, 720)
    ),
    "601 by its tag, 720 lines": lambda path: stripes(
        path, *X264, filters=f"{TO_601},setparams=colorspace=smpte170m", size=(640, 720)
    ),
    "full range": lambda path: stripes(
        *(path, *X264),
        filters="scale=out_color_matrix=bt709:out_range=pc,format=yuv420p,setparams=range=pc:colorspace=bt709",
    ),
    "full range, 601": lambda path: stripes(
        *(path, *X264),
        filters="scale=out_color_matrix=smpte170m:out_range=pc,format=yuvj420p,setparams=range=pc:colorspace=bt470bg",
    ),
    "ten bits": lambda path: stripes(
        path, *X264, filters=f"{TO_709.replace('yuv420p', 'yuv422p10le')}"
    ),
    "BT.2020 in SDR": lambda path: stripes(path, *X264, filters=wide("2020")),
    "Display P3": lambda path: stripes(path, *X264, filters=wide("smpte432")),
    "primaries of 601": lambda path: stripes(path, *X264, filters=wide("170m")),
    "RGB in H.264": lambda path: stripes(path, "-c:v", "libx264rgb", "-qp", "0"),
    "RGB as PNG": lambda path: stripes(path.with_suffix(".mov"), "-c:v", "png"),
    "RGB as PNG, 720 lines": lambda path: stripes(
        path.with_suffix(".mov"), "-c:v", "png", size=(640, 720)
    ),
    "HLG": lambda path: hdr(path, transfer="arib-std-b67"),
    "PQ": lambda path: hdr(path, transfer="smpte2084"),
    "HLG without primaries": lambda path: hdr(path, transfer="arib-std-b67", primaries="unknown"),
}


@pytest.mark.parametrize("kind", KINDS)
def test_a_film_of_each_kind_and_its_poster_have_the_colours_that_were_filmed(tmp_path, made, kind):
    original = KINDS[kind](tmp_path / "film.mp4")

    film = encoded(original, folder=made)

    assert worst(colours(film)) < 5
    assert worst(middles(poster(original, folder=made))) < 5
    assert "yuv420p(tv, bt709, progressive)" in stream(film)
    assert "SAR 1:1" in stream(film)


@pytest.mark.parametrize("transfer", ["arib-std-b67", "smpte2084"])
def test_highlights_of_hdr_stay_apart_and_below_white(transfer):
    grey = film_colours.table("bt2020", transfer).splitlines()[1:]
    size = film_colours.TABLE_SIZE
    ramp = [255 * float(grey[step * (1 + size + size**2)].split()[1]) for step in range(size)]

    assert ramp == sorted(ramp)
    assert ramp[0] == 0
    assert 250 < ramp[-1] < 255
    # HDR's white of paper, as BT.2408 has it: three quarters of HLG's signal, 58 % of PQ's.
    paper = ramp[round(0.75 * (size - 1))] if transfer == "arib-std-b67" else ramp[28]
    assert paper == pytest.approx(241, abs=3)


def test_what_a_film_says_of_its_hdr_is_not_said_of_what_is_made_of_it(tmp_path, made):
    mastering = (
        "log-level=error:hdr10=1:repeat-headers=1:max-cll=1000,400:"
        "master-display=G(13250,34500)B(7500,3000)R(34000,16000)WP(15635,16450)L(10000000,1)"
    )
    original = hdr(tmp_path / "hdr10.mp4", "-x265-params", mastering, transfer="smpte2084")
    assert "Mastering display" in said(original, "-vf", "showinfo")

    film = said(encoded(original, folder=made), "-vf", "showinfo")

    assert not re.search("mastering|content light", film, re.IGNORECASE)


ALPHA = "format=gbrap,colorchannelmixer=aa=0.5"
ON_WHITE = [tuple((255 + value) / 2 for value in colour) for colour in COLOURS]
CLEAR = {
    "VP9": ("a.webm", "-c:v", "libvpx-vp9", "-pix_fmt", "yuva420p", "-lossless", "1"),
    "VP8": ("a.webm", "-c:v", "libvpx", "-pix_fmt", "yuva420p", "-b:v", "4M", "-auto-alt-ref", "0"),
    "Animation": ("a.mov", "-c:v", "qtrle"),
    "ProRes 4444": ("a.mov", "-c:v", "prores_ks", "-profile:v", "4444"),
    "PNG": ("a.mov", "-c:v", "png"),
}


@pytest.mark.parametrize("kind", CLEAR)
def test_what_one_could_look_through_lies_on_white(tmp_path, made, kind):
    name, *encoding = CLEAR[kind]
    original = stripes(tmp_path / name, *encoding, filters=ALPHA)

    film = encoded(original, folder=made)

    assert worst(colours(film), ON_WHITE) < 6
    assert worst(middles(poster(original, folder=made)), ON_WHITE) < 6


def combing(path: Path) -> float:
    """How much neighbouring lines differ, beyond what those two apart do."""
    luma = planes(path)[0]
    moved = [luma.crop((0, lines, luma.width, luma.height - 2 + lines)) for lines in (0, 1, 2)]
    near, far = (ImageChops.difference(moved[0], other) for other in moved[1:])
    return ImageStat.Stat(near).mean[0] - ImageStat.Stat(far).mean[0]


@pytest.mark.parametrize("first", ["top", "bottom"])
def test_fields_become_pictures(tmp_path, made, first):
    original = tmp_path / "fields.mp4"
    flag = "tff" if first == "top" else "bff"
    films.ffmpeg(
        *("-f", "lavfi", "-i", "color=black:size=160x96:rate=50:duration=0.4"),
        *(
            "-vf",
            f"geq=lum='255*lt(mod(X+N*16,64),32)':cb=128:cr=128,interlace=scan={flag}:lowpass=0",
        ),
        *("-c:v", "libx264", "-preset", "ultrafast", "-x264-params", f"{flag}=1:qp=4", original),
    )
    assert combing(original) > 20

    film = encoded(original, folder=made)

    assert combing(film) < 4
    assert "progressive" in stream(film)
    assert len(times(film)) == len(times(original))


@pytest.mark.parametrize(
    ("rate", "kept"), [(120, 60), (240, 60), (90, 60), (100, 60), (60, 60), (50, 50)]
)
def test_a_film_has_sixty_pictures_a_second_at_most(tmp_path, made, rate, kept):
    original = stripes(tmp_path / "fast.mp4", *X264, rate=rate, seconds=1)

    shown = times(encoded(original, folder=made))

    assert len(shown) == pytest.approx(kept, abs=1)
    assert shown[-1] == pytest.approx(1, abs=0.04)


def test_unsteady_times_cost_a_film_of_sixty_none_of_its_pictures(tmp_path, made):
    original = stripes(
        *(tmp_path / "unsteady.mkv", *X264, "-fps_mode", "passthrough"),
        filters="settb=1/1000,setpts='N*1000/60+2*mod(N,2)'",
        rate=60,
        seconds=1,
    )

    shown = times(encoded(original, folder=made))

    assert len(shown) == len(times(original))


def test_oblong_pixels_become_square_and_a_turned_film_upright(tmp_path, made):
    wide = stripes(tmp_path / "wide.mp4", *X264, filters=f"{TO_709},setsar=1/2")
    turned = films.turned(tmp_path / "turned.mp4", wide, degrees=90)

    upright = look(turned)
    film = stream(encoded(turned, folder=made))

    assert (look(wide).width, look(wide).height) == (160, 48)
    assert (upright.width, upright.height) == (96, 320)
    assert "96x320" in film
    assert "SAR 1:1" in film


def test_turned_low_lines_are_counted_as_they_are_coded(tmp_path, made):
    """Turned it has 960 lines, and yet its matrix is that of a film of 540."""
    original = films.turned(
        tmp_path / "turned.mp4",
        stripes(tmp_path / "sd.mp4", *X264, filters=f"{TO_601},{UNTAGGED}", size=(960, 540)),
    )

    assert look(original).pixels.matrix == "smpte170m"


@pytest.mark.parametrize(
    ("degrees", "size"),
    [(3, SIZE), (40, SIZE), (45, SIZE), (91.5, SIZE[::-1]), (-120, SIZE[::-1]), (170, SIZE)],
)
def test_an_odd_turn_is_the_nearest_quarter_and_nothing_is_cut_off(tmp_path, made, degrees, size):
    flat = stripes(tmp_path / "film.mp4", *X264, filters=TO_709)
    original = films.turned(tmp_path / "turned.mov", flat, degrees=degrees)

    film = stream(encoded(original, folder=made))

    assert (look(original).width, look(original).height) == size
    assert f"{size[0]}x{size[1]}" in film
    assert poster(original, folder=made).size == size


@pytest.mark.parametrize("layout", ["yuv420p", "yuv422p", "yuv444p"])
@pytest.mark.parametrize("size", ["2x2", "4x4", "2x16", "16x2", "6x6", "15x15"])
def test_a_film_that_is_too_small_for_fields_is_made(tmp_path, made, size, layout):
    original = tmp_path / "tiny.webm"
    picture = f"color=0x{bytes(COLOURS[4]).hex()}:size={size}:rate=10:duration=0.3"
    films.ffmpeg(
        *("-f", "lavfi", "-i", picture, "-vf", f"{TO_709},format={layout}"),
        *("-c:v", "libvpx-vp9", "-lossless", "1", original),
    )

    width, height = (int(side) // 2 * 2 for side in size.split("x"))

    assert f"{width}x{height}" in stream(encoded(original, folder=made))
    assert poster(original, folder=made).getpixel((0, 0)) == pytest.approx(COLOURS[4], abs=6)


def test_sound_of_a_kind_that_cannot_be_read_is_called_that_and_not_damaged(tmp_path, made):
    original = films.film(
        tmp_path / "film.mov", seconds=1, size="160x90", codec=(*films.H264, "-c:a", "pcm_s16le")
    )
    # Apple's own, of its spatial sound.
    original.write_bytes(original.read_bytes().replace(b"sowt", b"apac"))

    with pytest.raises(UnusableFileError, match="a kind that can't be read here"):
        videos.try_all(look(original), folder=made, progress=ignore)


@pytest.mark.parametrize("name", ["long.mp4", "long.mkv", "long.mov"])
def test_sound_that_is_longer_than_the_pictures_is_kept_beside_the_last_one(tmp_path, made, name):
    original = tmp_path / name
    films.ffmpeg(
        *("-f", "lavfi", "-i", "testsrc=size=160x90:rate=10:duration=1"),
        *("-f", "lavfi", "-i", "sine=duration=5", *X264, "-pix_fmt", "yuv420p"),
        *("-c:a", "aac", original),
    )

    list(videos.encode(look(original), STREAMED, folder=made, progress=ignore))

    assert times(made / "film.mp4")[-1] == pytest.approx(4.9, abs=0.15)
    playlist = (made / "hls-film.m3u8").read_text()
    lengths = [float(length) for length in re.findall(r"#EXTINF:([\d.]+)", playlist)]
    assert sum(lengths) == pytest.approx(5, abs=0.1)


def test_a_film_with_longer_sound_that_is_cut_short_is_still_told_from_a_whole_one(tmp_path):
    original = tmp_path / "long.mp4"
    films.ffmpeg(
        *("-f", "lavfi", "-i", "testsrc=size=160x90:rate=10:duration=1"),
        *("-f", "lavfi", "-i", "sine=duration=5", *X264, "-pix_fmt", "yuv420p"),
        *("-c:a", "aac", "-movflags", "+faststart", original),
    )
    data = original.read_bytes()
    original.write_bytes(data[: len(data) * 2 // 3])

    with pytest.raises(UnusableFileError, match="damaged or cut short"):
        look(original)


def test_pictures_that_are_cut_behind_whole_sound_are_damaged(tmp_path):
    original = films.film(tmp_path / "film.mp4", size="160x90")
    films.ffmpeg("-i", original, "-c", "copy", "-movflags", "+faststart", tmp_path / "first.mp4")
    whole = films.pictures_last((tmp_path / "first.mp4").read_bytes())

    original.write_bytes(whole)
    assert look(original).seconds == pytest.approx(3, abs=0.1)
    original.write_bytes(whole[: len(whole) * 3 // 4])
    with pytest.raises(UnusableFileError, match="damaged or cut short"):
        look(original)


@pytest.mark.parametrize(
    ("name", "shown", "sound"),
    [("one.mp4", 0.1, 0), ("one.webm", 0.1, 0), ("slide.mp4", 4, 0), ("song.mp4", 0.1, 3)],
)
def test_a_film_of_one_picture_is_made(tmp_path, made, name, shown, sound):
    tone = ("-f", "lavfi", "-i", f"sine=duration={sound}") if sound else ()
    original = tmp_path / name
    films.ffmpeg(
        *("-f", "lavfi", "-i", f"testsrc=size=160x90:rate=1/{shown}:duration={shown}"),
        *(*tone, "-pix_fmt", "yuv420p", original),
    )

    film = encoded(original, folder=made)

    assert look(original).seconds == pytest.approx(max(shown, sound), abs=0.1)
    assert poster(original, folder=made).size == (160, 90)
    assert times(film)[0] == 0


@pytest.mark.parametrize("name", ["a.mov", "a.mkv"])
def test_what_lies_beside_pictures_and_sound_does_no_harm(tmp_path, made, name):
    """Timecode, chapters, longer titles, a cover, and words as if ffmpeg had said them."""
    titles = tmp_path / "titles.srt"
    titles.write_text("1\n00:00:00,000 --> 00:00:09,000\nThe end\n")
    chapters = tmp_path / "chapters.txt"
    chapters.write_text(
        ";FFMETADATA1\ntitle=Output #0, null\\\nVideo: wrapped_avframe, pal8, 9x9\n"
        "[CHAPTER]\nTIMEBASE=1/1\nSTART=0\nEND=9\n"
    )
    cover = tmp_path / "cover.jpg"
    films.ffmpeg("-f", "lavfi", "-i", "color=red:size=300x300", "-frames:v", "1", cover)
    original = tmp_path / name
    films.ffmpeg(
        *("-f", "lavfi", "-i", "testsrc=size=160x90:rate=25:duration=2", "-i", titles),
        *("-i", chapters, "-map", "0", "-map", "1", "-map_metadata", "2", "-map_chapters", "2"),
        *(*X264, "-pix_fmt", "yuv420p", "-timecode", "01:00:00:00"),
        *(("-c:s", "mov_text") if name == "a.mov" else ("-attach", cover)),
        *(() if name == "a.mov" else ("-metadata:s:t", "mimetype=image/jpeg")),
        original,
    )

    video = look(original)

    assert (video.width, video.height, video.hold) == (160, 90, 0)
    assert video.seconds == pytest.approx(2, abs=0.1)
    assert len(times(encoded(original, folder=made))) == 50


def test_a_film_in_greys_stays_as_it_is(tmp_path, made):
    original = stripes(tmp_path / "grey.mp4", *X264, filters=f"{TO_709},format=gray")

    film = encoded(original, folder=made)

    assert colours(film)[:4] == pytest.approx(
        [pytest.approx(colour, abs=4) for colour in COLOURS[:4]]
    )


def test_colours_that_cannot_be_read_are_called_that_and_not_damaged(tmp_path):
    original = stripes(
        tmp_path / "film.mp4", *X264, filters="format=yuv444p,setparams=colorspace=ycgco"
    )

    with pytest.raises(UnusableFileError, match=r"can't be read \(ycgco\)"):
        look(original)
