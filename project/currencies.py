"""Currencies: how many decimal places their amounts have (ISO 4217, table A.1, minor units)."""

_ZERO = "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF"
_THREE = "BHD IQD JOD KWD LYD OMR TND"
_FOUR = "CLF UYW"

PLACES = {
    **dict.fromkeys(_ZERO.split(), 0),
    **dict.fromkeys(_THREE.split(), 3),
    **dict.fromkeys(_FOUR.split(), 4),
}
"""Where they aren't two."""


def decimal_places(currency: str) -> int:
    """Return how many decimal places an amount in this currency (its three letters) has."""
    return PLACES.get(currency, 2)
