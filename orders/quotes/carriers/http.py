"""Any carrier that answers a JSON POST with quotes: docs/quotes.md has the contract.

The address is the operator's own setting, so it may lead anywhere. `https://user:password@…` is
sent as basic authentication. The request has no name and no street of the shopper.
"""

import json
from urllib.parse import urlsplit

from django.conf import settings

from notifications.channels import http
from notifications.channels.answer import read_json
from notifications.channels.deadline import Deadline
from orders.quotes.carrier import Answer, CarrierError, UnreadableAnswerError
from orders.quotes.parcel import Parcel
from orders.quotes.sense import sensible
from project.conf.urls import without_secrets
from project.jobs.errors import JobError


class HttpCarrier:
    is_remote = True
    needs_address = True
    days = None

    def __init__(self, name: str, url: str) -> None:
        self.name, self.url = name, url

    def ask(self, parcel: Parcel, deadline: Deadline) -> Answer:
        """Send the parcel and read the quotes. A repeat has the same Idempotency-Key."""
        url = urlsplit(self.url)
        try:
            answer = http.post(
                url,
                target=http.target(url),
                body=json.dumps(request_body(parcel)).encode(),
                headers=http.json_headers(url, key=str(parcel.key(self.name))),
                deadline=deadline,
                whom=f"carrier {self.name}",
            )
        except JobError as error:
            if not deadline.leaves(0):
                raise TimeoutError from None
            raise CarrierError(without_secrets(str(error), self.url)) from None
        if answer.status != 200:
            raise CarrierError(without_secrets(answer.words, self.url))
        said = read_json(answer.body)
        quotes = said.get("quotes") if isinstance(said, dict) else None
        if not isinstance(quotes, list):
            raise UnreadableAnswerError(without_secrets(answer.words, self.url))
        return sensible(self.name, quotes)


def request_body(parcel: Parcel) -> dict[str, object]:
    return {
        "address": {
            "country": parcel.country,
            "postcode": parcel.postcode,
            "city": parcel.city,
        },
        "lines": [
            {"sku": item.sku, "quantity": item.quantity, "weight": item.weight}
            for item in parcel.items
        ],
        "weight": parcel.weight,
        "currency": settings.SHOP_CURRENCY,
    }
