"""Fixtures for every test.

`storage` runs a test (or a file of tests) with its media in a folder and in a bucket. In a bucket
it is slow, but for those marked `quick_in_bucket`.
"""

from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from django.db import connection, connections, transaction
from django.template import base
from django.test import TransactionTestCase, override_settings
from django.utils import translation
from whitenoise.middleware import WhiteNoiseMiddleware

from project.desk.loading import load_desk
from project.local.data_folder import DataFolder
from project.local.embedded.running import running_servers
from tests.contents import FirstContents
from tests.database import answer_before_the_disk_has_it, copy_one_database
from tests.live import LiveShop, wait_until
from tests.long import mark_long


def pytest_configure() -> None:
    """Load the desk, as the URLs do it: modules of tests ask its site what it has."""
    load_desk()


def pytest_collection_finish(session: pytest.Session) -> None:
    """Refuse to run where xdist's groups have no effect: RabbitMQ's queues have one user each."""
    if session.config.getoption("loadgroup", default=False):
        for item in session.items:
            if item.get_closest_marker("xdist_group") and "@" not in item.nodeid:
                pytest.exit("this pytest-xdist doesn't keep groups together with this pytest", 4)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the tests of the first shop before those that stop it and copy its folder."""
    items.sort(key=lambda item: "filled_data" in getattr(item, "fixturenames", ()))
    mark_long(items)


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
def django_db_modify_db_settings(
    django_db_modify_db_settings: None, django_db_blocker, request: pytest.FixtureRequest
) -> None:
    """Let each process of pytest-xdist copy one database, which the first of them migrates."""
    if hasattr(request.config, "workerinput"):
        with django_db_blocker.unblock():
            copy_one_database(run=request.config.workerinput["testrunuid"])


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker) -> Iterator[None]:
    """Have each test on real transactions leave what the migrations wrote, but for the schedule.

    A schedule of the test's own must be all that is due.

    At the end let go of the test database before it is dropped: `writer` is another way into it,
    which pytest-django leaves open where no test's writer has closed it, and the writers' threads
    are more of them.
    """
    with django_db_blocker.unblock():
        answer_before_the_disk_has_it(connection)
        first = FirstContents(connection, empty="django_celery_beat_")

    def restore(test: TransactionTestCase) -> None:
        assert not test.reset_sequences
        assert not test.serialized_rollback
        first.restore()

    TransactionTestCase._fixture_teardown = restore
    yield
    from orders.placing.writers import drain  # the apps are ready by now

    drain()
    connections["writer"].close()
    connections["performance"].close()


@pytest.fixture(scope="module")
def rows_for_the_module(django_db_setup: None, django_db_blocker) -> Iterator[None]:
    """Let a fixture of a whole module write rows, in a transaction that ends with the module.

    Each test then has a savepoint of its own; it can't be one on real transactions. The fixture
    ends with `connection.check_constraints()`, or else each test checks all rows' foreign keys.
    """
    with django_db_blocker.unblock(), transaction.atomic():
        yield
        transaction.set_rollback(True)


@pytest.fixture(scope="session", autouse=True)
def _cheap_passwords() -> Iterator[None]:
    """Hash passwords in no time: half a second a user is well spent in a shop, and wasted here."""
    with override_settings(PASSWORD_HASHERS=["django.contrib.auth.hashers.MD5PasswordHasher"]):
        yield


@pytest.fixture(scope="session", autouse=True)
def _static_files_are_found_once() -> Iterator[None]:
    """Let all test clients have the static files that the first one finds.

    Each client makes the middleware anew, and this one would look at all files again.
    """
    find = WhiteNoiseMiddleware.add_files_from_finders
    found: dict[str, object] = {}

    def find_once(middleware: WhiteNoiseMiddleware) -> None:
        if not found:
            find(middleware)
            found.update(middleware.files)
        middleware.files |= found

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(WhiteNoiseMiddleware, "add_files_from_finders", find_once)
        yield


@pytest.fixture(autouse=True)
def _language_of_no_other_test() -> Iterator[None]:
    """Forget the language that a request left to its thread, as the test client's last one does."""
    yield
    translation.deactivate()


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
def first_shop() -> Iterator[LiveShop]:
    """The shop that began with an empty folder. It is stopped once the first test needs another."""
    with LiveShop() as shop:
        yield shop


@pytest.fixture(scope="session")
def filled_data(first_shop: LiveShop) -> Path:
    """The data folder of a stopped shop: migrated, and filled with the demo and its pictures."""
    if not first_shop.runs:  # a test that failed left it so
        first_shop.start()
    wait_until(lambda: "Tandem is up" in first_shop.output(), seconds=150, what="all is drawn")
    assert first_shop.stop() == 0
    # Those of killed processes stay, and a copy would be ready before its own are there.
    with (
        running_servers(DataFolder(first_shop.data)) as values,
        psycopg.connect(values["DATABASE_URL"]) as session,
    ):
        session.execute("DELETE FROM project_heartbeat")
    return first_shop.data


@pytest.fixture(scope="session")
def live_shop(filled_data: Path) -> Iterator[LiveShop]:
    """A whole running shop, the same for all tests marked `xdist_group("live")`."""
    with LiveShop(copy_of=filled_data) as shop:
        yield shop
