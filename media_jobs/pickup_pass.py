"""The pickup pass: the picture that a shopper shows to collect an order.

It is drawn from the job's context alone. Shapes come from an SVG of our own, letters from our own
fonts: a shopper's text never becomes SVG.
"""

from dataclasses import dataclass, field
from io import BytesIO
from typing import Any

import segno
from django.utils import translation
from django.utils.translation import gettext as _
from django.utils.translation import ngettext, pgettext
from PIL import Image, ImageOps

from media_jobs.lettering import Line, fit, wrap, write
from media_jobs.pass_colours import Colour
from media_jobs.pass_ground import (
    BLACK,
    HEADING,
    INK,
    LEFT,
    MUTED,
    PALE,
    QR_SIDE,
    QR_TOP,
    RIGHT,
    RULE,
    TEAR,
    WHITE,
    Ground,
    ground,
)
from project.templatetags.money import money

QR_MASK = 2
"""The one of the eight patterns that reads best on addresses of orders, by the standard's penalty
points (ISO/IEC 18004): on average and at worst. To rate all eight costs as much as all letters."""
COMPRESSION = 3
"""Of 0 to 9: measured, see docs/media.md."""
NAME_WIDTH = RIGHT - QR_SIDE - 44 - LEFT


@dataclass(frozen=True)
class RowStyle:
    """The layout of order lines: the more lines, the smaller."""

    most: int
    """The number of lines that fit, over all columns."""
    size: int
    height: int
    columns: int = 1
    detail: int = 0
    """The size of a second row with SKU and unit price; 0: none."""


ROW_STYLES = (
    RowStyle(most=4, size=34, height=104, detail=24),
    RowStyle(most=7, size=32, height=64),
    RowStyle(most=10, size=28, height=45),
    RowStyle(most=14, size=23, height=33),
    RowStyle(most=32, size=20, height=29, columns=2),
)


@dataclass
class Ink:
    """The letters still to be drawn onto the paper."""

    strokes: list[tuple[Line, int, int, Colour]] = field(default_factory=list)

    def put(self, line: Line, x: int, baseline: int, colour: Colour) -> None:
        self.strokes.append((line, x + line.left, baseline - line.rise, colour))

    def put_right(self, line: Line, right: int, baseline: int, colour: Colour) -> None:
        self.put(line, right - line.width, baseline, colour)

    def draw_on(self, picture: Image.Image, paper: Ground) -> None:
        """Lay each line's ink on its own place: layers would each cost the whole picture."""
        for line, x, y, colour in self.strokes:
            paper.lay(picture, line.pixels, x, y, (line.mask.width, line.mask.height), colour)


def draw(context: dict[str, Any]) -> bytes:
    """Return the pass of one order as a PNG, 1080 × 1350, in the order's language.

    `context` is what `media_jobs.outbox.pickup_pass_job` was given. The same context gives the
    same bytes.
    """
    ink, totals_top = written(context)
    paper = ground()
    picture = paper.picture.copy()
    picture.paste(paper.colour(RULE), (LEFT, totals_top - 1, RIGHT, totals_top + 1))
    ink.draw_on(picture, paper)
    code = qr_code(context["status_url"], dark=paper.colour(BLACK), light=paper.colour(WHITE))
    margin = (QR_SIDE - code.width) // 2
    picture.paste(code, (RIGHT - QR_SIDE + margin, QR_TOP + margin))
    picture.putpalette(paper.palette.flat)
    file = BytesIO()
    picture.save(file, "PNG", compress_level=COMPRESSION)
    return file.getvalue()


def written(context: dict[str, Any]) -> tuple[Ink, int]:
    """Return the letters of a pass, and the upper edge of its totals."""
    with translation.override(context["language"]):
        ink = Ink()
        _write_header(ink, context)
        _write_order(ink, context)
        totals_top = _write_totals(ink, context)
        _write_lines(ink, context, bottom=totals_top)
    return ink, totals_top


def qr_code(url: str, *, dark: int = 0, light: int = 255) -> Image.Image:
    """Return the QR code of `url`, with its quiet zone, as large as its tile allows.

    `dark` and `light` are the values of its pixels.
    """
    code = segno.make(url, error="m", micro=False, mask=QR_MASK)
    rows = b"".join(code.matrix)
    modules = Image.frombytes("L", (len(code.matrix[0]), len(code.matrix)), rows)
    framed = ImageOps.expand(modules.point([light, dark] + [0] * 254), border=2, fill=light)
    # Whole pixels a module: a scanner needs sharp edges.
    return ImageOps.scale(framed, max(1, QR_SIDE // framed.width), Image.Resampling.NEAREST)


def _write_header(ink: Ink, context: dict[str, Any]) -> None:
    label = write(_("Pickup pass"), size=30)
    ink.put_right(label, RIGHT + 24, 112, PALE)
    room = RIGHT - label.width - 40 - 210
    ink.put(
        fit(context["shop_name"], size=52, smallest=32, width=room, bold=True), 202, 118, HEADING
    )


def _write_order(ink: Ink, context: dict[str, Any]) -> None:
    """The upper part: the shop, the order's number and the shopper's name."""
    ink.put(_label(pgettext("pickup pass", "Order")), LEFT, 258, MUTED)
    ink.put(
        fit(context["number"], size=100, width=NAME_WIDTH, smallest=48, bold=True),
        LEFT - 4,
        354,
        INK,
    )
    ink.put(_label(pgettext("pickup pass", "Name")), LEFT, 432, MUTED)
    names = wrap(context["name"], size=50, smallest=36, width=NAME_WIDTH, lines=3, bold=True)
    for row, name in enumerate(names):
        ink.put(name, LEFT, 488 + row * 46, INK)
    hint = fit(_("Scan to follow your order"), size=22, width=QR_SIDE + 24, smallest=16)
    ink.put(hint, RIGHT - (QR_SIDE + hint.width) // 2, QR_TOP + QR_SIDE + 48, MUTED)


def _write_totals(ink: Ink, context: dict[str, Any]) -> int:
    """The total, and its parts if it has more than items. Returns its upper edge."""
    currency = context["currency"]
    ink.put(write(pgettext("pickup pass", "Total"), size=34, bold=True), LEFT, 1246, INK)
    total = fit(money(context["total"], currency), size=60, width=640, smallest=40, bold=True)
    ink.put_right(total, RIGHT, 1248, INK)
    parts = []
    if discount := context.get("discount"):  # only an order with a voucher has it
        label = pgettext("pickup pass", "Voucher %(code)s") % {"code": discount["code"]}
        parts.append((label, f"-{discount['amount']}"))
    if float(context["delivery_total"]):
        parts.append((pgettext("pickup pass", "Delivery"), context["delivery_total"]))
    if not parts:
        return 1160
    parts.append((pgettext("pickup pass", "Items"), context["items_total"]))
    baseline = 1176
    for text, amount in parts:  # from below
        ink.put(fit(text, size=26, width=520, smallest=18), LEFT, baseline, MUTED)
        ink.put_right(write(money(amount, currency), size=26), RIGHT, baseline, MUTED)
        baseline -= 38
    return baseline - 8


def _write_lines(ink: Ink, context: dict[str, Any], *, bottom: int) -> None:
    """The lines between the tear and the totals, in one column or two."""
    lines, currency = context["lines"], context["currency"]
    top = TEAR + 34
    room = bottom - 12 - top
    style = next(
        (
            style
            for style in ROW_STYLES
            if len(lines) <= min(style.most, room // style.height * style.columns)
        ),
        ROW_STYLES[-1],
    )
    rows = room // style.height
    places = rows * style.columns
    shown = lines if len(lines) <= places else lines[: places - 1]
    gap = 44
    width = (RIGHT - LEFT - gap * (style.columns - 1)) // style.columns
    # Columns of equal length read better than one full and one nearly empty.
    per_column = rows if len(lines) > places else -(-len(lines) // style.columns)
    quantities = [write(f"{line['quantity']} ×", size=style.size, bold=True) for line in shown]
    indent = max(quantity.width for quantity in quantities) + style.size // 2
    for index, (line, quantity) in enumerate(zip(shown, quantities, strict=True)):
        x = LEFT + index // per_column * (width + gap)
        y = top + index % per_column * style.height
        ink.put_right(quantity, x + indent - style.size // 2, y + _first_baseline(style), INK)
        _write_line(ink, line, style, x=x + indent, y=y, width=width - indent, currency=currency)
    if more := len(lines) - len(shown):
        text = ngettext("and %(count)d more product", "and %(count)d more products", more)
        x = LEFT + (style.columns - 1) * (width + gap)
        baseline = top + (rows - 1) * style.height + _first_baseline(style)
        ink.put(write(text % {"count": more}, size=style.size, bold=True), x, baseline, MUTED)


def _write_line(
    ink: Ink, line: dict[str, Any], style: RowStyle, *, x: int, y: int, width: int, currency: str
) -> None:
    """One order line with its amount; `y` is the row's upper edge."""
    baseline = y + _first_baseline(style)
    amount = write(money(line["total"], currency), size=style.size)
    ink.put_right(amount, x + width, baseline, INK)
    # In small rows letters of different sizes look like a mistake: there a name is only cut.
    smallest = round(style.size * 0.8) if style.size > 30 else style.size
    room = width - amount.width - style.size
    ink.put(fit(line["name"], size=style.size, smallest=smallest, width=room), x, baseline, INK)
    if style.detail:
        text = f"{line['sku']} · {money(line['unit_price'], currency)}"
        detail = fit(text, size=style.detail, width=room)
        ink.put(detail, x, baseline + round(style.detail * 1.5), MUTED)


def _first_baseline(style: RowStyle) -> int:
    return round(style.size * 1.2 if style.detail else (style.height + style.size * 0.7) / 2)


def _label(text: str) -> Line:
    return write(text, size=26)
