"""Names, places and phone numbers of demo shoppers. None of them can be reached.

Domains are reserved for examples (RFC 2606). The numbers are those that regulators keep for films:
Bundesnetzagentur (Germany), Ofcom (United Kingdom), ARCEP (France), ACMA (Australia), NANPA (555).
"""

from random import Random


def words(text: str) -> list[str]:
    return text.split()


GIVEN = words(
    "Ada Aoife Anaïs André Annika Beatriz Benoît Björn Carmen Chloé Clara Daniel David Élodie"
    " Emma Fatima Felix François Gaëlle George Grace Grete Håkon Hannah Hélène Hugo Inês"
    " Ingrid Jack Jürgen José Julia Katarzyna Kevin Lars Léa Lena Luca Łukasz Maria Mia Michał"
    " Mónica Nils Noah Olivia Oskar Paul Paula Priya Renée Robert Ruth Samuel Sean Siân Sofia"
    " Søren Thomas Tomáš Ümit Valérie Vera Wanda William Yasmin Zoë Željko"
)
FAMILY = words(
    "Andersson Bakker Bauer Beck Bernard Bianchi Brandão Brown Çelik Cooper Costa Dąbrowski"
    " Davies Dubois Durand Fischer Fontaine Ferreira García Gräf Green Großmann Hansen"
    " Hernández Horváth Jansen Johnson Jørgensen Kaya King Klein König Kowalska Křížek Lefèvre"
    " Lehmann Lindström López Lovelace Marin Martin Meyer Müller Muñoz Nagy Nguyễn Nielsen"
    " Novák Nowak Núñez O'Brien O'Connor Öztürk Patel Petersen Popović Richter Rossi Sánchez"
    " Schäfer Schmidt Schröder Silva Smith Šimić Taylor Þórsdóttir Turner Vogel Walker Wagner"
    " Weiß Wilson Wójcik Young Zimmermann"
)
CHINESE_FAMILY = dict(
    zip(
        "王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗梁宋郑谢韩唐冯于董萧",
        words(
            "wang li zhang liu chen yang zhao huang zhou wu xu sun hu zhu gao lin he guo ma luo"
            " liang song zheng xie han tang feng yu dong xiao"
        ),
        strict=True,
    )
)
CHINESE_GIVEN = dict(
    zip(
        words(
            "伟 芳 娜 敏 静 秀英 丽 强 磊 洋 艳 勇 军 杰 娟 涛"
            " 明 超 秀兰 霞 平 刚 桂英 子涵 欣怡 浩然"
        ),
        words(
            "wei fang na min jing xiuying li qiang lei yang yan yong jun jie juan tao ming chao"
            " xiulan xia ping gang guiying zihan xinyi haoran"
        ),
        strict=True,
    )
)
DOMAINS = ("example.com", "example.org", "example.net", "mail.example", "post.example")
_PLAIN = str.maketrans(
    {
        **dict(zip("áàâãåąäæ", "aaaaaaaa", strict=True)),
        **dict(zip("éèêëěęễ", "eeeeeee", strict=True)),
        **dict(zip("íîï", "iii", strict=True)),
        **dict(zip("óôõőöø", "oooooo", strict=True)),
        **dict(zip("úùûüű", "uuuuu", strict=True)),
        **dict(zip("çćčñńřšśžźżłß", "cccnnrsszzzls", strict=True)),
        "þ": "th",
        "'": "",
    }
)

PLACES = (
    ("Lindenstraße", "10969", "Berlin", "", "DE"),
    ("Goethestraße", "80336", "München", "", "DE"),
    ("Am Sonnenhügel", "50667", "Köln", "", "DE"),
    ("rue de la République", "69002", "Lyon", "", "FR"),
    ("allée des Érables", "75011", "Paris", "", "FR"),
    ("Mill Lane", "SE1 7PB", "London", "", "GB"),
    ("Østergade", "1100", "København", "", "DK"),
    ("ulica Długa", "31-147", "Kraków", "", "PL"),
    ("Calle Mayor", "28013", "Madrid", "Madrid", "ES"),
    ("rua das Flores", "4050-265", "Porto", "", "PT"),
    ("南京东路", "200001", "上海", "上海市", "CN"),
    ("朝阳门外大街", "100020", "北京", "北京市", "CN"),
    ("天河路", "510620", "广州", "广东省", "CN"),
)


def western_name(random: Random) -> tuple[str, str]:
    """Return a name and its local part of an e-mail address."""
    given, family = random.choice(GIVEN), random.choice(FAMILY)
    return f"{given} {family}", f"{_ascii(given)}.{_ascii(family)}"


def chinese_name(random: Random) -> tuple[str, str]:
    """Return a name and its local part of an e-mail address."""
    family, given = random.choice([*CHINESE_FAMILY]), random.choice([*CHINESE_GIVEN])
    return f"{family}{given}", f"{CHINESE_FAMILY[family]}.{CHINESE_GIVEN[given]}"


def _ascii(name: str) -> str:
    return name.lower().translate(_PLAIN)


def phone(random: Random) -> str:
    """Return a number in E.164 that no one has."""
    match random.randrange(6):
        case 0:
            return f"+493023125{random.randrange(1000):03}"
        case 1 | 2:
            return f"+4917604069{random.randrange(100):03}"
        case 3:
            return f"+442079460{random.randrange(1000):03}"
        case 4:
            return f"+3319900{random.randrange(10_000):04}"
        case _:
            return f"+1212555{random.randrange(100, 200):04}"


def address(random: Random) -> dict[str, str]:
    """Return a delivery address, as an order stores it."""
    street, postcode, city, region, country = random.choice(PLACES)
    number = random.randrange(1, 140)
    line1 = f"{number} {street}" if country in ("FR", "GB") else f"{street} {number}"
    if country == "CN":
        line1 = f"{street}{number}号"
    extra = {"line2": f"Apt. {random.randrange(1, 60)}"} if random.random() < 0.2 else {}
    extra |= {"region": region} if region else {}
    return {"line1": line1, **extra, "postcode": postcode, "city": city, "country": country}
