"""Primaries: matrices from the linear RGB of a screen or a file to that of another."""

from typing import NamedTuple

Chromaticity = tuple[float, float]
"""CIE 1931's x and y."""


class Colour(NamedTuple):
    """Three numbers: of a colour, or of a matrix' row."""

    red: float
    green: float
    blue: float


Matrix = tuple[Colour, Colour, Colour]

D65: Chromaticity = (0.3127, 0.3290)
BRADFORD: Matrix = (
    Colour(0.8951, 0.2664, -0.1614),
    Colour(-0.7502, 1.7135, 0.0367),
    Colour(0.0389, -0.0685, 1.0296),
)
"""From XYZ to the cones' answers, in which a white is adapted to another (ICC.1, annex E)."""


def to_xyz(
    red: Chromaticity, green: Chromaticity, blue: Chromaticity, *, white: Chromaticity = D65
) -> Matrix:
    """Return the matrix from linear RGB of these primaries to CIE XYZ.

    Raises ZeroDivisionError if they are no triangle.
    """
    first, second, third = (_xyz(chromaticity) for chromaticity in (red, green, blue))
    columns = _transposed((first, second, third))
    parts = times(inverse(columns), _xyz(white))
    first, second, third = (
        Colour(*(part * value for part, value in zip(parts, row, strict=True))) for row in columns
    )
    return first, second, third


def adaptation(white: Chromaticity) -> Matrix:
    """Return the matrix from XYZ under this white to XYZ under D65, in which white stays white."""
    old, new = times(BRADFORD, _xyz(white)), times(BRADFORD, _xyz(D65))
    scale = (
        Colour(new.red / old.red, 0.0, 0.0),
        Colour(0.0, new.green / old.green, 0.0),
        Colour(0.0, 0.0, new.blue / old.blue),
    )
    return product(inverse(BRADFORD), product(scale, BRADFORD))


def times(matrix: Matrix, colour: Colour) -> Colour:
    red, green, blue = colour
    first, second, third = (a * red + b * green + c * blue for a, b, c in matrix)
    return Colour(first, second, third)


def product(left: Matrix, right: Matrix) -> Matrix:
    first, second, third = (times(left, column) for column in _transposed(right))
    return _transposed((first, second, third))


def inverse(matrix: Matrix) -> Matrix:
    """Return the inverse. Raises ZeroDivisionError if there is none."""
    (a, b, c), (d, e, f), (g, h, i) = matrix
    scale = 1 / (a * (e * i - f * h) - b * (d * i - f * g) + c * (d * h - e * g))
    return (
        Colour(scale * (e * i - f * h), scale * (c * h - b * i), scale * (b * f - c * e)),
        Colour(scale * (f * g - d * i), scale * (a * i - c * g), scale * (c * d - a * f)),
        Colour(scale * (d * h - e * g), scale * (b * g - a * h), scale * (a * e - b * d)),
    )


def _xyz(chromaticity: Chromaticity) -> Colour:
    x, y = chromaticity
    return Colour(x / y, 1.0, (1 - x - y) / y)


def _transposed(matrix: Matrix) -> Matrix:
    first, second, third = (Colour(*column) for column in zip(*matrix, strict=True))
    return first, second, third
