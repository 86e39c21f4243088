"""Colours of films in SDR, BT.709: a 3D table from what the film's tags say.

A table costs the same whatever it does, gives the same colours in every build of ffmpeg, and is
exact about the standards: ITU-R BT.2100 (PQ, HLG), BT.2087 (wide gamut), BT.1886 (the display).
"""

from functools import lru_cache
from math import exp

from media_jobs.primaries import Colour, inverse, product, times, to_xyz

TABLE_SIZE = 49
"""Points on each of its three sides; between them ffmpeg interpolates. With 33 dark parts of PQ's
strong colours are off by 8 of 255, with 65 nothing is better that one could see.
"""

REFERENCE_WHITE = 203.0
"""The cd/m² of a white sheet of paper in HDR (ITU-R BT.2408): the white of SDR."""
HLG_PEAK, HLG_GAMMA = 1000.0, 1.2
"""The display for which HLG is graded, and its system gamma (BT.2100)."""
PQ_PEAK = 10_000.0
KNEE = 0.75
"""Of the white's light: what is darker stays exactly as it is, what is brighter is compressed."""
SDR_GAMMA = 2.4
"""Of a display (BT.1886). Other curves of SDR mean the same display to players, and keep their
numbers.
"""

HDR_TRANSFERS = ("arib-std-b67", "smpte2084")
"""HLG and PQ, by ffmpeg's names."""

# x and y of red, green and blue, by ffmpeg's names (ITU-T H.273). White stays white in each.
PRIMARIES = {
    "bt709": ((0.640, 0.330), (0.300, 0.600), (0.150, 0.060)),
    "bt470m": ((0.670, 0.330), (0.210, 0.710), (0.140, 0.080)),
    "bt470bg": ((0.640, 0.330), (0.290, 0.600), (0.150, 0.060)),
    "smpte170m": ((0.630, 0.340), (0.310, 0.595), (0.155, 0.070)),
    "smpte240m": ((0.630, 0.340), (0.310, 0.595), (0.155, 0.070)),
    "film": ((0.681, 0.319), (0.243, 0.692), (0.145, 0.049)),
    "bt2020": ((0.708, 0.292), (0.170, 0.797), (0.131, 0.046)),
    "smpte431": ((0.680, 0.320), (0.265, 0.690), (0.150, 0.060)),
    "smpte432": ((0.680, 0.320), (0.265, 0.690), (0.150, 0.060)),
    "ebu3213": ((0.630, 0.340), (0.295, 0.605), (0.155, 0.077)),
}


def needs_table(primaries: str, transfer: str) -> bool:
    """Whether a film with these tags (ffmpeg's names) has other colours than BT.709's."""
    return transfer in HDR_TRANSFERS or (primaries in PRIMARIES and primaries != "bt709")


@lru_cache(maxsize=4)
def table(primaries: str, transfer: str) -> str:
    """Return the table as a .cube file: from the film's R'G'B' to that of BT.709.

    HDR is mapped by its light: what is not brighter than `KNEE` keeps its colour, and the rest is
    compressed by one factor for all three channels, so that no hue moves.
    """
    matrix = product(inverse(to_xyz(*PRIMARIES["bt709"])), to_xyz(*PRIMARIES[primaries]))
    curve = {"arib-std-b67": _hlg_light, "smpte2084": _pq_light}.get(transfer, _sdr_light)
    axis = [curve(step / (TABLE_SIZE - 1)) for step in range(TABLE_SIZE)]
    # Red runs fastest: so .cube wants it.
    grid = (Colour(red, green, blue) for blue in axis for green in axis for red in axis)
    lights = map(_on_hlg_display, grid) if transfer == "arib-std-b67" else grid
    points = (_shown(times(matrix, light)) for light in lights)
    lines = (f"{red:.5f} {green:.5f} {blue:.5f}\n" for red, green, blue in points)
    return f"LUT_3D_SIZE {TABLE_SIZE}\n" + "".join(lines)


def _sdr_light(signal: float) -> float:
    return float(signal**SDR_GAMMA)


def _pq_light(signal: float) -> float:
    """Return the display's light, 1 for the reference white, by PQ's EOTF (BT.2100, table 4)."""
    m1, m2 = 2610 / 16384, 2523 / 32
    c1, c2, c3 = 3424 / 4096, 2413 / 128, 2392 / 128
    power = signal ** (1 / m2)
    light = (max(power - c1, 0) / (c2 - c3 * power)) ** (1 / m1)
    return float(PQ_PEAK / REFERENCE_WHITE * light)


def _hlg_light(signal: float) -> float:
    """Return the scene's light, at most 1, by the inverse of HLG's OETF (BT.2100, table 5)."""
    a, b, c = 0.17883277, 0.28466892, 0.55991073
    return signal**2 / 3 if signal <= 0.5 else (exp((signal - c) / a) + b) / 12


def _on_hlg_display(scene: Colour) -> Colour:
    """Return the display's light, 1 for the reference white, by HLG's OOTF (BT.2100, table 5).

    It goes by the luminance of the three channels: one by one they would lose saturation.
    """
    luminance = 0.2627 * scene.red + 0.6780 * scene.green + 0.0593 * scene.blue
    factor = HLG_PEAK / REFERENCE_WHITE * luminance ** (HLG_GAMMA - 1)
    return Colour(factor * scene.red, factor * scene.green, factor * scene.blue)


def _shown(light: Colour) -> Colour:
    """Return the signal of SDR for light in BT.709's primaries: compressed, and cut to its gamut.

    Above the knee a hyperbola that goes on from it without a corner and never reaches 1.
    """
    brightest = max(light)
    factor = 1.0
    if brightest > KNEE:
        factor = (1 - (1 - KNEE) ** 2 / (brightest + 1 - 2 * KNEE)) / brightest
    red, green, blue = (min(1.0, max(0.0, factor * value)) ** (1 / SDR_GAMMA) for value in light)
    return Colour(red, green, blue)
