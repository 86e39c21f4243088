"""Tells how much of a JPEG without its last bytes is there: browsers show such files, too.

libjpeg fills missing rows with grey and only warns. So the file is decoded with two different
endings: rows that are equal in both came from the file.
"""

import re

import pyvips

ENOUGH = 0.95
"""The share of its rows that the file must contain."""
END_OF_IMAGE = b"\xff\xd9"
NOISE = bytes(range(16, 112)) * 64
"""A second ending: no marker in it, and nothing that an encoder would write."""

_START_OF_SCAN, _PROGRESSIVE = 0xDA, 0xC2
_MARKER_IN_SCAN = re.compile(rb"\xff[^\x00\xff\xd0-\xd7]")
"""Within a scan 0xFF is followed by 0x00 or is a restart marker."""


def is_nearly_whole(data: bytes) -> bool:
    """Whether a JPEG with warnings contains nearly all of its picture.

    A progressive JPEG must also have begun its last scan: before that, the whole picture is coarse.
    Raises pyvips.Error if the file can't be decoded at all.
    """
    end, has_all_scans = _scans(data)
    if not has_all_scans:
        return False
    body = data[:end].rstrip(b"\xff")  # half a marker would make one with what follows
    first, second = (
        # Half of the size needs a quarter of the memory, and still shows differences in last bits.
        pyvips.Image.jpegload_buffer(body + tail, shrink=2, fail_on="none")
        for tail in (END_OF_IMAGE, NOISE + END_OF_IMAGE)
    )
    differs, _rows = (first != second).bandor().profile()
    return float(differs.min()) >= ENOUGH * first.height


def _scans(data: bytes) -> tuple[int, bool]:
    """Return where the coded data end, and whether the scan that completes the picture has begun.

    Follows ITU-T T.81: B.1.1.4 for the segments, B.2.3 for a scan's header, G.1.1.1 for what is
    sent in which scan.
    """
    place, is_progressive = 2, False
    missing: dict[tuple[int, int], int] = {}
    """The bits that each coefficient of a component still lacks, by (component, number)."""
    # Decoders pass over what lies between two segments.
    while (place := data.find(b"\xff", place)) >= 0 and place + 2 <= len(data):
        marker = data[place + 1]
        if marker == 0xFF:  # padding
            place += 1
            continue
        if marker == END_OF_IMAGE[1]:
            return place, _is_complete(missing, is_progressive)
        segment = data[place + 4 : place + 2 + int.from_bytes(data[place + 2 : place + 4])]
        place += 4 + len(segment)
        if marker == _PROGRESSIVE:
            is_progressive = True
            missing = {(c, k): 1 for c in segment[6::3] for k in range(64)}
        if marker != _START_OF_SCAN:
            continue
        if is_progressive and len(segment) >= 4:
            first, last, bits = segment[-3:]
            for component in segment[1:-3:2]:
                missing |= {(component, k): bits & 0x0F for k in range(first, min(last, 63) + 1)}
        found = _MARKER_IN_SCAN.search(data, place)
        place = found.start() if found else len(data)
    return len(data), _is_complete(missing, is_progressive)


def _is_complete(missing: dict[tuple[int, int], int], is_progressive: bool) -> bool:
    return not is_progressive or (bool(missing) and not any(missing.values()))
