"""The bell: a COMMIT that rings ends the relay's pause."""

import threading
import time

import pytest
from django.db import connection, transaction

from project.jobs.bell import RING, Bell

pytestmark = pytest.mark.django_db(transaction=True, available_apps=["project"])

LONG = 20.0


def ring() -> None:
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(f"SELECT {RING}")
    finally:
        connection.close()


def waited(bell: Bell, seconds: float) -> float:
    began = time.monotonic()
    bell.wait(seconds)
    return time.monotonic() - began


def ring_meanwhile() -> None:
    thread = threading.Thread(target=ring)
    thread.start()
    thread.join()


def test_a_commit_that_rings_ends_the_pause() -> None:
    bell = Bell()
    bell.wait(0.0)

    ring_meanwhile()

    assert waited(bell, LONG) < LONG / 2


def test_control_without_a_ring_the_pause_is_as_long_as_asked() -> None:
    assert waited(Bell(), 0.3) >= 0.29


def test_a_new_connection_hears_it_too() -> None:
    bell = Bell()
    bell.wait(0.0)
    connection.close()
    bell.wait(0.0)

    ring_meanwhile()

    assert waited(bell, LONG) < LONG / 2
