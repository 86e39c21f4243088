"""Signatures of platforms: what is signed by a key of the profile counts, and nothing else."""

import base64
import json
import time
from collections.abc import Mapping
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from django.db.models.functions import Now
from django.test import Client

from orders.agents import local_platforms, platforms
from orders.agents.errors import ProtocolError
from orders.agents.guarded_fetch import Unreachable
from orders.agents.signing import Key, content_digest, own_keys, signed, verify
from orders.models import AgentPlatform

PROFILE = "https://platform.example.com/agent"
BODY = b'{"line_items": []}'
COVERED = {"@method": "POST", "@path": "/ucp/v1/carts"}
OF_PROXY = '("@method");keyid="proxy"'


def sent(**parts: str) -> dict[str, str]:
    """Return the headers of a request that the shop's own key has signed."""
    headers = signed(COVERED, body=BODY)
    small = {name.lower(): value for name, value in headers.items()}
    return {**small, "content-type": "application/json", **parts}


def check(headers: Mapping[str, str]) -> None:
    keys: list[dict[str, Any]] = [dict(key.jwk) for key in own_keys()]
    verify(headers=headers, derived=COVERED, body=BODY, keys=keys, needed=["@method", "@path"])


def refused(headers: Mapping[str, str]) -> str:
    with pytest.raises(ProtocolError) as refusal:
        check(headers)
    return refusal.value.code


def signed_by(key: Key, covered: Mapping[str, str], more: str = "") -> dict[str, str]:
    """Return the headers of a signature by the key over these components."""
    names = " ".join(f'"{name}"' for name in covered)
    parameters = f'({names});keyid="{key.jwk["kid"]}"{more}'
    lines = [f'"{name}": {value}' for name, value in covered.items()]
    base = "\n".join([*lines, f'"@signature-params": {parameters}'])
    signature = base64.b64encode(key.sign(base.encode())).decode()
    return {"signature-input": f"sig1={parameters}", "signature": f"sig1=:{signature}:"}


def expiring(at: float) -> dict[str, str]:
    """Return the headers of a request whose signature says when it ends."""
    return signed_by(own_keys()[0], COVERED, f";expires={int(at)}")


def test_a_signature_of_the_profiles_key_counts() -> None:
    check(sent())


@pytest.mark.parametrize("is_first", [True, False])
def test_one_of_several_signatures_is_enough(is_first: bool) -> None:
    ours = sent()
    inputs = [f"proxy={OF_PROXY}", ours["signature-input"]]
    signatures = ["proxy=:AAAA:", ours["signature"]]
    if is_first:
        inputs, signatures = inputs[::-1], signatures[::-1]

    check(sent(**{"signature-input": ", ".join(inputs), "signature": ", ".join(signatures)}))


def test_the_first_one_is_told_if_none_counts() -> None:
    inputs = 'one=("@method" "@path");keyid="other", two=();keyid="proxy"'

    assert refused(sent(**{"signature-input": inputs})) == "key_not_found"


@pytest.mark.parametrize(
    "header",
    ["", "nonsense(", "sig1=5", 'sig1=("@method")', 'sig1=("@method");keyid="k";expires=x'],
)
def test_what_is_no_signature_input_is_refused(header: str) -> None:
    assert refused(sent(**{"signature-input": header})) in (
        "signature_missing",
        "signature_invalid",
    )


def test_a_signature_counts_until_its_own_end() -> None:
    check(expiring(time.time() + 60))

    assert refused(expiring(time.time() - 60)) == "signature_invalid"


def test_another_body_is_refused() -> None:
    assert refused(sent(**{"content-digest": content_digest(b"{}")})) == "digest_mismatch"


class Published:
    """A platform's published profile, which it may change, and how often it was read."""

    def __init__(self, key: Key) -> None:
        self.key, self.reads, self.is_away = key, 0, False

    def fetch(self, _url: str) -> bytes:
        self.reads += 1
        if self.is_away:
            raise Unreachable("It can't be reached.")
        return json.dumps({**local_platforms.platform(), "signing_keys": [self.key.jwk]}).encode()


def new_key() -> Key:
    return Key(ec.generate_private_key(ec.SECP256R1()))


def status_for(key: Key) -> int:
    """Return the status of a question that the platform signs by this key."""
    path, agent = f"/ucp/v1/carts/{UUID(int=7)}", f'profile="{PROFILE}"'
    covered = {
        "@method": "GET",
        "@authority": "testserver",
        "@path": path,
        "ucp-agent": agent,
    }
    headers = {"ucp-agent": agent, **signed_by(key, covered)}
    return Client().get(path, headers=headers).status_code


@pytest.fixture
def published(db: None, monkeypatch: pytest.MonkeyPatch) -> Published:
    found = Published(new_key())
    monkeypatch.setattr(platforms, "fetch", found.fetch)
    return found


def test_a_new_key_of_a_platform_counts_as_soon_as_its_profile_has_it(
    published: Published,
) -> None:
    before = status_for(published.key)
    published.key = new_key()
    at_once = status_for(published.key)
    AgentPlatform.objects.update(fetched_at=Now() - timedelta(minutes=1))
    soon = status_for(published.key)

    assert (before, at_once, soon) == (200, 401, 200)
    assert published.reads == 2


def test_a_key_that_no_profile_has_makes_it_read_seldom_and_takes_nothing_from_it(
    published: Published,
) -> None:
    known = published.key
    status_for(known)
    published.is_away = True
    AgentPlatform.objects.update(fetched_at=Now() - timedelta(minutes=1))

    assert [status_for(new_key()) for _time in range(3)] == [401, 401, 401]
    assert status_for(known) == 200
    assert published.reads == 2
