"""Two shops for all attacks: as it is, and without its guards."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

import pytest

from orders.placing.writers import drain
from tests.acidrain.attack import Shop
from tests.acidrain.delays import DelayingGateway
from tests.concurrency.web import web
from tests.database import this_database
from tests.project.gateway import gateway_to

SEED = 2017


@pytest.fixture
def writers() -> Iterator[None]:
    """End the threads that placed the orders of the races, before the database is emptied."""
    yield
    assert drain(timeout=20)


@pytest.fixture(scope="package")
def gateway(django_db_setup: None, django_db_blocker) -> Iterator[DelayingGateway]:
    with django_db_blocker.unblock():
        database = this_database()
    with gateway_to(database, partial(DelayingGateway, seed=SEED)) as way:
        yield way


@pytest.fixture(scope="package")
def guarded(gateway: DelayingGateway, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    with _shop(gateway, tmp_path_factory, entry="project.wsgi") as shop:
        yield shop


@pytest.fixture(scope="package")
def unguarded(gateway: DelayingGateway, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    with _shop(gateway, tmp_path_factory, entry="tests.acidrain.unguarded") as shop:
        yield shop


@contextmanager
def _shop(
    gateway: DelayingGateway, folders: pytest.TempPathFactory, *, entry: str
) -> Iterator[Shop]:
    """Two processes behind a proxy: an address for each browser, by X-Forwarded-For."""
    variables = {"DATABASE_URL": gateway.url, "TRUSTED_PROXY_COUNT": "1"}
    with web(folders.mktemp("web"), entry=entry, **variables) as started:
        yield Shop(started.url, gateway)
