"""TIFFs of eight-bit CIELAB, as photo editors write them: libvips 8.18 can't read these itself
(findings/lab_tiff.sh).

The file is read as RGB, and its samples are then converted.
"""

import struct

import pyvips

BITS_PER_SAMPLE, PHOTOMETRIC, SHORT = 258, 262, 3
RGB, CIELAB = 2, 8


def as_rgb(data: bytes) -> bytes | None:
    """Return the TIFF with its photometric tag changed to RGB; None if it isn't 8-bit CIELAB."""
    order = "<" if data.startswith(b"II") else ">"
    try:
        (directory,) = struct.unpack_from(f"{order}I", data, 4)
        (count,) = struct.unpack_from(f"{order}H", data, directory)
        values = {}
        for place in range(directory + 2, directory + 2 + 12 * count, 12):
            tag, kind, number = struct.unpack_from(f"{order}HHI", data, place)
            if kind == SHORT:
                values[tag] = place + 8
                if number > 2:  # more than two values are stored elsewhere
                    (values[tag],) = struct.unpack_from(f"{order}I", data, place + 8)
        (photometric,) = struct.unpack_from(f"{order}H", data, values[PHOTOMETRIC])
        (bits,) = struct.unpack_from(f"{order}H", data, values[BITS_PER_SAMPLE])
    except (struct.error, KeyError):
        return None
    if (photometric, bits) != (CIELAB, 8):
        return None
    place = values[PHOTOMETRIC]
    return data[:place] + struct.pack(f"{order}H", RGB) + data[place + 2 :]


def as_lab(picture: pyvips.Image) -> pyvips.Image:
    """Convert a picture that was read from `as_rgb` to Lab: in the file L is 0 to 255, a and b are
    signed (TIFF 6.0, section 23).
    """
    lightness, *colours = (picture[band] for band in range(3))
    signed = [(colour > 127).ifthenelse(colour - 256.0, colour) for colour in colours]
    return (lightness * (100 / 255)).bandjoin(signed).copy(interpretation="lab")
