import pytest

from notifications.segments import (
    BASIC,
    EXTENSION,
    GSM_7,
    UCS_2,
    Segments,
    count_segments,
    shorten,
)


def test_the_default_alphabet_has_its_127_characters_and_ten_more_by_escape():
    assert (len(BASIC), len(EXTENSION)) == (127, 10)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", Segments(GSM_7, 0, 1)),
        ("x" * 160, Segments(GSM_7, 160, 1)),
        ("x" * 161, Segments(GSM_7, 161, 2)),
        ("x" * 306, Segments(GSM_7, 306, 2)),
        ("x" * 307, Segments(GSM_7, 307, 3)),
        ("€" * 80, Segments(GSM_7, 160, 1)),
        ("€" * 80 + "x", Segments(GSM_7, 161, 2)),
        ("单" * 70, Segments(UCS_2, 70, 1)),
        ("单" * 71, Segments(UCS_2, 71, 2)),
        ("单" * 134, Segments(UCS_2, 134, 2)),
        ("单" * 135, Segments(UCS_2, 135, 3)),
        ("🍵" * 35, Segments(UCS_2, 70, 1)),
        ("🍵" * 36, Segments(UCS_2, 72, 2)),
    ],
)
def test_a_text_is_counted_in_the_units_of_its_encoding(text, expected):
    assert count_segments(text) == expected


@pytest.mark.parametrize("character", "ëç’…\u00a0\tЖ")
def test_one_character_that_the_default_alphabet_lacks_makes_the_whole_text_ucs_2(character):
    assert count_segments("x" * 69 + character) == Segments(UCS_2, 70, 1)
    assert count_segments("x" * 70 + character).segments == 2


def test_an_escape_is_not_parted_from_its_character():
    # 152 and an escape would fill the first part: both go to the second, which then overflows.
    text = "x" * 152 + "€" + "x" * 152

    assert count_segments(text) == Segments(GSM_7, 306, 3)


def test_a_surrogate_pair_is_not_split():
    # A pair is two units, a part has 67: the 34th pair doesn't fit into the first.
    assert count_segments("🍵" * 67) == Segments(UCS_2, 134, 3)


# ── Shortening ──────────────────────────────────────────────────────────────────────────────
def test_a_text_that_fits_is_left_alone():
    assert shorten("Zoë Müller", 10) == "Zoë Müller"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Deutsche Post AG", "Deutsche.."),
        ("顺丰速运有限公司北京分公司", "顺丰速运有限公司.."),
        ("🍵🍵🍵🍵🍵🍵", "🍵🍵🍵🍵.."),
        ("xxxxxxx🍵🍵", "xxxxxxx.."),  # not half of a pair
        ("xxxxxxxe\u0301xxx", "xxxxxxx.."),  # not an e without its accent
        ("xxxx👩\u200d🚀xxx", "xxxx.."),  # not half of a joined emoji
    ],
)
def test_a_long_text_is_cut_between_what_people_see_as_characters(text, expected):
    assert shorten(text, 10) == expected
