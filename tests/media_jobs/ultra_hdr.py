"""Ultra HDR JPEGs as telephones save them, by libvips: a base picture and its gain map."""

from io import BytesIO

import pyvips
from PIL import Image

from tests.media_jobs.originals import photo, saved

BOOST = 4.0
"""How many times brighter the map makes what is white in it."""


def ultra_hdr(orientation: int = 1, width: int = 400, height: int = 300) -> bytes:
    """`photo()` and a map that is white where the photo is red, stored turned as a camera does."""
    picture = _read(saved(photo(width, height), "PNG"))
    light = Image.new("L", (width // 2, height // 2))
    light.paste(255, (0, 0, width // 8, height // 8))
    gain_map = _read(saved(light, "PNG")).copy(interpretation="b-w")
    stored, stored_map = (_turned(each, orientation) for each in (picture, gain_map))
    stored = stored.copy()
    types = pyvips.GValue
    stored.set_type(types.image_type, "gainmap", stored_map)
    for name, value in (
        ("max-content-boost", BOOST),
        ("min-content-boost", 1.0),
        ("gamma", 1.0),
        ("offset-sdr", 0.0),
        ("offset-hdr", 0.0),
    ):
        stored.set_type(types.array_double_type, f"gainmap-{name}", [value] * 3)
    stored.set_type(types.gdouble_type, "gainmap-hdr-capacity-min", 1.0)
    stored.set_type(types.gdouble_type, "gainmap-hdr-capacity-max", BOOST)
    stored.set_type(types.gint_type, "gainmap-use-base-cg", 1)
    stored.set_type(types.gint_type, "orientation", orientation)
    note = "Camera of a shopkeeper"
    said = f"{note} ({note}, ASCII, {len(note) + 1} components, {len(note) + 1} bytes)"
    stored.set_type(types.gstr_type, "exif-ifd0-Model", said)
    return bytes(stored.uhdrsave_buffer(Q=95))


def gain_map_of(data: bytes) -> pyvips.Image | None:
    """Return the gain map of a JPEG, if it has one."""
    picture = pyvips.Image.new_from_buffer(data, "")
    if "gainmap-data" not in picture.get_fields():
        return None
    return picture.get_gainmap().copy_memory()  # while the file that it is read from is there


def size_of(data: bytes) -> tuple[int, int]:
    return Image.open(BytesIO(data)).size


def _read(png: bytes) -> pyvips.Image:
    return pyvips.Image.new_from_buffer(png, "")


def _turned(picture: pyvips.Image, orientation: int) -> pyvips.Image:
    """Return the picture as it is stored, so that `orientation` shows it upright."""
    match orientation:
        case 3:
            return picture.rot180()
        case 5:
            return picture.rot90().fliphor()
        case 6:
            return picture.rot270()
        case 8:
            return picture.rot90()
    return picture
