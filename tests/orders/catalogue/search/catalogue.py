"""Forty products in both languages, of which the tests know what a search must find."""

from decimal import Decimal

from orders.catalogue.products import create_product
from orders.catalogue.search.vocabulary import count_words
from orders.models import Category, Popularity, Product

CATEGORIES = {"kitchen": "Kitchen", "desk": "Desk", "tea": "茶具", "outdoors": "Outdoors"}

# SKU, category, name, description, price, stock, units sold
PRODUCTS = """
KIT-MUG-01|kitchen|Stoneware mug|Holds tea or coffee.|18.50|5|40
KIT-MUG-02|kitchen|Enamel mugs, set of four|For the garden.|32.00|0|90
KIT-KET-01|kitchen|Gooseneck kettle|A slow stream for filter coffee.|59.00|5|30
KIT-KET-02|kitchen|Whistling kettle|Red enamel.|45.00|5|10
KIT-POT-01|kitchen|Moka pot|Strong coffee in five minutes, in a mug or a cup.|34.90|5|70
KIT-CAF-01|kitchen|Café au lait bowl|For a long breakfast.|14.00|5|5
KIT-PAN-01|kitchen|Crêpe pan|Flat and light.|39.00|5|15
KIT-KNI-01|kitchen|Bread knife|Cuts a crust, not a thumb.|29.00|5|12
KIT-BOA-01|kitchen|Chopping board|Of oiled oak.|49.00|5|22
KIT-SPO-01|kitchen|Honey spoon|Of olive wood.|7.00|5|3
DSK-NOT-01|desk|Notebook, dotted|192 pages that lie flat.|14.90|5|80
DSK-NOT-02|desk|Notebook, ruled|For lists.|12.90|0|20
DSK-LAM-01|desk|Desk lamp Halo|Warm white, dimmed by a touch.|79.00|5|33
DSK-LAM-02|desk|Reading lamp|Clips to a book.|24.00|5|9
DSK-PEN-01|desk|Fountain pen|With a converter.|64.00|5|18
DSK-PCL-01|desk|Pencils, box of twelve|Of cedar.|9.00|5|60
DSK-HEA-01|desk|Headphones Quiet|Thirty hours on one charge.|129.00|5|44
DSK-CLO-01|desk|Twin-bell alarm clock|No app, no snooze.|42.00|5|17
DSK-STR-01|desk|Straßenkarte Berlin|A map to hang up.|19.00|5|2
DSK-CAL-01|desk|Wall calendar|Says when the kettle was bought.|16.00|5|1
OUT-BAG-01|outdoors|Canvas backpack|22 litres of waxed canvas.|119.00|5|25
OUT-LAN-01|outdoors|Storm lantern|Burns for twenty hours.|39.00|5|16
OUT-FLA-01|outdoors|Vacuum flask|Hot for a day; a mug is its cap.|29.50|5|55
OUT-TEN-01|outdoors|Tent for two|Of cotton canvas.|349.00|5|4
OUT-BIK-01|outdoors|Tandem bicycle|For two who go the same way.|1890.00|0|1
OUT-UMB-01|outdoors|Folding umbrella|Fits a backpack.|27.00|5|11
OUT-CHA-01|outdoors|Folding chair|Light and strong.|55.00|5|13
OUT-CAN-01|outdoors|Citronella candles|Against midges.|11.00|5|50
OUT-ROP-01|outdoors|Climbing rope 60 m|Dynamic.|159.00|5|6
OUT-KNI-01|outdoors|Pocket knife|Eight tools.|35.00|5|28
TEA-CUP-01|tea|不锈钢保温杯|保温十二小时。|25.00|5|35
TEA-CUP-02|tea|陶瓷马克杯|适合咖啡和茶。|15.00|5|21
TEA-POT-01|tea|紫砂茶壶|手工制作。|88.00|5|14
TEA-POT-02|tea|玻璃水壶|耐热,配保温杯套。|33.00|5|8
TEA-SET-01|tea|旅行茶具套装|一壶两杯。|99.00|5|7
TEA-TRA-01|tea|竹制茶盘|沥水。|66.00|0|19
TEA-NOT-01|desk|点阵笔记本|一百九十二页。|13.00|5|24
TEA-BAG-01|outdoors|帆布背包|防水。|108.00|5|23
TEA-LAM-01|desk|护眼台灯|柔和的光。|75.00|5|26
TEA-UMB-01|outdoors|折叠雨伞|轻便。|28.00|5|27
"""


def fill() -> None:
    """Write the products, and one that isn't on sale."""
    categories = {
        slug: Category.objects.create(slug=slug, name=name, position=place)
        for place, (slug, name) in enumerate(CATEGORIES.items())
    }
    for line in PRODUCTS.strip().splitlines():
        sku, category, name, description, price, stock, units = line.split("|")
        product = create_product(
            sku=sku,
            slug=sku.lower(),
            name=name,
            category=categories[category],
            description=description,
            price=Decimal(price),
            stock=int(stock),
        )
        Popularity.objects.filter(product=product).update(units=int(units))
    Product.objects.create(
        sku="OLD-MUG",
        slug="old-mug",
        name="Old mug",
        category=categories["kitchen"],
        price=Decimal(1),
        is_active=False,
    )
    count_words()
