"""The one form of every film that we make, as ffmpeg's filters, whatever the original's is.

SDR in BT.709, limited range, 8 bits, 4:2:0, square pixels, even sizes, no fields, at most 60
pictures a second, white where one could look through it; and its tags say so.
"""

import re
from dataclasses import dataclass
from pathlib import Path

from django.utils.translation import gettext as _

from media_jobs import film_colours
from media_jobs.filetypes import UnusableFileError

MOST_RATE = 60
EARLY_SECONDS = 0.008
"""The seconds by which a frame may come too early: cameras and rounded times are that unsteady."""
HD_LINES = 720
"""Untagged YUV is BT.709 from so many lines on, and BT.601 below, as players have it."""
SMALLEST_WITH_FIELDS = 16
"""Pixels of the shorter side: `bwdif` takes no plane of fewer than three columns or four lines, and
colours may have a quarter of the picture's.
"""
TABLE_FILE = "colours.cube"

# ffmpeg's names of YUV's matrices (ITU-T H.273), and what its `scale` calls them.
MATRICES = {
    "bt709": "bt709",
    "bt470bg": "smpte170m",
    "smpte170m": "smpte170m",
    "fcc": "fcc",
    "smpte240m": "smpte240m",
    "bt2020nc": "bt2020",
    "bt2020c": "bt2020",
}
NO_MATRICES = ("unknown", "reserved", "gbr")
CAREFUL = "flags=bicubic+accurate_rnd+full_chroma_int"
TAGGED = "setparams=range=tv:colorspace=bt709:color_primaries=bt709:color_trc=bt709"


@dataclass(frozen=True)
class Pixels:
    """The meaning of a film's pixels: by its tags, or without tags as players take them."""

    layout: str
    """ffmpeg's pixel format."""
    full_range: bool = False
    matrix: str = "bt709"
    """As `scale` calls it; says nothing of RGB."""
    primaries: str = "bt709"
    transfer: str = "bt709"
    may_have_fields: bool = True

    @property
    def is_rgb(self) -> bool:
        return re.match(r"gbr|x?[01]?(rgb|bgr)|argb|abgr|pal8|mono", self.layout) is not None

    @property
    def has_alpha(self) -> bool:
        alpha = r"yuva|gbrap|rgba|bgra|argb|abgr|ya\d|ayuv|vuya|uyva|pal8"
        return re.match(alpha, self.layout) is not None

    @property
    def needs_table(self) -> bool:
        return film_colours.needs_table(self.primaries, self.transfer)


PLAIN = Pixels("yuv420p")


def pixels(layout: str, tags: str, *, lines: int, may_have_fields: bool = True) -> Pixels:
    """Return what the pixels mean.

    `tags` is what ffmpeg says of a stream's in brackets, such as "tv, bt2020nc/bt2020/smpte2084,
    progressive" or "pc, bt709"; `lines` is the height in which it is coded. Raises
    UnusableFileError for a matrix that ffmpeg can't convert (YCgCo, ICtCp, Dolby Vision's IPT).
    """
    matrix = primaries = transfer = "unknown"
    said = tags.split(", ")
    for tag in said:
        if tag.count("/") == 2:
            matrix, primaries, transfer = tag.split("/")
        elif tag in MATRICES:  # ffmpeg says it once if all three are called the same
            matrix = primaries = transfer = tag
    if primaries not in film_colours.PRIMARIES:
        is_wide = transfer in film_colours.HDR_TRANSFERS or matrix.startswith("bt2020")
        primaries = "bt2020" if is_wide else "bt709"
    if matrix in NO_MATRICES:
        usual = "bt709" if lines >= HD_LINES else "smpte170m"
        matrix = "bt2020nc" if primaries == "bt2020" else usual
    if matrix not in MATRICES:
        message = _(
            "The video's colours are coded in a way that can't be read (%s)."
            " Export it as H.264 without HDR and upload the new file."
        )
        raise UnusableFileError(message % matrix)
    is_rgb = Pixels(layout).is_rgb
    full_range = "pc" in said or ("tv" not in said and (is_rgb or layout.startswith("yuvj")))
    meaning = (MATRICES[matrix], primaries, transfer)
    return Pixels(layout, full_range, *meaning, may_have_fields=may_have_fields)


def write_table(film: Pixels, folder: Path) -> None:
    """Write the table of colours that the filters name, if the film needs one."""
    file = folder / TABLE_FILE
    if film.needs_table and not file.exists():
        file.write_text(film_colours.table(film.primaries, film.transfer))


def whole(film: Pixels, *, hold: float = 0.0) -> list[str]:
    """Return the filters of the decoder's pictures, before any is scaled.

    The last picture is shown `hold` seconds longer.
    """
    filters = ["sidedata=mode=delete"]  # what is said there of HDR is no longer true
    if hold:
        filters.append(f"tpad=stop_mode=clone:stop_duration={hold:.3f}")
    # A picture has its turn a sixtieth of a second after the last one's. ld(0) is the next turn.
    filters.append(
        f"select='if(gte(t,ld(0)-{EARLY_SECONDS}),st(0,max(ld(0),t)+1/{MOST_RATE})*0+1)'"
    )
    if film.may_have_fields and not film.is_rgb:
        filters.append("bwdif=mode=send_frame:deint=interlaced")
    if film.has_alpha:
        # Before scaling: at its edges the colours of what is clear would show. The negative of
        # what lies on black is what lies on white.
        filters += [*_rgb(film, "gbrap16"), "negate=components=r+g+b", "premultiply=inplace=1"]
        filters += ["negate=components=r+g+b", "format=gbrp16"]
    return filters


def sized(film: Pixels, width: int, height: int) -> list[str]:
    """Return the filters that make what `whole` gives a film of this size (even numbers)."""
    size = f"scale={width}:{height}"
    to_bt709 = "out_color_matrix=bt709:out_range=tv"
    if _is_direct(film):
        range_ = "pc" if film.full_range else "tv"
        scaled = [f"{size}:in_color_matrix=bt709:in_range={range_}:{to_bt709}"]
    else:
        scaled = [*_in_rgb(film, size), f"scale={to_bt709}:{CAREFUL}"]
    return [*scaled, "setsar=1", "format=yuv420p", TAGGED]


def still(film: Pixels, width: int, height: int) -> list[str]:
    """Return the filters that make what `whole` gives pictures of RGB in this size."""
    return [*_in_rgb(film, f"scale={width}:{height}"), "setsar=1", "format=rgb24"]


def rough(film: Pixels) -> list[str]:
    """Return the filters that make what `whole` gives tiny: to try a film and keep nothing."""
    return [*whole(film), "scale=16:16:flags=fast_bilinear"]


def _is_direct(film: Pixels) -> bool:
    """Whether the film is YUV of BT.709 already: then it stays YUV, which is faster."""
    is_other = film.is_rgb or film.has_alpha or film.needs_table
    return film.matrix == "bt709" and not is_other


def _in_rgb(film: Pixels, scale: str) -> list[str]:
    if film.has_alpha:
        return [f"{scale}:{CAREFUL}", "format=gbrp16"]  # `whole` has done the rest
    return _rgb(film, "gbrp16", scale=scale)


def _rgb(film: Pixels, layout: str, *, scale: str = "scale=iw:ih") -> list[str]:
    """Return the filters from the decoder's pictures to R'G'B' of BT.709."""
    meaning = ""
    if not film.is_rgb:
        range_ = "pc" if film.full_range else "tv"
        meaning = f":in_color_matrix={film.matrix}:in_range={range_}"
    filters = [f"{scale}{meaning}:{CAREFUL}", f"format={layout}"]
    if film.needs_table:
        filters.append(f"lut3d={TABLE_FILE}:interp=tetrahedral")
    return filters
