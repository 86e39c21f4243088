"""The demo shop's texts in Chinese.

The storm lantern has none: what isn't translated can be seen at it.
"""

from typing import Any

LANGUAGE = "zh-hans"
CATEGORIES = {"kitchen": "厨房", "desk": "书桌", "outdoors": "户外"}
OPTIONS = {"Size": "尺码", "Colour": "颜色", "moss": "苔绿", "rust": "锈红"}
"""Sizes are the same in both languages."""
ALTS = {
    "t-shirt-moss": "苔绿色T恤，胸前印有双人自行车",
    "t-shirt-rust": "锈红色T恤，胸前印有双人自行车",
}
"""By the drawing."""
PRODUCTS = {
    "KIT-MOKA-6": (
        "六杯摩卡壶",
        "五分钟煮出六小杯浓咖啡，燃气灶、电炉均可使用。铸铝壶身越用越有味道，垫圈和滤网可以更换。",
        "八角铝制摩卡壶，黑色手柄，壶嘴冒着热气",
    ),
    "KIT-KETTLE": (
        "鹅颈手冲壶",
        "水流细缓均匀，适合手冲咖啡和泡茶，温度计告诉您何时注水。容量0.9升，手柄和壶钮为上油榉木。",
        "深青色长嘴手冲壶，带温度计和木质手柄",
    ),
    "KIT-MUG-BLUE": (
        "陶土马克杯",
        "手工拉坯，上河蓝色釉，每只都独一无二。容量0.35升，保温，可用洗碗机清洗。",
        "盛满咖啡的陶土马克杯，蓝釉流淌在带斑点的素陶上",
    ),
    "KIT-CASSEROLE": (
        "铸铁炖锅",
        "五升珐琅铸铁锅，炖菜、烤面包、周日聚餐皆宜。可从灶台直接放进烤箱，耐热250 °C。",
        "红色珐琅炖锅，锅盖带黄铜钮，旁边有一枝月桂叶",
    ),
    "DSK-LAMP": (
        "光环台灯",
        "三个关节，让光落在您手边。暖白光，触摸调光，8瓦；换灯泡不用工具。",
        "黄色关节台灯照着两本书",
    ),
    "DSK-NOTEBOOK": (
        "点阵笔记本",
        "192页点阵纸，平摊不翘，正反面都能用墨水书写。锁线装订，带内袋、书签带和一支别在松紧带上的铅笔。",
        "绿色笔记本，黄色松紧带，旁边有一支铅笔",
    ),
    "DSK-HEADPHONES": (
        "静音耳机",
        "封闭式，柔软轻巧，戴一下午也舒适。一次充电可用三十小时，也可接线；耳垫可拆下清洗。",
        "紫色耳机，赤陶色耳垫，黄铜细节",
    ),
    "DSK-CLOCK": (
        "双铃闹钟",
        "没有应用，没有贪睡，只有两只铃。走时轻，铃声响，一节电池用一年。",
        "圆形红色闹钟，两只黄铜铃，指针指向十点十分",
    ),
    "OUT-BACKPACK": (
        "帆布双肩包",
        "22升上蜡帆布，皮革背带：平日装电脑，周末装帐篷。毯子由两个扣带固定。",
        "黄色帆布双肩包，皮革背带，下面卷着一条毯子",
    ),
    "OUT-FLASK": (
        "真空保温瓶",
        "0.75升，保温一天，保冷两天。双层钢壁，不会摔碎，瓶盖就是杯子。",
        "绿色保温瓶，钢制瓶盖，旁边一杯热咖啡",
    ),
    "OUT-TANDEM": (
        "双人自行车",
        "献给同路的两个人。钢架，九速，一个车篮，每人一只铃。春季按单制造，今年的都已上路。",
        "绿色双人自行车，车把上有一篮花",
    ),
    "OUT-SHIRT": (
        "双人车T恤",
        "厚实有机棉，不易变形，胸前是一辆双人自行车。直筒剪裁，葡萄牙缝制，隔壁街印花。",
        "",
    ),
}
"""Name, description and alternative text by SKU."""


def texts_of(**texts: Any) -> dict[str, dict[str, Any]]:
    """Return the translations of a row that has these."""
    there = {name: text for name, text in texts.items() if text}
    return {LANGUAGE: there} if there else {}


def texts_of_product(sku: str) -> dict[str, dict[str, Any]]:
    name, description, _alt = PRODUCTS.get(sku, ("", "", ""))
    return texts_of(name=name, description=description)


def texts_of_picture(sku: str, drawing: str) -> dict[str, dict[str, Any]]:
    return texts_of(alt=ALTS.get(drawing) or PRODUCTS.get(sku, ("", "", ""))[2])


def texts_of_options(options: tuple[str, ...]) -> list[str]:
    return [OPTIONS.get(option, option) for option in options]
