"""One order's trail through the logs of real processes, set up as in production."""

import os
from pathlib import Path

import pytest

from notifications.models import Notification
from project.local.env import without_settings
from tests.brokers import VALKEY, empty_queues
from tests.concurrency.trails import lines, place, running_relay
from tests.concurrency.web import web
from tests.concurrency.workers import open_inbox, running_worker
from tests.database import this_database
from tests.factories import add_product
from tests.live import wait_until
from tests.project.conf.production import PRODUCTION

pytestmark = [
    pytest.mark.live,
    pytest.mark.xdist_group("live"),
    pytest.mark.django_db(transaction=True, databases=["default", "writer"]),
    pytest.mark.timeout(240),
]

GIVEN = "proxy-7f3a9c21"


def test_one_id_leads_from_the_request_to_the_sent_mail(tmp_path: Path) -> None:
    add_product("TEA", stock=10)
    logs = {name: tmp_path / f"{name}.log" for name in ("web", "relay", "notify")}
    with open_inbox() as inbox, empty_queues(VALKEY):
        shop = PRODUCTION | {
            "DATABASE_URL": this_database(),
            "CELERY_BROKER_URL": VALKEY,
            "EMAIL_URL": inbox.url,
            "MEDIA_STORAGE": str(tmp_path / "media"),
            "TRUSTED_PROXY_COUNT": "1",
            "TANDEM_LOCAL": "off",
            "DEBUG": "off",
        }
        Path(shop["MEDIA_STORAGE"]).mkdir()
        with (
            web(tmp_path, log=logs["web"], **shop) as started,
            running_relay({**without_settings(os.environ), **shop}, logs["relay"]),
            running_worker("notify", environment=shop, log=logs["notify"]),
        ):
            answer = place(started.url, "TEA", **{"X-Request-ID": GIVEN})
            other = place(started.url, "TEA")
            assert answer.status_code == other.status_code == 201
            wait_until(lambda: len(inbox.messages) >= 2, seconds=60, what="both mails are sent")
            wait_until(lambda: len(lines(logs["notify"], "job ended")) >= 2, seconds=20)

    order_id = answer.json()["id"]
    mail = Notification.objects.get(order_id=order_id, channel="email")
    written = [each for line in lines(logs["web"], "orders written") for each in line["orders"]]
    assert {"order_id": order_id, "request_id": GIVEN} in written
    published = [each for line in lines(logs["relay"], "jobs published") for each in line["jobs"]]
    assert {"order_id": order_id, "job_id": str(mail.pk)} in published
    [ended] = [each for each in lines(logs["notify"], "job ended") if each["order_id"] == order_id]
    assert (ended["job_id"], ended["outcome"]) == (str(mail.pk), "done")
    # The ids of the other order are others: they tell one from the other.
    assert answer.headers["X-Request-ID"] == GIVEN
    assert {"order_id": other.json()["id"], "request_id": other.headers["X-Request-ID"]} in written
    assert len({each["order_id"] for each in written}) == 2
