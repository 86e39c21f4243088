"""What is loaded before a fork stays shared: the new process's collections leave it alone."""

import gc
from collections.abc import Iterator

import pytest
from celery.signals import worker_before_create_process

from project import gunicorn
from project.celery import share_memory

# What is collected here is also what earlier tests left, with its own complaints.
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")


@pytest.fixture(autouse=True)
def unfrozen() -> Iterator[None]:
    gc.unfreeze()
    yield
    gc.unfreeze()


def test_a_worker_freezes_what_its_processes_share_before_each_fork() -> None:
    assert share_memory in [receiver() for _key, receiver in worker_before_create_process.receivers]

    worker_before_create_process.send(sender=None)

    assert gc.get_freeze_count() > 0


def test_the_web_loads_the_shop_and_freezes_it_before_it_forks() -> None:
    assert gunicorn.preload_app

    gunicorn.pre_fork(server=None, worker=None)

    assert gc.get_freeze_count() > 0
