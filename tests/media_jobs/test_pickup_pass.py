"""The pickup pass: readable by people, and its code by a scanner."""

import hashlib
import os
import subprocess
import sys
from io import BytesIO
from itertools import pairwise

import pytest
import pyvips
import segno
from PIL import Image, ImageChops

from media_jobs import pass_ground, pickup_pass
from media_jobs.images import encode
from media_jobs.pass_ground import HEIGHT, INK, LEFT, RIGHT, RULE, TEAR, WIDTH
from media_jobs.pickup_pass import NAME_WIDTH, draw, qr_code
from media_jobs.recipes import PNG, WEBP
from tests.media_jobs.passes import STATUS_URL, line, order


def drawn(context: dict) -> pyvips.Image:
    return pyvips.Image.new_from_buffer(draw(context), "")


def written(monkeypatch, context: dict) -> list[tuple[str, int, int, int]]:
    """Every text on the pass: what it says, left edge, right edge, baseline."""
    texts = []
    original = pickup_pass.Ink.put

    def put(self, written_line, x, baseline, colour):
        texts.append((written_line.text, x, x + written_line.width, baseline))
        original(self, written_line, x, baseline, colour)

    monkeypatch.setattr(pickup_pass.Ink, "put", put)
    draw(context)
    return texts


def dark_pixels(picture: pyvips.Image, left: int, top: int, width: int, height: int) -> float:
    """How many pixels of the area are as dark as letters."""
    area = picture.crop(left, top, width, height).colourspace("b-w")
    return (area < 90).avg() / 255 * width * height


def test_a_pass_is_a_portrait_of_1080_by_1350_pixels():
    picture = drawn(order())

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
    picture = drawn(order())
    code = qr_code(STATUS_URL)
    left = RIGHT - (pass_ground.QR_SIDE + code.width) // 2
    top = pass_ground.QR_TOP + (pass_ground.QR_SIDE - code.height) // 2

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
    chinese = drawn(order(name="欧阳娜娜"))
    nobody = drawn(order(name=""))

    area = (LEFT, 440, NAME_WIDTH, 80)
    ink = dark_pixels(chinese, *area) - dark_pixels(nobody, *area)

    # Four dense characters of 50 × 50 pixels; boxes would be rims.
    assert ink > 2500
    assert (
        drawn(order(name="欧阳")).write_to_memory() != drawn(order(name="娜娜")).write_to_memory()
    )


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
    picture = drawn(order())
    paper = picture(80, 1000)

    # A point on each ring of the watermark, far from any text.
    assert picture(470, 870) != paper
    assert min(abs(a - b) for a, b in zip(picture(470, 870), INK, strict=True)) > 100


def in_all_colours(context: dict) -> Image.Image:
    """The same pass, laid on a ground of all colours with edges of 256 shades."""
    ink, totals_top = pickup_pass.written(context)
    picture = pass_ground.drawn()
    picture.paste(RULE, (LEFT, totals_top - 1, RIGHT, totals_top + 1))
    for written_line, x, y, colour in ink.strokes:
        size = (written_line.mask.width, written_line.mask.height)
        picture.paste(colour, (x, y), Image.frombytes("L", size, written_line.pixels))
    code = qr_code(context["status_url"])
    left = RIGHT - (pass_ground.QR_SIDE + code.width) // 2
    top = pass_ground.QR_TOP + (pass_ground.QR_SIDE - code.height) // 2
    picture.paste(code, (left, top))
    return picture


def damage(file: bytes, original: Image.Image) -> tuple[float, int]:
    """The mean squared error of the colours (0 to 65,025), and the greatest error of a channel."""
    read_back = Image.open(BytesIO(file)).convert("RGB")
    histogram = ImageChops.difference(read_back, original).histogram()
    counts = [sum(histogram[error::256]) for error in range(256)]
    mean = sum(error * error * count for error, count in enumerate(counts)) / sum(counts)
    return mean, max(error for error, count in enumerate(counts) if count)


@pytest.mark.parametrize(
    "changes",
    [
        {"lines": [line(number) for number in range(1, 9)]},
        {"name": "欧阳娜娜", "language": "zh-hans", "delivery_total": "4.90"},
        {"lines": [line(number) for number in range(1, 31)]},
    ],
    ids=["English", "Chinese", "full"],
)
def test_in_256_colours_it_looks_better_than_a_thorough_webp_of_all_and_is_as_small(
    changes,
):
    original = in_all_colours(order(**changes))
    pixels = pyvips.Image.new_from_memory(original.tobytes(), WIDTH, HEIGHT, 3, "uchar")
    webp = encode(pixels.copy(interpretation="srgb"), WEBP)

    png = draw(order(**changes))

    mean, worst = damage(png, original)
    assert worst <= 12, "no eye sees it"
    assert mean < damage(webp, original)[0] / 10
    assert len(png) < 0.6 * len(encode(pixels.copy(interpretation="srgb"), PNG))
    assert len(png) < 2 * len(webp)


def test_the_same_order_is_the_same_file_byte_for_byte():
    assert draw(order()) == draw(order())
    assert draw(order()) != draw(order(name="Grace Hopper"))


@pytest.mark.parametrize("seed", ["1", "2"])
def test_the_same_order_is_the_same_file_in_another_process(seed):
    program = (
        "import django, hashlib; django.setup();"
        "from tests.media_jobs.passes import order; from media_jobs.pickup_pass import draw;"
        "print(hashlib.sha256(draw(order())).hexdigest())"
    )

    other = subprocess.run(
        [sys.executable, "-c", program],
        env={**os.environ, "PYTHONHASHSEED": seed},
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )

    assert other.stdout.strip() == hashlib.sha256(draw(order())).hexdigest()


def test_one_pass_leaves_no_ink_on_the_next():
    before = draw(order())

    draw(order(name="Grace Hopper", delivery_total="4.90"))

    assert draw(order()) == before
    assert drawn(order(name="")).avg() > drawn(order()).avg(), "letters darken the paper"
