"""Tells raw files of cameras and telephones (DNG, NEF, ARW, CR2) from TIFFs, whose form they have.

Their first picture is a small preview, or what the sensor saw: nothing that can be printed.
"""

import struct

NEW_SUBFILE_TYPE, SUB_DIRECTORIES, DNG_VERSION = 254, 330, 50_706
REDUCED = 1
"""The bit that says: a smaller copy of another picture in the file (TIFF 6.0, NewSubfileType)."""
CR2 = b"CR"
"""Canon's mark, behind the header of the TIFF."""


def is_raw(data: bytes) -> bool:
    """Whether the TIFF is a raw file, by its first directory (DNG 1.7, chapter 4)."""
    if data[8:10] == CR2:
        return True
    order = "<" if data.startswith(b"II") else ">"
    values = {}
    try:
        (directory,) = struct.unpack_from(f"{order}I", data, 4)
        (count,) = struct.unpack_from(f"{order}H", data, directory)
        for place in range(directory + 2, directory + 2 + 12 * count, 12):
            tag, _kind, _number, value = struct.unpack_from(f"{order}HHII", data, place)
            values[tag] = value
    except struct.error:
        return False
    is_preview = bool(values.get(NEW_SUBFILE_TYPE, 0) & REDUCED)
    return DNG_VERSION in values or (is_preview and SUB_DIRECTORIES in values)
