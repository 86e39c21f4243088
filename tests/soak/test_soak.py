"""The soak itself, for a minute; and its verdict, which must be able to say no."""

import subprocess
from collections import Counter
from pathlib import Path
from uuid import uuid4

import pytest

from project.local.env import ROOT
from tests.soak.record import Purchase, Record
from tests.soak.verdict import Books, Sent, judge

ORDER = uuid4()


def record(**changes: object) -> Record:
    """A shopper whose one order was placed at second 1 and answered at second 2."""
    purchase = Purchase(key="k", body={}, begun=1.0, sent=1, answered=2.0, order_ids={ORDER})
    for name, value in changes.items():
        setattr(purchase, name, value)
    return Record(purchases=[purchase], answers=[(2.0, 201)])


def books(**changes: object) -> Books:
    kept = Books(
        orders={ORDER},
        messages=[Sent("m", "email", "", "done", False, ORDER, 3.0)],
        media=[(ORDER, "done", 4.0)],
        renditions=2,
        available_below_zero=0,
        audit="clean",
        audit_is_clean=True,
    )
    for name, value in changes.items():
        setattr(kept, name, value)
    return kept


def test_books_that_agree_with_the_record_are_right() -> None:
    assert judge(record(), books(), Counter(m=1)).broken == []


@pytest.mark.parametrize(
    ("recorded", "found", "copies", "complaint"),
    [
        (record(), books(orders=set()), Counter(m=1), "answered and are not in the books"),
        (record(order_ids={ORDER, uuid4()}), books(), Counter(m=1), "more than one order"),
        (record(), books(orders={ORDER, uuid4()}), Counter(m=1), "no shopper was told of"),
        (record(), books(), Counter(), "never arrived"),
        (record(), books(), Counter(m=2), "are not marked"),
        (record(), books(media=[(ORDER, "failed", None)]), Counter(m=1), "media jobs"),
        (record(answered=None), books(), Counter(m=1), "no clear answer"),
        (record(), books(available_below_zero=1), Counter(m=1), "oversold"),
        (record(), books(audit_is_clean=False), Counter(m=1), "drift"),
    ],
)
def test_every_difference_is_named(
    recorded: Record, found: Books, copies: Counter[str], complaint: str
) -> None:
    assert complaint in " ".join(judge(recorded, found, copies).broken)


@pytest.mark.slow
@pytest.mark.live
@pytest.mark.xdist_group("live")
@pytest.mark.timeout(900)
def test_after_a_minute_record_and_books_agree(tmp_path: Path) -> None:
    done = subprocess.run(
        [str(ROOT / "bin" / "soak"), "1", "--seed", "1", "--into", str(tmp_path)],
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    assert "Everything was kept" in (tmp_path / "report.md").read_text()
    assert (tmp_path / "soak.svg").exists()
