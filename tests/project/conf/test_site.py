"""SITE_URL and ALLOWED_HOSTS in production."""

import pytest
from django.core.exceptions import ImproperlyConfigured

from project.conf.site import require_reachable_site


@pytest.mark.parametrize(
    ("site_url", "hosts", "reason"),
    [
        ("http://shop.example.org", ["shop.example.org"], r"^SITE_URL begins with http://: give"),
        ("https://shop.example.org", [], r"^ALLOWED_HOSTS lacks shop\.example\.org"),
        ("https://shop.example.org", ["example.org"], r"^ALLOWED_HOSTS lacks shop"),
        ("https://shop.example.org", ["*"], r"^ALLOWED_HOSTS has \*"),
        ("https://shop.example.org", ["shop.example.org", "*"], r"^ALLOWED_HOSTS has \*"),
    ],
)
def test_a_site_that_no_link_reaches_is_refused(site_url, hosts, reason) -> None:
    with pytest.raises(ImproperlyConfigured, match=reason):
        require_reachable_site(site_url=site_url, allowed_hosts=hosts)


@pytest.mark.parametrize(
    "hosts", [["shop.example.org"], [".example.org"], ["a", "SHOP.example.org"]]
)
def test_a_site_whose_host_is_allowed_is_taken(hosts) -> None:
    require_reachable_site(site_url="https://Shop.example.org:8443", allowed_hosts=hosts)
