"""`POST quotes`: what delivery of a basket costs, by all carriers."""

from django.conf import settings
from django.http import HttpRequest
from ninja import Router

from orders.api.client_access import limited_address
from orders.api.problems import Problem
from orders.api.schemas.problems import InvalidOut, ProblemOut
from orders.api.schemas.quotes import MissingOut, QuoteOut, QuotesIn, QuotesOut
from orders.placing.errors import InvalidOrder
from orders.placing.request import RequestedLine, line_errors, merged
from orders.quotes.basket import UnknownProducts, quotes_for
from orders.quotes.limit import TooManyQuestions

router = Router(tags=["Orders"])

_RETRY = {"headers": {"Retry-After": {"schema": {"type": "string"}}}}


@router.post(
    "/quotes",
    response={200: QuotesOut, (400, 413, 415, 429, 503): ProblemOut, 422: InvalidOut},
    summary="Ask what delivery costs",
    openapi_extra={"responses": {429: _RETRY, 503: _RETRY}},
)
def read_quotes(request: HttpRequest, basket: QuotesIn) -> QuotesOut:
    """All carriers are asked at once, for 1.5 s at most: those that are late are `missing`.

    Nothing is reserved or stored. Name `carrier` and `service` of a quote as `delivery` of an
    order within 45 minutes, and it has this price; later it may have another one.
    """
    lines = [RequestedLine(line.sku, line.quantity) for line in basket.lines]
    if errors := line_errors(lines):
        raise InvalidOrder(errors)
    try:
        found = quotes_for(
            address=basket.address.model_dump(),
            quantities=merged(lines),
            counted_address=limited_address(request),
        )
    except UnknownProducts as unknown:
        raise InvalidOrder(line_errors(lines, unknown=unknown.skus)) from None
    except TooManyQuestions as error:
        detail = "Quotes of a basket are kept: ask again only for another one, or wait."
        raise Problem(429, "too_many_quotes", detail, retry_after=error.retry_after) from None
    return QuotesOut(
        quotes=[
            QuoteOut(
                carrier=quote.carrier,
                service=quote.service,
                price=str(quote.price),
                currency=settings.SHOP_CURRENCY,
                days=quote.days,
            )
            for quote in found.quotes
        ],
        missing=[MissingOut(carrier=one.carrier, reason=one.reason) for one in found.missing],
    )
