"""The gain map of an Ultra HDR photo: a small picture that says where a bright screen may be
brighter than the base picture.

Only `thumbnail` of libvips rotates and scales the map with its picture. After crop, flip, rotate or
embed the map no longer fits (findings/gain_map.sh), so it must be dropped.
"""

import pyvips

_MAP, _FILE = "gainmap", "gainmap-data"
"""libvips' metadata fields: the map as a picture, and as the JPEG from the file."""


def has_gain_map(picture: pyvips.Image) -> bool:
    """Whether the picture has a decoded gain map."""
    return _MAP in picture.get_fields()


def decoded_gain_map(picture: pyvips.Image) -> pyvips.Image:
    """Return the picture with its gain map decoded. A map that can't be decoded is dropped."""
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
    """Return the picture without its gain map."""
    plain = picture.copy()
    for field in (_MAP, _FILE):
        if field in plain.get_fields():
            plain.remove(field)
    return plain
