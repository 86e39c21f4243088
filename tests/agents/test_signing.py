"""Signatures of platforms: what is signed by a key of the profile counts, and nothing else."""

import base64
import time
from collections.abc import Mapping
from typing import Any

import pytest

from orders.agents.errors import ProtocolError
from orders.agents.signing import content_digest, own_keys, signed, verify

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


def expiring(at: float) -> dict[str, str]:
    """Return the headers of a request whose signature says when it ends."""
    key = own_keys()[0]
    parameters = f'("@method" "@path");keyid="{key.jwk["kid"]}";expires={int(at)}'
    lines = [*(f'"{name}": {value}' for name, value in COVERED.items())]
    base = "\n".join([*lines, f'"@signature-params": {parameters}'])
    signature = base64.b64encode(key.sign(base.encode())).decode()
    return {"signature-input": f"sig1={parameters}", "signature": f"sig1=:{signature}:"}


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
