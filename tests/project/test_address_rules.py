"""Each country's address: its form, its postcodes, and how it is printed."""

import pytest

from project.address_rules import address_rules, printed_address
from project.countries import COUNTRIES


@pytest.mark.parametrize(
    ("country", "typed", "tidy"),
    [
        ("DE", "24103", "24103"),
        ("DE", " D-24103 ", "24103"),
        ("DE", "２４１０３", "24103"),
        ("DE", "2410", None),
        ("GB", "sw1a 1aa", "SW1A 1AA"),
        ("NL", "1234ab", "1234 AB"),
        ("PL", "00950", "00-950"),
        ("PT", "2725079", "2725-079"),
        ("SE", "SE-12345", "123 45"),
        ("LV", "1010", "LV-1010"),
        ("CA", "k1a0b1", "K1A 0B1"),
        ("JP", "〒1540023", "154-0023"),
        ("US", "940431234", "94043-1234"),
        ("US", "9404", None),
        ("IR", "۱۱۹۳۶۵۴۴۷۱", "11936-54471"),
        ("HK", "999077", "999077"),
    ],
)
def test_a_postcode_is_taken_as_people_type_it(country: str, typed: str, tidy: str | None) -> None:
    assert address_rules(country).tidy_postcode(typed) == tidy


@pytest.mark.parametrize("country", sorted(COUNTRIES))
def test_each_country_has_a_form_that_takes_its_own_examples(country: str) -> None:
    rules = address_rules(country)

    assert rules.rows("en")[0] or rules.rows("en")
    assert {"line1", "line2"} <= rules.fields
    assert rules.required <= rules.fields | {"line1"}
    for example in rules.postcode_examples:
        assert rules.tidy_postcode(example) == example
        assert not rules.is_certainly_no_postcode(example)


@pytest.mark.parametrize(
    ("address", "printed"),
    [
        (
            {"line1": "1 Main St", "city": "Springfield", "region": "IL", "postcode": "62701"},
            ["1 Main St", "Springfield, IL 62701"],
        ),
        ({"line1": "1 Main St", "city": "Springfield"}, ["1 Main St", "Springfield"]),
    ],
)
def test_an_address_is_printed_as_its_country_does(
    address: dict[str, str], printed: list[str]
) -> None:
    assert printed_address({**address, "country": "US"}) == [*printed, "United States"]


def test_chinese_addresses_begin_with_the_largest_in_chinese_and_end_with_it_in_latin() -> None:
    own = {"line1": "中关村大街1号", "city": "海淀区", "region": "北京市", "postcode": "100080"}
    latin = {"line1": "1 Main", "city": "Haidian", "region": "Beijing", "postcode": "100080"}

    assert printed_address({**own, "country": "CN"})[:3] == [
        "100080",
        "北京市海淀区",
        "中关村大街1号",
    ]
    assert printed_address({**latin, "country": "CN"})[:3] == [
        "1 Main",
        "Haidian",
        "Beijing, 100080",
    ]


@pytest.mark.parametrize(
    ("country", "typed", "printed"),
    [
        # The list was offered in the reader's letters, the rest was typed in the country's.
        ("JP", ["Hokkaido", "札幌市", "北1条西2"], ["北海道札幌市", "北1条西2"]),
        ("JP", ["Tokyo", "さいたま町", "1-2"], ["東京都さいたま町", "1-2"]),
        ("HK", ["Kowloon", "", "彌敦道1號"], ["九龍", "彌敦道1號"]),
        ("CN", ["Beijing Shi", "海淀区", "大街1号"], ["北京市海淀区", "大街1号"]),
        ("TW", ["Taipei City", "大安區", "1號 3F"], ["台北市大安區", "1號 3F"]),
        ("KR", ["Seoul", "강남구", "1"], ["서울특별시 강남구", "1"]),
        ("TH", ["Bangkok", "วัฒนา", "1"], ["1", "วัฒนา", "กรุงเทพมหานคร"]),
        ("UA", ["Kyiv city", "Київ", "Хрещатик 1"], ["Хрещатик 1", "Київ", "місто Київ"]),
        ("AE", ["Dubai", "", "شارع 1"], ["شارع 1", "إمارة دبيّ"]),
        # And the other way round.
        ("JP", ["北海道", "Sapporo", "1-2"], ["1-2", "Sapporo, Hokkaido"]),
        ("HK", ["九龍", "", "1 Nathan Road"], ["1 Nathan Road", "Kowloon"]),
        ("CN", ["北京市", "Haidian", "1 Main"], ["1 Main", "Haidian", "Beijing Shi"]),
        ("KR", ["서울특별시", "Gangnam-gu", "1"], ["1", "Gangnam-gu", "Seoul"]),
        ("AE", ["دبي", "", "Road 1"], ["Road 1", "Dubai"]),
        # As typed: nothing beside it, the same letters, no spelling in them, not in the list.
        ("JP", ["Tokyo", "", "1-2"], ["1-2", "Tokyo"]),
        ("US", ["Illinois", "Springfield", "1"], ["1", "Springfield, Illinois"]),
        ("KR", ["Seoul", "江南区", "1"], ["Seoul 江南区", "1"]),
        ("JP", ["Hokkai", "札幌市", "1"], ["Hokkai札幌市", "1"]),
    ],
)
def test_a_region_is_printed_in_the_letters_of_the_rest(
    country: str, typed: list[str], printed: list[str]
) -> None:
    address = dict(zip(("region", "city", "line1"), typed, strict=True))

    assert address_rules(country).lines(address) == printed


def test_a_japanese_address_is_offered_to_chinese_readers_in_their_characters() -> None:
    rules = address_rules("JP")
    tokyo = rules.region_of("Tokyo")

    assert tokyo is not None
    assert tokyo.written(native=rules.is_native("zh-hans")) == "東京都"
    assert tokyo.written(native=rules.is_native("en")) == "Tokyo"
    assert rules.rows("zh-hans")[0] == ["postcode"]


def test_what_a_country_has_no_place_for_is_printed_all_the_same() -> None:
    address = {
        "line1": "Kai 1",
        "city": "Kiel",
        "postcode": "24103",
        "region": "SH",
        "country": "DE",
    }

    assert printed_address(address) == ["Kai 1", "24103 Kiel SH", "Germany"]


@pytest.mark.parametrize(
    ("country", "text", "refused"),
    [
        ("DE", "n/a", True),
        ("DE", "-", True),
        ("DE", "1", False),  # an old client may send it
        ("GB", "n/a", False),
        ("DE", "", False),
    ],
)
def test_a_program_is_refused_only_what_is_certainly_no_postcode(
    country: str, text: str, refused: bool
) -> None:
    assert address_rules(country).is_certainly_no_postcode(text) == refused
