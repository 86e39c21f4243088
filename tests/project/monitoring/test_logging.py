"""Which records get a line in the log."""

from django.test import Client


def test_a_made_up_host_is_refused_without_a_traceback(settings, caplog) -> None:
    settings.ALLOWED_HOSTS = ["shop.example"]

    answer = Client(headers={"host": "scanner.example"}).get("/")

    assert answer.status_code == 400
    assert [record for record in caplog.records if record.exc_info] == []
