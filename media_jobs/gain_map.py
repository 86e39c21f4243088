"""The gain map of an Ultra HDR photo: a small picture that says where a bright screen may be
brighter than the base picture.

libvips turns and scales it with the picture in `thumbnail` alone. What is cut, turned or put on
a ground by anything else has a map that no longer fits.
"""

import pyvips

_MAP, _FILE = "gainmap", "gainmap-data"
"""Where libvips keeps the map: as a picture, and as it lay in the file."""


def has_gain_map(picture: pyvips.Image) -> bool:
    """Whether the picture has a gain map that `decoded_gain_map` or a thumbnail left there."""
    return _MAP in picture.get_fields()


def decoded_gain_map(picture: pyvips.Image) -> pyvips.Image:
    """Return the picture with its gain map decoded, or without one if that can't be: a picture
    isn't damaged because its map is.
    """
    if not {_MAP, _FILE} & set(picture.get_fields()):
        return picture
    try:
        gain_map = picture.get_gainmap().copy_memory()
    except pyvips.Error:
        return without_gain_map(picture)
    plain = without_gain_map(picture)
    plain.set_type(pyvips.GValue.image_type, _MAP, gain_map)
    return plain


def without_gain_map(picture: pyvips.Image) -> pyvips.Image:
    """Return the picture as one that never had a gain map."""
    plain = picture.copy()
    for field in (_MAP, _FILE):
        if field in plain.get_fields():
            plain.remove(field)
    return plain
