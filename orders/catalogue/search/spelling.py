"""Typing mistakes: the word of the catalogue that is nearest to a word that finds nothing.

Two words are compared by what is left of their first seven letters when up to two are left out
(the method of SymSpell): an index finds the words that share such a rest. The distance decides.

Both are also compared without an ending. In a short word a plural and a swap of letters would be
one mistake too many: "mgus" is a swap away from "mugs", and the catalogue may have "mug" only.
"""

from collections.abc import Iterator, Sequence

from django.db import connection

from orders.catalogue.search.words import HasWords, Word
from orders.models import Product
from orders.models.product import ON_SALE, TRANSLATED
from orders.models.words import ProductWords, TranslatedWords

COMPARED = 7
"""Letters of a word's beginning that are compared by the index."""
SHORTEST = 3
"""Letters of the shortest word that is corrected."""
PLURALS = (("s", ""), ("es", ""), ("ies", "y"), ("ves", "f"), ("ves", "fe"))
ENDINGS = (*PLURALS, ("ing", ""), ("ed", ""))
"""English endings, and what a word without them ends with."""
FEW = 3
"""Products up to which a search may be a typing mistake that somebody made in a text, too."""


def corrected(words: Sequence[Word]) -> str:
    """Return the search with its unknown words corrected; empty if none can be.

    A word is unknown if no product on sale and no category has it or one that begins with it.
    """
    texts = [word.text if _is_known(word) else nearest_word(word.text) for word in words]
    if not any(texts) or texts == [word.text for word in words]:
        return ""
    return " ".join(text or word.text for text, word in zip(texts, words, strict=True))


def commoner(words: Sequence[Word]) -> str:
    """Return the search with words that many more products have; empty if there are none."""
    texts = [nearest_word(word.text, least=10 * FEW) or word.text for word in words]
    return "" if texts == [word.text for word in words] else " ".join(texts)


def nearest_word(text: str, *, least: int = 1) -> str:
    """Return the nearest word that so many products have, the commonest of several; else nothing.

    Up to four letters one mistake is forgiven, above two; a plural is none.
    """
    if len(text) < SHORTEST:
        return ""
    typed = forms(text)
    judged = (
        (mistakes, word[0] != text[0], -products, word)
        for word, products in _alike(text, least=least)
        for mistakes in _forgiven_mistakes(typed, forms(word))
    )
    best = min(judged, default=None)
    return best[-1] if best else ""


def _alike(text: str, *, least: int) -> list[tuple[str, int]]:
    """Return the words that share a rest with the text and that so many products have.

    Each rest is looked up by itself (OFFSET 0 keeps it so). Asked for a word with any of a hundred
    (`&&`), PostgreSQL expects a third of all words, and compares them one by one: 350 ms among
    19,000, not 4. It could also compare each word with each rest.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT DISTINCT word, products
            FROM unnest(%s::text[]) AS rest CROSS JOIN LATERAL (
                SELECT word, products FROM orders_searchword WHERE near @> ARRAY[rest] OFFSET 0
            ) AS alike
            WHERE products >= %s AND word <> %s
            """,
            [rests(text), least, text],
        )
        return cursor.fetchall()


def forms(word: str) -> list[str]:
    """Return the word, and the words that it may be a plural or another form of."""
    found = [word]
    for ending, instead in ENDINGS:
        form = word.removesuffix(ending) + instead
        if word.endswith(ending) and len(form) >= SHORTEST:
            found.append(form)
    return found


def rests(word: str) -> list[str]:
    """Return what is left of the beginnings of the word's forms with up to two letters left out.

    Two forms with a distance of two share one; a short form loses one letter only.
    """
    found: set[str] = set()
    for form in forms(word):
        shorter = {form[:COMPARED]}
        found |= shorter
        for _mistake in range(_forgiven(form)):
            shorter = {
                rest[:place] + rest[place + 1 :] for rest in shorter for place in range(len(rest))
            }
            found |= shorter
    return sorted(found)


def distance(one: str, other: str) -> int:
    """Return how many letters must be put in, left out, changed or swapped with the next.

    It is the optimal string alignment distance.
    """
    before_last: list[int] = []
    last = list(range(len(other) + 1))
    for row, letter in enumerate(one, start=1):
        current = [row]
        for column, goal in enumerate(other, start=1):
            cheapest = min(last[column] + 1, current[-1] + 1, last[column - 1] + (letter != goal))
            before = other[column - 2] if row > 1 and column > 1 else ""
            if (before, goal) == (letter, one[row - 2]):
                cheapest = min(cheapest, before_last[column - 2] + 1)
            current.append(cheapest)
        before_last, last = last, current
    return last[-1]


def _forgiven_mistakes(typed: Sequence[str], meant: Sequence[str]) -> Iterator[int]:
    """Give the distances between the forms of two words, where they are forgiven."""
    for one in typed:
        for other in meant:
            if abs(len(other) - len(one)) <= _forgiven(one):
                mistakes = distance(one, other)
                if mistakes <= _forgiven(one):
                    yield mistakes


def _forgiven(word: str) -> int:
    """Return how many mistakes a word of this length may have."""
    return 1 if len(word) <= 4 else 2


def _is_known(word: Word) -> bool:
    if word.categories:
        return True
    # Counted: to find only one, PostgreSQL would compute the words of product after product.
    return any(
        Product.objects.filter(rows, HasWords(words, word.beginning)).count() > 0
        for rows, words in ((ON_SALE, ProductWords()), (TRANSLATED, TranslatedWords()))
    )
