"""The system checks of settings, and what a process logs of them when it starts."""

import logging
import os

import pytest
from django_celery_beat.models import CrontabSchedule, PeriodicTask

from orders.checks import check_staff
from project.checks import check_media_folder, check_names, check_proxies, stop_at_errors


@pytest.fixture
def production(settings) -> None:
    settings.IS_PRODUCTION = True


def test_a_misspelt_variable_is_named_with_the_one_that_is_meant(monkeypatch) -> None:
    monkeypatch.setenv("SHOP_COUNTY", "AT")
    monkeypatch.delenv("SHOP_COUNTRY", raising=False)

    (found,) = check_names()

    assert "SHOP_COUNTY isn't a variable of Tandem and is ignored: is SHOP_COUNTRY" in found.msg


@pytest.mark.usefixtures("production")
@pytest.mark.parametrize(("proxies", "ids"), [(0, ["project.W004"]), (1, [])])
def test_a_shop_in_production_without_a_proxy_is_warned(settings, proxies, ids) -> None:
    settings.TRUSTED_PROXY_COUNT = proxies

    assert [found.id for found in check_proxies()] == ids


def test_a_local_run_needs_no_proxy(settings) -> None:
    settings.TRUSTED_PROXY_COUNT = 0

    assert check_proxies() == []


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


@pytest.fixture
def below_a_file(settings, tmp_path) -> None:
    (tmp_path / "file").touch()
    settings.MEDIA_ROOT = str(tmp_path / "file")


def test_a_local_process_logs_a_line_for_each_finding_and_goes_on(
    below_a_file, monkeypatch, caplog
) -> None:
    monkeypatch.setenv("SHOP_CURENCY", "CHF")
    caplog.set_level(logging.WARNING)

    stop_at_errors()

    lines = [record.getMessage() for record in caplog.records if record.name == "project.checks"]
    assert sorted(line[:13] for line in lines) == ["project.W001:", "project.W003:"]


def test_in_production_a_process_ends_with_the_reason(below_a_file, production, caplog) -> None:
    with pytest.raises(SystemExit) as stopped:
        stop_at_errors(exit_status=3)

    assert stopped.value.code == 3
    assert "project.E003: MEDIA_STORAGE is" in caplog.text


def test_in_production_a_wrong_gateway_ends_a_process(settings, production, caplog) -> None:
    settings.SMS_URL = "nonsense"

    with pytest.raises(SystemExit):
        stop_at_errors()

    assert "notifications.E001: SMS_URL" in caplog.text


def test_a_warning_ends_no_process(production, monkeypatch) -> None:
    monkeypatch.setenv("SHOP_CURENCY", "CHF")

    stop_at_errors()


@pytest.mark.django_db
def test_reports_that_nobody_gets_are_named_until_they_are_turned_off(settings) -> None:
    settings.TANDEM_LOCAL, settings.STAFF_EMAILS = False, []
    PeriodicTask.objects.all().delete()  # a test on real transactions may have done so
    every_day = CrontabSchedule.objects.create()
    for name, task in {"Daily report": "daily_report", "Low stock": "low_stock"}.items():
        PeriodicTask.objects.create(name=name, task=f"orders.tasks.{task}", crontab=every_day)
    (found,) = check_staff(databases=["default"])
    assert found.msg == "STAFF_EMAILS is empty: nobody gets Daily report, Low stock."

    PeriodicTask.objects.filter(task__startswith="orders.tasks.").update(enabled=False)
    assert check_staff(databases=["default"]) == []


@pytest.mark.django_db
def test_reports_that_somebody_gets_are_fine(settings) -> None:
    settings.TANDEM_LOCAL, settings.STAFF_EMAILS = False, ["ada@example.org"]

    assert check_staff(databases=["default"]) == []
