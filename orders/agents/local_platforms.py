"""Platforms that a local run knows, so that agents and test suites can shop without the internet.

Nobody has them in production. Those of `platform.test` (RFC 6761) are what a shop may meet: an old
version, other capabilities, no profile, and one that signs.
"""

from typing import Any

from orders.agents.versions import CAPABILITIES, SERVICE, VERSION, declared, service

SUITE = "https://spck.dev/agent"
"""The profile that the package spck-conformance names; nothing of it is fetched."""
CONTACT = "agents@example.org"
"""Where the confirmations of the suite's orders go, which have no buyer."""


def local_platforms() -> dict[str, tuple[Any, str]]:
    """Return document and contact of each of them, by the address of the profile."""
    return {
        SUITE: (platform(), CONTACT),
        "https://platform.test/agent": (platform(), ""),
        "https://platform.test/signing": ({**platform(), "signing_keys": _KEYS}, ""),
        "https://platform.test/old": (platform(version="2025-01-01"), ""),
        "https://platform.test/other": (platform(capabilities=["com.example.shopping.x"]), ""),
        "https://platform.test/malformed": (["no profile"], ""),
    }


def platform(*, version: str = VERSION, capabilities: list[str] | None = None) -> dict[str, Any]:
    """Return a platform's profile; by default it can all that the shop can."""
    names = list(CAPABILITIES) if capabilities is None else capabilities
    known = declared()
    return {
        "ucp": {
            "version": version,
            "services": {SERVICE: [service("rest", "https://platform.test/agent")]},
            "capabilities": {name: known.get(name, [{"version": version}]) for name in names},
            "payment_handlers": {},
        },
        "signing_keys": [],
    }


_KEYS = [
    {
        "kid": "platform-2026",
        "kty": "EC",
        "crv": "P-256",
        "use": "sig",
        "x": "VCjIZ3l4EEdoQIIZ-H_zdrdTr1TcdyfDlR3F7921yOM",
        "y": "q54EOpZz_goV-M7EY9hI05JLYOqWiHX3mU-YSx1N_lw",
    },
    {
        "kid": "platform-2025",
        "kty": "EC",
        "crv": "P-256",
        "use": "sig",
        "x": "dl6mAgVk-M0NrvluorrlnY4oz_Ye38SV3tYW4rYD9Rk",
        "y": "ho8iFKWQ3mfQwlFcROcfmuGbqkSWglaDqQTyZcVWwQc",
    },
    {
        "kid": "platform-ed25519",
        "kty": "OKP",
        "crv": "Ed25519",
        "use": "sig",
        "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo",
    },
]
"""Their private parts are in tests/agents/merchant.json. The last one is of RFC 8037, A.2: the
protocol has no such algorithm."""
