"""The indexes of the shop's search and of the orders of its lists.

An order writes no product, so it pays for none of them. A changed product pays about a millisecond for
its words. 100,000 products take half a minute to index.
"""

import django.contrib.postgres.indexes
import django.db.models.functions.text
from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models

import orders.models.words

ON_SALE = models.Q(("is_active", True))


def index_products(index: models.Index) -> AddIndexConcurrently:
    return AddIndexConcurrently(model_name="product", index=index)


class Migration(migrations.Migration):
    atomic = False  # built beside a running shop, without locking its products

    dependencies = [("orders", "0054_search_tables")]

    operations = [
        index_products(
            django.contrib.postgres.indexes.GinIndex(
                orders.models.words.ProductWords(), condition=ON_SALE, fastupdate=False, name="product_words"
            )
        ),
        index_products(
            django.contrib.postgres.indexes.GinIndex(
                orders.models.words.ShopWords("name"), condition=ON_SALE, fastupdate=False, name="product_name_words"
            )
        ),
        index_products(
            models.Index(
                django.contrib.postgres.indexes.OpClass(
                    django.db.models.functions.text.Upper("sku"), name="text_pattern_ops"
                ),
                condition=ON_SALE,
                name="product_sku_beginning",
            )
        ),
        index_products(models.Index(condition=ON_SALE, fields=["name", "id"], name="product_by_name")),
        index_products(models.Index(condition=ON_SALE, fields=["price", "id"], name="product_by_price")),
        index_products(models.Index(condition=ON_SALE, fields=["created_at", "id"], name="product_by_age")),
        index_products(
            models.Index(condition=ON_SALE, fields=["category", "name", "id"], name="product_of_category")
        ),
    ]
