"""The words of the catalogue's texts, as the SQL function `shop_words` gives them."""

from django.db.models import Func, TextField


class ShopWords(Func):
    """The words of a text column and their stems: the SQL function `shop_words`, for an index."""

    function = "shop_words"
    output_field = TextField()  # a tsvector, for which Django has no plain field


class ProductWords(ShopWords):
    """The words of a product's SKU, name and description, for an index."""

    arg_joiner = " || ' ' || "

    def __init__(self) -> None:
        super().__init__("sku", "name", "description")


class TranslatedWords(ShopWords):
    """The words of a product's translations, for an index."""

    template = "shop_words(shop_texts(%(expressions)s, '$.*.*'))"

    def __init__(self) -> None:
        super().__init__("texts")


class TranslatedNames(TranslatedWords):
    """The words of a product's translated names, for an index."""

    template = "shop_words(shop_texts(%(expressions)s, '$.*.name'))"
