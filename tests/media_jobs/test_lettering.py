"""Letters: from our own fonts alone, whole or cut where people would, within their place."""

import os
import subprocess
import sys

import pytest
from PIL import ImageFont

from media_jobs.lettering import FONTS, fit, printable, wrap, write

UNASSIGNED = "\U000e0fff"
ALPHABETS = {
    "Latin": "AZaz09ßæø",
    "Polish": "ĄĆĘŁŃÓŚŹŻąćęłńóśźż",
    "Turkish": "ĞİŞğış",
    "Vietnamese": "ẮằẵặĐđƠơƯưỄệỘộỴỹ",
    "Greek": "ΑΒΓΔΩάέήίόύώ",
    "Cyrillic": "АБВЯабвяіїєґђћ",
    "Simplified Chinese": "欧阳娜龙图书馆汉语",
    "rare names": "祎镕骉玚玥彧犇喆堃翀",
    "Traditional Chinese": "歐陽龍圖書館漢語臺灣",
    "Japanese": "あいうアイウ漢字々ー",
    "Korean": "가나다한국어",
    "money": "€£¥₹₩×·…“”",
}


def pixels(text: str, *, bold: bool = False) -> bytes:
    return write(text, size=40, bold=bold).mask.write_to_memory()


@pytest.mark.parametrize("bold", [False, True])
@pytest.mark.parametrize("script", ALPHABETS)
def test_each_letter_has_a_form_of_its_own_in_our_fonts(script, bold):
    # Asked of the font files: Pango would quietly take a system font's letter.
    missing = [
        letter
        for letter in ALPHABETS[script]
        if not any(has(letter, bold, family) for family in ("", "CJK"))
    ]

    assert missing == []


def has(letter: str, bold: bool, family: str) -> bool:
    """Whether the font draws something else for the letter than for what it surely lacks."""
    style = "Bold" if bold else "Regular"
    (path,) = FONTS.glob(f"TandemSans{family}-{style}.*")
    font = ImageFont.truetype(str(path), 40)
    return bytes(font.getmask(letter)) != bytes(font.getmask(UNASSIGNED))


def test_a_machine_without_any_fonts_draws_the_same_letters(tmp_path):
    program = (
        "from media_jobs.lettering import write\n"
        f"for text in {[*ALPHABETS.values()]!r}:\n"
        "    for bold in (False, True):\n"
        "        mask = write(text, size=40, bold=bold).mask\n"
        "        print(mask.width, round(mask.avg() * mask.width * mask.height))\n"
    )
    empty = tmp_path / "fonts.conf"
    empty.write_text(
        '<?xml version="1.0"?><!DOCTYPE fontconfig SYSTEM "fonts.dtd"><fontconfig>'
        f"<cachedir>{tmp_path}</cachedir></fontconfig>"
    )

    def drawn(**environment: str) -> list[float]:
        """Widths and amounts of ink."""
        return [
            float(figure)
            for figure in subprocess.run(
                [sys.executable, "-c", program],
                capture_output=True,
                text=True,
                check=True,
                env={**os.environ, "DJANGO_SETTINGS_MODULE": "project.settings", **environment},
            ).stdout.split()
        ]

    # Nearly the same: how edges are smoothed is a setting of the machine's.
    assert drawn(FONTCONFIG_FILE=str(empty)) == pytest.approx(drawn(), rel=0.03)


@pytest.mark.parametrize("companion", ["中", "Å", "g", "ệ", "한"])
def test_a_line_keeps_its_baseline_whatever_stands_beside(companion):
    alone, beside = write("H", size=50), write(f"H{companion}", size=50)

    assert alone.rise == alone.mask.height
    letter = beside.mask.crop(0, 0, alone.mask.width, beside.rise)
    assert letter.crop(
        0, beside.rise - alone.rise, alone.mask.width, alone.rise
    ).write_to_memory() == (alone.mask.write_to_memory())


def test_what_shoppers_type_stays_text():
    markup = "<span size='99999'>Ada</span> &amp; <b>Bob"

    line = write(markup, size=40)

    assert line.text == markup
    assert line.mask.height < 60
    assert pixels("<b>A</b>") != pixels("A")
    assert pixels("&lt;") != pixels("<")


@pytest.mark.parametrize("text", ["", " ", "\u200b", "\x00\x01", UNASSIGNED])
def test_a_text_without_letters_is_no_error(text):
    assert write(text, size=40).mask.height > 0


def test_control_characters_and_turned_directions_are_left_out():
    assert printable("Ada\x00\x1b\ud800 \u202eecalevoL\u2066") == "Ada ecalevoL"
    assert printable("  two\n lines\tand\u2028more ") == "two lines and more"


def test_a_text_that_fits_is_left_as_it_is():
    line = fit("Ada Lovelace", size=40, width=400)

    assert line.text == "Ada Lovelace"
    assert line.mask.write_to_memory() == pixels("Ada Lovelace")


def test_a_text_shrinks_before_it_is_cut():
    wide = write("Ada Lovelace, Countess", size=40).width

    line = fit("Ada Lovelace, Countess", size=40, smallest=20, width=wide - 60)

    assert line.text == "Ada Lovelace, Countess"
    assert line.width <= wide - 60


@pytest.mark.parametrize(
    "text", ["Wolfeschlegelsteinhausen " * 8, "欧阳娜娜" * 40, "e\u0301" * 200]
)
@pytest.mark.parametrize("width", [40, 150, 500])
def test_a_long_text_ends_in_an_ellipsis_within_its_place(text, width):
    line = fit(text, size=40, smallest=30, width=width)

    assert line.width <= width
    assert line.text.endswith("…")
    assert text.startswith(line.text.removesuffix("…").rstrip())


def test_a_cut_keeps_an_accent_with_its_letter():
    line = fit("e\u0301" * 100, size=40, width=200)

    assert line.text.removesuffix("…").endswith("\u0301")


def test_a_long_name_is_wrapped_at_its_spaces():
    lines = wrap("Maria del Carmen Fernández de la Vega", size=60, smallest=36, width=400, lines=3)

    assert [line.text for line in lines] == ["Maria del Carmen", "Fernández de la Vega"]
    assert all(line.width <= 400 for line in lines)


def test_a_name_without_spaces_is_wrapped_anywhere_and_loses_no_letter():
    name = "欧阳娜娜司马相如诸葛孔明"

    lines = wrap(name, size=60, smallest=36, width=250, lines=3)

    assert "".join(line.text for line in lines) == name
    assert len(lines) == 2
    assert all(line.width <= 250 for line in lines)


def test_a_name_for_which_there_is_no_room_ends_in_an_ellipsis():
    lines = wrap("Wolfeschlegelsteinhausen " * 8, size=60, smallest=36, width=400, lines=3)

    assert len(lines) == 3
    assert lines[-1].text.endswith("…")
    assert all(line.width <= 400 for line in lines)
