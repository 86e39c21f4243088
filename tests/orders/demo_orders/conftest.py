"""Settings of a fill: its pictures go to a folder of the test's own."""

import pytest


@pytest.fixture(autouse=True)
def settings_of_a_fill(settings, tmp_path) -> None:
    settings.MEDIA_ROOT = str(tmp_path / "media")
    settings.SMS_URL = "http://sms.example/send"
