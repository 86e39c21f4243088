"""Which addresses an endpoint may be given, and what the form says about the others."""

from ipaddress import ip_network
from typing import Any

import pytest
from django.core.exceptions import ValidationError

from notifications.desk.webhook_addresses import usable_address

LOCAL = ["127.0.0.0/8", "::1"]
"""What a local run has."""
OWN = ["10.1.0.0/16"]

REFUSED = [
    *[
        ([], url, "Enter an address like")
        for url in (
            *("ftp://hooks.example/", "hooks.example", "javascript:alert(1)", "https://10.1/"),
            *("https://höoks.example:x/", "https://warehouse/in", "https://2130706433/"),
        )
    ],
    ([], "https://user:pass@hooks.example/", "Leave out user"),
    ([], "https://hooks.example/#part", "Leave out user"),
    ([], "https://höoks.example/", "in ASCII"),
    ([], "https://hooks.example:99999/", "from 1 to 65535"),
    ([], "https://hooks.example:0/", "from 1 to 65535"),
    *[
        (inside, f"{scheme}://{host}/h", "isn't public")
        for inside in ([], LOCAL, OWN)
        for scheme in ("http", "https")
        for host in ("10.0.0.1", "169.254.169.254", "[::ffff:10.0.0.1]", "[fd00::1]", "0.0.0.0")
    ],
    *[([], f"https://{host}/h", "isn't public") for host in ("127.0.0.1", "[::1]", "10.1.2.3")],
    *[(inside, "http://example.org/h", "Use https") for inside in ([], LOCAL)],
    *[(inside, "http://8.8.8.8/h", "Use https") for inside in ([], LOCAL, OWN)],
    *[
        (inside, f"https://{host}/", "a name of an own network")
        for inside in ([], LOCAL)
        for host in ("foo.local", "FOO.LOCAL", "foo.local.", "api.internal", "nas.home.arpa")
    ],
    *[
        (inside, f"https://{host}/", "a name of an own network")
        for inside in ([], OWN)
        for host in ("localhost", "shop.localhost", "localhost:8443")
    ],
]
TAKEN = [
    ([], "https://hooks.example/in?shop=1"),
    ([], "https://hooks.example:8443/"),
    ([], "https://8.8.8.8/"),
    ([], "https://[2606:4700::1111]/"),
    ([], "https://local.example/"),
    (LOCAL, "http://127.0.0.1:9000/h"),
    (LOCAL, "http://[::1]:9000/h"),
    (LOCAL, "http://localhost:9000/h"),
    (LOCAL, "https://localhost/h"),
    (OWN, "http://10.1.2.3/h"),
    (OWN, "http://wms.internal/h"),
    (OWN, "http://wms.example/h"),
    (OWN, "https://wms.local/h"),
]


@pytest.mark.parametrize(("inside", "url", "reason"), REFUSED)
def test_what_no_delivery_could_go_to_is_refused(
    settings: Any, inside: list[str], url: str, reason: str
) -> None:
    settings.WEBHOOK_INSIDE = [ip_network(each) for each in inside]

    with pytest.raises(ValidationError, match=reason):
        usable_address(url)


@pytest.mark.parametrize(("inside", "url"), TAKEN)
def test_what_it_could_go_to_is_taken(settings: Any, inside: list[str], url: str) -> None:
    settings.WEBHOOK_INSIDE = [ip_network(each) for each in inside]

    assert usable_address(f" {url} ") == url
