"""The pickup pass: readable by people, and its code by a scanner."""

from itertools import pairwise

import pytest
import pyvips
import segno

from media_jobs import pickup_pass
from media_jobs.images import encode
from media_jobs.pickup_pass import HEIGHT, INK, LEFT, NAME_WIDTH, RIGHT, TEAR, WIDTH, draw, qr_code
from media_jobs.recipes import PICKUP_PASS, PNG, WEBP
from tests.media_jobs.passes import STATUS_URL, line, order


def written(monkeypatch, context: dict) -> list[tuple[str, int, int, int]]:
    """Every text on the pass: what it says, left edge, right edge, baseline."""
    texts = []
    original = pickup_pass._Ink.put

    def put(self, written_line, x, baseline, colour):
        texts.append((written_line.text, x, x + written_line.width, baseline))
        original(self, written_line, x, baseline, colour)

    monkeypatch.setattr(pickup_pass._Ink, "put", put)
    draw(context)
    return texts


def dark_pixels(picture: pyvips.Image, left: int, top: int, width: int, height: int) -> float:
    """How many pixels of the area are as dark as letters."""
    area = picture.crop(left, top, width, height).colourspace("b-w")
    return (area < 90).avg() / 255 * width * height


def test_a_pass_is_a_portrait_of_1080_by_1350_pixels():
    picture = draw(order())

    assert (picture.width, picture.height, picture.bands) == (WIDTH, HEIGHT, 3) == (1080, 1350, 3)


def test_a_pass_says_whose_order_it_is_what_is_in_it_and_what_it_costs(monkeypatch):
    context = order(
        delivery_total="4.90",
        total="42.00",
        items_total="37.10",
        lines=[line(2, name="Moka pot", sku="KIT-1", unit_price="18.55", total="37.10")],
    )

    texts = [text for text, *_place in written(monkeypatch, context)]

    for expected in ("Tandem", "T1001", "Ada Lovelace", "2 ×", "Moka pot", "KIT-1 · €18.55"):
        assert expected in texts
    assert texts.count("€37.10") == 2
    assert {"€4.90", "€42.00", "Delivery", "Total"} <= set(texts)


def test_delivery_is_not_mentioned_where_there_is_none(monkeypatch):
    texts = [text for text, *_place in written(monkeypatch, order())]

    assert "Delivery" not in texts


@pytest.mark.parametrize(
    "url", [STATUS_URL, "http://localhost:8000/orders/x/", STATUS_URL + "?" + "long=1&" * 40]
)
def test_the_code_is_the_status_url_module_for_module(url):
    expected = [
        [not dark for dark in row]
        for row in segno.make(url, error="m", micro=False, mask=pickup_pass.QR_MASK).matrix
    ]

    picture = qr_code(url)

    scale = picture.width // (len(expected) + 4)
    seen = [
        [
            picture.getpixel((round((x + 2.5) * scale), round((y + 2.5) * scale))) == 255
            for x in range(len(expected))
        ]
        for y in range(len(expected))
    ]
    assert seen == expected
    assert picture.width == picture.height == scale * (len(expected) + 4)


def test_the_code_stands_on_the_pass_unspoiled_in_its_white_tile():
    picture = draw(order())
    code = qr_code(STATUS_URL)
    left = RIGHT - (pickup_pass.QR_SIDE + code.width) // 2
    top = pickup_pass.QR_TOP + (pickup_pass.QR_SIDE - code.height) // 2

    on_pass = picture.crop(left, top, code.width, code.height)

    assert on_pass.write_to_memory() == code.convert("RGB").tobytes()
    # Two modules of quiet are the code's own; the tile's padding is the rest.
    assert picture.crop(left - 12, top, 12, code.height).min() == 255


NAMES = {
    "plain": "Ada Lovelace",
    "accented": "Nguyễn Thị Ánh Tuyết Łękawska-Ørsted",
    "Chinese": "欧阳娜娜",
    "long Chinese": "欧阳娜娜" * 50,
    "very long": "Wolfeschlegelsteinhausenbergerdorff " * 5,
    "one word of 200 letters": "W" * 200,
    "markup": "<span size='999999'>&lt;b>Ada</span>",
    "control characters": "Ada\x00\x08\u202eLovelace",
    "empty": "",
}


@pytest.mark.parametrize("name", NAMES.values(), ids=NAMES.keys())
def test_any_name_stays_within_its_place(monkeypatch, name):
    texts = written(monkeypatch, order(name=name))

    named = [text for text in texts if 440 < text[3] < TEAR and text[1] < LEFT + NAME_WIDTH]
    assert named
    assert all(left >= LEFT and right <= LEFT + NAME_WIDTH for _text, left, right, _y in named)
    assert all(baseline <= TEAR - 20 for *_text, baseline in named)


def test_a_chinese_name_is_drawn_in_letters_not_boxes():
    chinese = draw(order(name="欧阳娜娜"))
    nobody = draw(order(name=""))

    area = (LEFT, 440, NAME_WIDTH, 80)
    ink = dark_pixels(chinese, *area) - dark_pixels(nobody, *area)

    # Four dense characters of 50 × 50 pixels; boxes would be rims.
    assert ink > 2500
    assert draw(order(name="欧阳")).write_to_memory() != draw(order(name="娜娜")).write_to_memory()


@pytest.mark.parametrize("count", [1, 4, 5, 7, 8, 10, 11, 14, 15, 30, 31, 100])
@pytest.mark.parametrize("delivery", ["0.00", "4.90"])
def test_lines_stay_on_the_paper_above_the_totals_and_beside_each_other(
    monkeypatch, count, delivery
):
    lines = [
        line(number, name="A cast-iron casserole with a long name")
        for number in range(1, count + 1)
    ]

    texts = written(monkeypatch, order(lines=lines, delivery_total=delivery))

    rows = [text for text in texts if TEAR < text[3] < 1092]
    assert all(left >= LEFT and right <= RIGHT for _text, left, right, _baseline in rows)
    by_baseline: dict[int, list[tuple[int, int]]] = {}
    for _text, left, right, baseline in rows:
        by_baseline.setdefault(baseline, []).append((left, right))
    for spans in by_baseline.values():
        ordered = sorted(spans)
        assert all(a[1] < b[0] for a, b in pairwise(ordered))


def test_thirty_lines_are_all_there(monkeypatch):
    lines = [line(number) for number in range(1, 31)]

    texts = {text for text, *_place in written(monkeypatch, order(lines=lines))}

    assert {f"Product {number}" for number in range(1, 31)} <= texts


def test_a_hundred_lines_say_how_many_are_not_shown(monkeypatch):
    lines = [line(number) for number in range(1, 101)]

    texts = [text for text, *_place in written(monkeypatch, order(lines=lines))]

    shown = sum(text.startswith("Product ") for text in texts)
    assert f"and {100 - shown} more products" in texts
    assert shown > 25


def test_the_pass_speaks_the_orders_language(monkeypatch):
    texts = {text for text, *_place in written(monkeypatch, order(language="zh-hans"))}

    assert {"取货凭证", "订单", "姓名", "合计"} <= texts


def test_the_shops_mark_lies_under_the_lines():
    picture = draw(order())
    paper = picture(80, 1000)

    # A point on each ring of the watermark, far from any text.
    assert picture(470, 870) != paper
    assert min(abs(a - b) for a, b in zip(picture(470, 870), INK, strict=True)) > 100


def _damage(encoded: bytes, original: pyvips.Image) -> float:
    """Return the mean squared error of the colours, 0 to 65,025."""
    read_back = pyvips.Image.new_from_buffer(encoded, "").extract_band(0, n=3)
    return ((read_back.cast("float") - original.cast("float")) ** 2).avg()


def test_quickly_encoded_it_looks_no_worse_and_is_still_small():
    picture = draw(order(lines=[line(number) for number in range(1, 9)]))

    thorough, quick = encode(picture, WEBP), encode(picture, WEBP, quick=True)

    assert PICKUP_PASS.quick
    assert _damage(quick, picture) <= _damage(thorough, picture)
    assert len(quick) < 1.5 * len(thorough)
    assert _damage(encode(picture, PNG, quick=True), picture) == 0


def test_the_same_order_is_the_same_file_byte_for_byte():
    first, second = (encode(draw(order()), WEBP, quick=True) for _time in range(2))

    assert first == second
    assert first != encode(draw(order(name="Grace Hopper")), WEBP, quick=True)


def test_one_pass_leaves_no_ink_on_the_next():
    draw(order(name="Grace Hopper", delivery_total="4.90"))

    assert draw(order()).write_to_memory() == draw(order()).write_to_memory()
    assert draw(order(name="")).avg() > draw(order()).avg(), "letters darken the paper"
