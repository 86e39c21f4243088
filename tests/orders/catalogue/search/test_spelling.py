"""Typing mistakes: which word of the catalogue a misspelt one is taken for."""

import pytest

from orders.catalogue.search.spelling import nearest_word, rests
from orders.models import SearchWord

pytestmark = pytest.mark.django_db

WORDS = ("mug", "cups", "box", "pot", "knife", "shelf", "battery", "folding", "notebook", "kettle")

MISSPELT = {
    # A swap in a short word, alone and beside a plural that the catalogue doesn't have.
    "mgu": "mug",
    "mgus": "mug",
    "musg": "mug",
    "umgs": "mug",
    "ptos": "pot",
    "bxoes": "box",
    "boxse": "box",
    # The plural is the catalogue's, and the singular was typed.
    "cpu": "cups",
    "ucp": "cups",
    # Plurals that change the word's end.
    "kinves": "knife",
    "konives": "knife",
    "shevles": "shelf",
    "battreies": "battery",
    # Other endings.
    "flod": "folding",
    # Long words, as ever.
    "ntobeooks": "notebook",
    "kettels": "kettle",
    # A mistake too many.
    "umsg": "",
    "mxgx": "",
    "xylophones": "",
    "as": "",
}


@pytest.fixture(autouse=True)
def words(db) -> None:
    SearchWord.objects.bulk_create(
        SearchWord(word=word, products=1, near=rests(word)) for word in WORDS
    )


@pytest.mark.parametrize("text", MISSPELT)
def test_a_misspelt_word_is_taken_for_the_nearest_one_in_any_form(text: str) -> None:
    assert nearest_word(text) == MISSPELT[text]


def test_of_words_as_near_the_commoner_is_meant_and_a_rare_one_is_left_out() -> None:
    SearchWord.objects.filter(word="pot").update(products=30)
    SearchWord.objects.create(word="pod", products=2, near=rests("pod"))

    assert nearest_word("pos") == "pot"
    assert nearest_word("pdo", least=30) == ""
