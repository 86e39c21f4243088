"""What was typed, as words: each with its condition for an index of words.

The database makes the words (the SQL function `shop_terms`), by the same rules as those of the
indexes: without accents and case, Chinese by pairs of characters.
"""

from dataclasses import dataclass

from django.db import connection
from django.db.models import BooleanField, Func, Value

from orders.models.words import ShopWords

MAX_SEARCH_LENGTH = 100
MOST_WORDS = 12
"""Further words are left out. A Chinese search has two for each character."""


@dataclass(frozen=True)
class Word:
    """A word of the search."""

    text: str
    entire: str
    """The tsquery that finds the word or its stem."""
    beginning: str
    """The tsquery that also finds words that begin with it."""
    categories: tuple[int, ...]
    """The categories whose name has a word that begins with it."""


class HasWords(Func):
    """The condition that the words (`ShopWords`, `ProductWords`) match a tsquery."""

    template = "%(expressions)s::tsquery"
    arg_joiner = " @@ "
    output_field = BooleanField()

    def __init__(self, words: ShopWords, query: str) -> None:
        super().__init__(words, Value(query))


def clean_search(text: str) -> str:
    """Return the search text without NUL, which PostgreSQL refuses, and cut to a safe length."""
    return " ".join(text.replace("\x00", " ").split())[:MAX_SEARCH_LENGTH].strip()


def read_words(text: str) -> list[Word]:
    """Return the words of a cleaned text, in their order; none if it has only punctuation.

    Words such as "for" and "the" are left out, unless nothing else was typed or the word is the
    last one: "coffee for" finds "coffee" with "forged".
    """
    with connection.cursor() as cursor:
        cursor.execute(
            """
            WITH named AS MATERIALIZED (
                SELECT id, shop_words(name || ' ' || shop_texts(texts, '$.*.name')) AS words
                FROM orders_category
            )
            SELECT word, entire::text, beginning::text, is_stop,
                ARRAY(SELECT id FROM named WHERE words @@ beginning)
            FROM shop_terms(%s)
            """,
            [text],
        )
        rows = cursor.fetchall()
    pairs = [word for word, *_others in rows if len(word) == 2 and not word.isascii()]
    return [
        Word(word, entire, beginning, tuple(categories))
        for place, (word, entire, beginning, is_stop, categories) in enumerate(rows)
        if (not is_stop or place == len(rows) - 1)
        # The first and the last character of a Chinese word say no more than its pairs.
        and not (len(word) == 1 and any(word in pair for pair in pairs))
    ][:MOST_WORDS]
