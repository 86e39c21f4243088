"""The system checks of settings, and what a process logs of them when it starts."""

import logging
import os

import pytest
from django_celery_beat.models import PeriodicTask

from orders.checks import check_staff
from project.checks import (
    MEDIA,
    SETTINGS,
    check_hosts,
    check_media_folder,
    check_names,
    report_findings,
)


@pytest.fixture
def production(settings) -> None:
    settings.TANDEM_LOCAL = settings.DEBUG = False


def test_a_misspelt_variable_is_named_with_the_one_that_is_meant(monkeypatch) -> None:
    monkeypatch.setenv("SHOP_COUNTY", "AT")
    monkeypatch.delenv("SHOP_COUNTRY", raising=False)

    (found,) = check_names()

    assert "SHOP_COUNTY isn't a variable of Tandem and is ignored: is SHOP_COUNTRY" in found.msg


def test_any_host_is_a_warning_in_production_only(settings, production) -> None:
    settings.ALLOWED_HOSTS = ["*"]
    assert [found.id for found in check_hosts()] == ["project.W002"]

    settings.TANDEM_LOCAL = True
    assert check_hosts() == []


def test_a_media_folder_that_can_be_made_is_fine(settings, tmp_path) -> None:
    settings.MEDIA_ROOT = str(tmp_path / "new" / "media")

    assert check_media_folder() == []
    assert not (tmp_path / "new").exists()


def test_a_bucket_is_no_folder(settings) -> None:
    settings.MEDIA_ROOT = ""

    assert check_media_folder() == []


def test_a_media_folder_below_a_file_is_named(settings, tmp_path) -> None:
    (tmp_path / "file").touch()
    settings.MEDIA_ROOT = str(tmp_path / "file" / "media")

    (found,) = check_media_folder()

    assert found.msg.startswith(f"MEDIA_STORAGE is {tmp_path}/file/media, where this process can't")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_media_folder_of_another_user_is_named(settings, tmp_path) -> None:
    tmp_path.chmod(0o500)
    settings.MEDIA_ROOT = str(tmp_path / "media")

    assert [found.id for found in check_media_folder()] == ["project.W003"]


def test_a_process_logs_a_line_for_each_finding(settings, monkeypatch, caplog, tmp_path) -> None:
    (tmp_path / "file").touch()
    settings.MEDIA_ROOT = str(tmp_path / "file")
    monkeypatch.setenv("SHOP_CURENCY", "CHF")
    caplog.set_level(logging.WARNING)

    report_findings(SETTINGS, MEDIA)

    lines = [record.getMessage() for record in caplog.records if record.name == "project.checks"]
    assert [line[:13] for line in lines] == ["project.W001:", "project.W003:"]


@pytest.mark.django_db
def test_reports_that_nobody_gets_are_named_until_they_are_turned_off(settings, production) -> None:
    settings.STAFF_EMAILS = []
    (found,) = check_staff(databases=["default"])
    assert found.msg == "STAFF_EMAILS is empty: nobody gets Daily report, Low stock."

    PeriodicTask.objects.filter(task__startswith="orders.tasks.").update(enabled=False)
    assert check_staff(databases=["default"]) == []


@pytest.mark.django_db
def test_reports_that_somebody_gets_are_fine(settings, production) -> None:
    settings.STAFF_EMAILS = ["ada@example.org"]

    assert check_staff(databases=["default"]) == []


def test_a_check_without_a_database_asks_none(settings, production) -> None:
    settings.STAFF_EMAILS = []

    assert check_staff() == []
