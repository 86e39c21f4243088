"""The shop's ways to pay as payment handlers.

An invoice by transfer and payment at pick-up need nobody: the order is placed, and paid later. A
payment provider needs a person at its page, so the checkout goes on there (`continue_url`). The
simulated bank exists in a local run only.
"""

import re
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings

from orders.agents.versions import VERSION
from orders.models import AgentInstrument
from orders.placing.payment_choice import AT_PICKUP, TRANSFER, offered_methods

MOCK = "mock_payment_handler"
"""The id of the simulated bank's handler, as the protocol's own samples have it."""
_NAME = re.compile(r"^[a-z][a-z0-9]*(?:\.[a-z][a-z0-9_]*)+$")
_ACCEPTED, _DECLINED, _PERSON = "success_token", "fail_token", "escalate_token"
"""The tokens that the simulated bank knows without any instrument in its table."""


@dataclass(frozen=True)
class Handler:
    id: str
    kind: str
    """The last part of its name."""
    instrument: str
    """The type of the instruments that it takes."""
    needs_person: bool = False

    @property
    def name(self) -> str:
        return f"{_authority()}.{self.kind}"

    @property
    def declared(self) -> dict[str, Any]:
        return {
            "id": self.id,
            "version": VERSION,
            "available_instruments": [{"type": self.instrument}],
        }


def handlers(*, is_picked_up: bool = True, needs_person: bool = False) -> list[Handler]:
    """Return the handlers of a checkout that is picked up or delivered.

    Where a person has to finish it anyway, only those are left whose page the person comes to.
    """
    found = [_handler(name) for name in offered_methods(is_picked_up=is_picked_up)]
    if settings.TANDEM_LOCAL:
        found.append(Handler(MOCK, "mock_payment", "card"))
    return [one for one in found if one.needs_person or not needs_person]


def declared_handlers(found: list[Handler] | None = None) -> dict[str, list[dict[str, Any]]]:
    """Return the registry of these handlers; by default of all that the shop has."""
    registry: dict[str, list[dict[str, Any]]] = {}
    for one in handlers() if found is None else found:
        registry.setdefault(one.name, []).append(one.declared)
    return registry


def handler_of(instrument: dict[str, Any], among: list[Handler]) -> Handler | None:
    """Return the handler that the instrument names, if it is offered and takes its type.

    An instrument that names none is that of the only one that takes its type.
    """
    named = instrument.get("handler_id")
    fitting = [one for one in among if one.instrument == instrument.get("type")]
    if named:
        return next((one for one in fitting if one.id == named), None)
    return fitting[0] if len(fitting) == 1 else None


def mock_answer(token: str) -> str:
    """Return what the simulated bank says of a credential: `paid`, `declined` or `person`."""
    if not settings.TANDEM_LOCAL:
        return "declined"
    known = AgentInstrument.objects.filter(token=token).first()
    if known is not None:
        return "declined" if known.declines else "paid"
    return {_ACCEPTED: "paid", _PERSON: "person"}.get(token, "declined")


def _handler(name: str) -> Handler:
    if name == TRANSFER:
        return Handler(TRANSFER, "transfer", "invoice")
    if name == AT_PICKUP:
        return Handler(AT_PICKUP, "pay_at_pickup", "at_pickup")
    return Handler(name, "pay_online", "redirect", needs_person=True)


def _authority() -> str:
    """Return the reversed name of the shop's host, under which its handlers stand."""
    host = (urlsplit(settings.SITE_URL).hostname or "").lower().replace("-", "")
    reversed_name = ".".join(reversed(host.split(".")))
    return reversed_name if _NAME.match(reversed_name) else "local.tandem"
