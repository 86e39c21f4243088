"""The demo shop's products. Each has its own drawing: `drawings/<drawing>.svg`."""

from dataclasses import dataclass
from decimal import Decimal


@dataclass(frozen=True)
class DemoVariant:
    """One of the product's variants: its price and weight are the product's."""

    sku: str
    options: tuple[str, ...]
    stock: int
    drawing: str
    alt: str


@dataclass(frozen=True)
class DemoProduct:
    sku: str
    name: str
    slug: str
    price: Decimal
    stock: int
    drawing: str
    """Empty: its variants have pictures."""
    alt: str
    description: str
    weight: int
    """Grams, with its box."""
    personalisation: str = "none"
    options: tuple[str, ...] = ()
    variants: tuple[DemoVariant, ...] = ()

    @property
    def drawings(self) -> set[str]:
        return {self.drawing, *(variant.drawing for variant in self.variants)} - {""}


MOSS = "A moss-green T-shirt with a tandem bicycle printed on its chest"
RUST = "A rust-red T-shirt with a tandem bicycle printed on its chest"


@dataclass(frozen=True)
class DemoCategory:
    name: str
    slug: str
    products: tuple[DemoProduct, ...]


KITCHEN = DemoCategory(
    "Kitchen",
    "kitchen",
    (
        DemoProduct(
            sku="KIT-MOKA-6",
            weight=750,
            name="Moka pot for six",
            slug="moka-pot-for-six",
            price=Decimal("34.90"),
            stock=120,
            drawing="moka-pot",
            alt="An eight-sided aluminium moka pot with a black handle, its spout steaming",
            description=(
                "Six small cups of strong coffee in five minutes, on gas or electricity. Cast"
                " aluminium that ages well; gasket and filter can be replaced."
            ),
        ),
        DemoProduct(
            sku="KIT-KETTLE",
            weight=1100,
            name="Gooseneck kettle",
            slug="gooseneck-kettle",
            price=Decimal("59.00"),
            stock=60,
            drawing="kettle",
            alt="A dark teal kettle with a long curved spout, a thermometer and wooden handles",
            description=(
                "A slow, thin, even stream for filter coffee and tea, and a thermometer that says"
                " when to pour. 0.9 litres, handle and knob of oiled beech."
            ),
        ),
        DemoProduct(
            sku="KIT-MUG-BLUE",
            weight=450,
            name="Stoneware mug",
            slug="stoneware-mug",
            price=Decimal("18.50"),
            stock=200,
            drawing="mug",
            alt="A stoneware mug with running blue glaze over bare speckled clay, full of coffee",
            description=(
                "Thrown by hand and glazed in river blue, so that no two are alike. Holds 0.35"
                " litres, keeps them warm, and doesn't mind the dishwasher."
            ),
        ),
        DemoProduct(
            sku="KIT-CASSEROLE",
            weight=5600,
            name="Cast-iron casserole",
            slug="cast-iron-casserole",
            price=Decimal("149.00"),
            stock=40,
            drawing="casserole",
            alt="A red enamelled casserole with a brass knob on its lid, a sprig of bay beside it",
            description=(
                "Five litres of enamelled cast iron for stews, bread and Sundays. From the hob"
                " straight into the oven, up to 250 °C."
            ),
        ),
    ),
)

DESK = DemoCategory(
    "Desk",
    "desk",
    (
        DemoProduct(
            sku="DSK-LAMP",
            weight=1900,
            name="Desk lamp Halo",
            slug="desk-lamp-halo",
            price=Decimal("79.00"),
            stock=75,
            drawing="desk-lamp",
            alt="A yellow jointed desk lamp that lights two books",
            description=(
                "Three joints put the light where your hands are. Warm white, dimmed by a touch,"
                " 8 watts; the bulb can be changed without a tool."
            ),
        ),
        DemoProduct(
            sku="DSK-NOTEBOOK",
            weight=380,
            personalisation="picture",  # printed on its cover; optional
            name="Notebook, dotted",
            slug="notebook-dotted",
            price=Decimal("14.90"),
            stock=300,
            drawing="notebook",
            alt="A green notebook with a yellow elastic band, and a pencil",
            description=(
                "192 dotted pages that lie flat and take ink on both sides. Thread-bound, with a"
                " pocket, a ribbon and a pencil that fits the band."
            ),
        ),
        DemoProduct(
            sku="DSK-HEADPHONES",
            weight=620,
            name="Headphones Quiet",
            slug="headphones-quiet",
            price=Decimal("129.00"),
            stock=50,
            drawing="headphones",
            alt="Violet headphones with terracotta cushions and brass details",
            description=(
                "Closed, soft and light enough for a whole afternoon. Thirty hours on one charge,"
                " or a cable, and cushions that come off for washing."
            ),
        ),
        DemoProduct(
            sku="DSK-CLOCK",
            weight=540,
            name="Twin-bell alarm clock",
            slug="twin-bell-alarm-clock",
            price=Decimal("42.00"),
            stock=90,
            drawing="alarm-clock",
            alt="A round red alarm clock with two brass bells, at ten past ten",
            description=(
                "No app, no snooze, two bells. It ticks softly, rings loudly, and runs for a year"
                " on one battery."
            ),
        ),
    ),
)

OUTDOORS = DemoCategory(
    "Outdoors",
    "outdoors",
    (
        DemoProduct(
            sku="OUT-BACKPACK",
            weight=1500,
            name="Canvas backpack",
            slug="canvas-backpack",
            price=Decimal("119.00"),
            stock=80,
            drawing="backpack",
            alt="A yellow canvas backpack with leather straps and a rolled blanket under it",
            description=(
                "22 litres of waxed canvas with leather straps: a laptop on weekdays, a tent on"
                " Saturdays. The blanket stays on by two buckles."
            ),
        ),
        DemoProduct(
            sku="OUT-LANTERN",
            weight=900,
            name="Storm lantern",
            slug="storm-lantern",
            price=Decimal("39.00"),
            stock=5,
            drawing="lantern",
            alt="A blue storm lantern with a burning flame behind its glass",
            description=(
                "Burns for twenty hours in wind and rain, and makes any garden a place to stay."
                " The last of this year's batch."
            ),
        ),
        DemoProduct(
            sku="OUT-FLASK",
            weight=560,
            name="Vacuum flask",
            slug="vacuum-flask",
            price=Decimal("29.50"),
            stock=150,
            drawing="flask",
            alt="A green vacuum flask with a steel cap, a cup of hot coffee beside it",
            description=(
                "Three quarters of a litre, hot for a day or cold for two. Two steel walls,"
                " nothing to break, and the cap is the cup."
            ),
        ),
        DemoProduct(
            sku="OUT-TANDEM",
            weight=24000,
            name="Tandem bicycle",
            slug="tandem-bicycle",
            price=Decimal("1890.00"),
            stock=0,
            drawing="tandem",
            alt="A green tandem bicycle with a basket of flowers on its handlebar",
            description=(
                "For two who are going the same way. Steel frame, nine gears, a basket, and one"
                " bell each. Built to order in spring; all of this year's are on the road."
            ),
        ),
        DemoProduct(
            sku="OUT-SHIRT",
            weight=220,
            name="T-shirt Tandem",
            slug="t-shirt-tandem",
            price=Decimal("28.00"),
            stock=0,
            drawing="",
            alt="",
            options=("Size", "Colour"),
            variants=(
                DemoVariant("OUT-SHIRT-S-MOSS", ("S", "moss"), 40, "t-shirt-moss", MOSS),
                DemoVariant("OUT-SHIRT-M-MOSS", ("M", "moss"), 60, "t-shirt-moss", MOSS),
                DemoVariant("OUT-SHIRT-L-MOSS", ("L", "moss"), 50, "t-shirt-moss", MOSS),
                DemoVariant("OUT-SHIRT-S-RUST", ("S", "rust"), 0, "t-shirt-rust", RUST),
                DemoVariant("OUT-SHIRT-M-RUST", ("M", "rust"), 30, "t-shirt-rust", RUST),
            ),
            description=(
                "Heavy organic cotton that keeps its shape, with a bicycle for two on its chest."
                " Cut straight, sewn in Portugal, printed in the next street."
            ),
        ),
    ),
)

CATEGORIES = (KITCHEN, DESK, OUTDOORS)
