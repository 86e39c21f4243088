"""The steps of placing an order at which a test can kill the web process."""

from enum import StrEnum


class Step(StrEnum):
    BEFORE_SUBMIT = "before submit"
    BEFORE_COMMIT = "in the stock batch, before COMMIT"
    ONLY_STOCK = "stock committed, sales not"
    ONLY_SALES = "sales committed, stock not"
    BEFORE_ANSWER = "both committed, before the answer"
    BEFORE_SETTLE = "refused, before settle"
