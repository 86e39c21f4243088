"""Fixtures for every test.

`storage` runs a test (or a file of tests) with its media in a folder and in a bucket. In a bucket
it is slow, but for those marked `quick_in_bucket`.
"""

from collections.abc import Iterator

import pytest
from django.db import connections
from django.db.backends.postgresql.operations import DatabaseOperations
from django.template import base

from tests.live import LiveShop


def pytest_collection_finish(session: pytest.Session) -> None:
    """Refuse to run where xdist's groups have no effect: RabbitMQ's queues have one user each."""
    if session.config.getoption("loadgroup", default=False):
        for item in session.items:
            if item.get_closest_marker("xdist_group") and "@" not in item.nodeid:
                pytest.exit("this pytest-xdist doesn't keep groups together with this pytest", 4)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "storage" not in metafunc.fixturenames:
        return
    quick = metafunc.definition.get_closest_marker("quick_in_bucket")
    bucket = pytest.param("bucket", marks=[] if quick else [pytest.mark.slow])
    metafunc.parametrize("storage", ["folder", bucket], indirect=True)


@pytest.fixture(scope="session")
def bucket_server() -> Iterator[str]:
    from tests.media_jobs.buckets import object_server  # boto3: most tests need none

    with object_server() as server:
        yield server


@pytest.fixture
def storage(request: pytest.FixtureRequest, settings, tmp_path) -> str:
    """Keep media in a folder of the test's own, or in a new bucket."""
    if request.param == "bucket":
        from tests.media_jobs.buckets import keep_media_in, new_bucket

        keep_media_in(settings, new_bucket(request.getfixturevalue("bucket_server")))
    else:
        settings.MEDIA_ROOT = str(tmp_path / "media")
    return request.param


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None) -> Iterator[None]:
    """Let go of the test database before it is dropped: `writer` is another way into it, which
    pytest-django leaves open where no test's writer has closed it, and the writers' threads are
    more of them.
    """
    yield
    from orders.placing.writers import drain  # the apps are ready by now

    drain()
    connections["writer"].close()


@pytest.fixture(scope="session", autouse=True)
def _quick_flush() -> None:
    """Empty the tables after a test on real transactions by DELETE, not by TRUNCATE.

    TRUNCATE gives each of some seventy tables a new file, half a second for rows that fit into
    one page. Foreign keys are checked at the end of the flush's transaction, in any order.
    """

    def sql_flush(self, style, tables, *, reset_sequences=False, allow_cascade=False):
        assert not reset_sequences
        return [f"DELETE FROM {self.quote_name(table)}" for table in tables]

    DatabaseOperations.sql_flush = sql_flush


@pytest.fixture(scope="session", autouse=True)
def _templates_call_nothing_that_needs_arguments() -> None:
    """Fail where a template names a class or function that it can't call.

    Django calls it, hears that arguments are missing, and shows nothing: `{% if step.form %}`
    with a form's class was always false.
    """

    def refuse(called: object) -> None:
        raise AssertionError(f"a template calls {called!r}, which needs arguments")

    base.signature = refuse


@pytest.fixture(scope="session")
def live_shop() -> Iterator[LiveShop]:
    """A whole running shop, the same for all tests marked `xdist_group("live")`."""
    with LiveShop() as shop:
        yield shop
