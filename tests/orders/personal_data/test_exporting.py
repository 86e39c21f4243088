"""The zip has one of everything that the shop keeps of a person, and nothing of anybody else."""

import json
import zipfile
from datetime import timedelta
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.db.models.functions import Now
from django.test import Client
from django.utils import translation

from orders.models import DeskJob, User
from orders.personal_data import exporting
from orders.personal_data.jobs import queue_export
from orders.personal_data.person import find_person
from project.jobs.run import run_job
from project.schedule.prune import prune
from tests.orders.invoicing.company import set_company
from tests.orders.personal_data.shopper import (
    ADDRESS,
    EMAIL,
    NAME,
    NOTE,
    PHONE,
    PICTURE,
    Shopper,
    shopper,
)

pytestmark = [
    pytest.mark.django_db(transaction=True, databases=["default", "writer"]),
    pytest.mark.usefixtures("writers"),
]


@pytest.fixture
def mina(client: Client, settings: Any, tmp_path: Path) -> Shopper:
    settings.MEDIA_ROOT = str(tmp_path / "media")
    settings.SMS_URL = "json://gateway.example/sms"
    set_company(settings)
    return shopper(client, boss=User.objects.create_superuser("boss"))


def exported(email: str, folder: Path) -> dict[str, Any]:
    """Return the zip's members: lists of JSON by name, and the other files as bytes."""
    target = folder / "person.zip"
    call_command("person", "export", email, to=target)
    assert target.stat().st_mode & 0o777 == 0o600
    with zipfile.ZipFile(BytesIO(target.read_bytes())) as archive:
        assert archive.testzip() is None
        read = {name: archive.read(name) for name in archive.namelist()}
    return {
        name: json.loads(content) if name.endswith(".json") else content
        for name, content in read.items()
    }


def test_it_has_one_of_everything(mina: Shopper, tmp_path: Path) -> None:
    found = exported(f"  {EMAIL.upper()} ", tmp_path)

    [account] = found["account.json"]
    assert (account["name"], account["phone"]) == (NAME, PHONE)
    assert account["addresses"][0]["line1"] == ADDRESS["line1"]
    assert account["cart"][0]["sku"] == "MUG"
    orders = {order["number"]: order for order in found["orders.json"]}
    assert orders.keys() == {str(mina.order), str(mina.guests)}
    order = orders[str(mina.order)]
    assert order["total"] == str(mina.order.total)
    assert [note["text"] for note in order["notes_of_the_shop"]] == [NOTE]
    assert {event["kind"] for event in order["timeline"]} >= {"placed", "corrected", "delivered"}
    assert [invoice["number"] for invoice in order["invoices"]] == ["INV-1", "CN-1"]
    assert order["payments"][0]["amount"] == str(mina.order.total)
    assert {message["event"] for message in found["messages.json"]} >= {
        *("order_placed", "order_shipped", "sign_in_code", "announcement", "phone_confirmation")
    }
    told = {each["kind"] for each in found["webhooks.json"] if each["told_to"] == "Warehouse"}
    assert told >= {"order.placed", "order.shipped", "refund.owed"}
    assert [entry["product"] for entry in found["back_in_stock.json"]] == ["Thing RARE"]
    assert {row["kind"] for row in found["sign_ins.json"]} == {"session", "wrong password"}
    assert len(found["uploads.json"]) == 2
    assert {row["about"] for row in found["changes.json"]} == {"user", "order"}
    uploads = [name for name in found if name.startswith("files/uploads/")]
    assert [found[name] for name in uploads] == [PICTURE, PICTURE]
    assert any(name.endswith(".png") for name in found if name.startswith("files/papers/"))
    readme = found["README.txt"].decode()
    assert all(f"{part.name}.json" in readme for part in exporting.PARTS)


def test_it_has_no_secret_and_nobody_elses_data(mina: Shopper, tmp_path: Path) -> None:
    exported(EMAIL, tmp_path)
    with zipfile.ZipFile(tmp_path / "person.zip") as archive:
        whole = b"\n".join(archive.read(name) for name in archive.namelist()).decode(
            "utf-8", "replace"
        )

    assert "778812" not in whole  # the code of a sign-in
    assert mina.user.password not in whole
    assert "friend@example.org" not in whole
    assert str(mina.other) not in whole
    assert "boss" not in whole


def test_the_readme_is_in_the_language_of_who_asked(mina: Shopper) -> None:
    with translation.override("zh-hans"):
        job = queue_export(find_person(EMAIL), user_id=None)

    run_job(DeskJob, job.pk)

    job.refresh_from_db()
    with job.report.open("rb") as file, zipfile.ZipFile(file) as archive:
        readme = archive.read("README.txt").decode()
    assert "您" in readme
    assert "Each .json file" not in readme


def test_somebody_whom_the_shop_does_not_know_gets_empty_lists(db: None, tmp_path: Path) -> None:
    found = exported("nobody@example.org", tmp_path)

    assert found["account.json"] == found["orders.json"] == found["messages.json"] == []


def test_the_zip_is_private_and_goes_after_some_days(mina: Shopper, client: Client) -> None:
    job = queue_export(find_person(EMAIL), user_id=None)
    run_job(DeskJob, job.pk)
    job.refresh_from_db()
    report = job.report
    assert client.get(f"/media/{report.name}").status_code == 404
    DeskJob.objects.filter(pk=job.pk).update(finished_at=Now() - timedelta(days=6))
    assert prune()["exports of persons"] == 0
    DeskJob.objects.filter(pk=job.pk).update(finished_at=Now() - timedelta(days=8))

    deleted = prune()

    assert deleted["exports of persons"] == 1
    assert not report.storage.exists(str(report.name))
