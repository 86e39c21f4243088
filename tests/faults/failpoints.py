"""The shop's web process with steps to die at: gunicorn serves it as `tests.faults.failpoints`.

At the step that the file named by CRASH_AT says, the process kills itself as `kill -9` would;
where the step lies between two commits, the other writer is held up. A crash happens once: the
file goes with it, so the process that gunicorn starts next lives.
"""

import os
import signal
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from project.wsgi import application
from tests.faults.steps import Step

__all__ = ["application"]


def _is_next(step: Step) -> bool:
    try:
        return Path(os.environ["CRASH_AT"]).read_text() == step
    except FileNotFoundError:
        return False


def _crash_at(step: Step) -> None:
    if _is_next(step):
        Path(os.environ["CRASH_AT"]).unlink()
        os.kill(os.getpid(), signal.SIGKILL)


def _never_at(step: Step) -> None:
    if _is_next(step):
        threading.Event().wait()


class _Together:
    """Holds one writer up until the other has committed so many orders."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._orders = 0

    def add(self, orders: int) -> None:
        with self._changed:
            self._orders += orders
            self._changed.notify_all()

    def wait_for(self, orders: int) -> None:
        with self._changed:
            self._changed.wait_for(lambda: self._orders >= orders)


def _wrap_the_steps() -> None:
    from orders.placing import placement
    from orders.placing.sales_writer import SalesWriter
    from orders.placing.stock_writer import StockWriter
    from project.group_commit import GroupCommitter

    submit, settle = placement.submit, placement.settle
    apply_stock, apply_sales = StockWriter.apply, SalesWriter.apply
    answer = GroupCommitter.answer
    counted = _Together()

    def submit_or_die(draft: Any) -> Any:
        _crash_at(Step.BEFORE_SUBMIT)
        placed = submit(draft)
        _crash_at(Step.BEFORE_ANSWER)
        return placed

    def settle_or_die(*args: Any, **kwargs: Any) -> None:
        _crash_at(Step.BEFORE_SETTLE)
        settle(*args, **kwargs)

    def apply_stock_or_die(writer: StockWriter, *args: Any, **options: Any) -> Any:
        if _is_next(Step.BEFORE_SETTLE):
            counted.wait_for(2)  # both passed the look at the stock, which is enough for one
        answers = apply_stock(writer, *args, **options)
        _crash_at(Step.BEFORE_COMMIT)
        _never_at(Step.ONLY_SALES)
        return answers

    def apply_sales_or_wait(writer: SalesWriter, *args: Any, **options: Any) -> Any:
        _never_at(Step.BEFORE_COMMIT)
        _never_at(Step.ONLY_STOCK)
        return apply_sales(writer, *args, **options)

    steps: dict[str, Callable[[Any], None]] = {
        "stock-writer": lambda _answers: _crash_at(Step.ONLY_STOCK),
        "sales-writer": lambda _answers: _crash_at(Step.ONLY_SALES),
    }

    def answer_or_die(committer: Any, answers: Any) -> None:
        """A batch is answered right after its COMMIT."""
        steps[committer.name](answers)
        answer(committer, answers)
        if committer.name == "sales-writer" and _is_next(Step.BEFORE_SETTLE):
            counted.add(len(answers))

    placement.submit = submit_or_die
    placement.settle = settle_or_die
    StockWriter.apply = apply_stock_or_die  # type: ignore[assignment]
    SalesWriter.apply = apply_sales_or_wait  # type: ignore[assignment]
    GroupCommitter.answer = answer_or_die  # type: ignore[assignment]


_wrap_the_steps()
