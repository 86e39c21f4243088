"""`POST orders`: placing an order, and the answer that follows it.

`client_orders` reads one by its id or number.
"""

from collections.abc import Iterable
from decimal import Decimal
from typing import Annotated, Any
from uuid import UUID

from django.conf import settings
from django.contrib.postgres.expressions import ArraySubquery
from django.db import Error, connection
from django.db.models import CharField, F, OuterRef, Value
from django.db.models.functions import JSONObject
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from ninja import Header, Router, Status

from orders.api.client_access import limited_address
from orders.api.job_errors import error_code
from orders.api.schemas.fields import IdempotencyKey
from orders.api.schemas.order import (
    DeliveryOut,
    JobOut,
    LineOut,
    LineUpload,
    OrderOut,
    PaymentOut,
    ReturnLineOut,
    ReturnOut,
    TaxOut,
)
from orders.api.schemas.placing import OrderIn
from orders.api.schemas.problems import (
    ConflictOut,
    InvalidOut,
    LimitedOut,
    ProblemOut,
    UnavailableOut,
)
from orders.lifecycle.payouts import balance_of
from orders.lifecycle.return_units import MAY_HAVE_RETURNS
from orders.models import Order, OrderLine, ReturnLine, Upload
from orders.payments.methods import open_methods
from orders.placing.draft import Draft, DraftLine
from orders.placing.errors import OutcomeUnknown
from orders.placing.placement import place_order
from orders.placing.synthetic import RUN_HEADER, is_synthetic
from orders.taxes.splitting import order_taxes
from project.database.errors import dropped_if_lost
from project.jobs.model import Job, models_of_orders

router = Router(tags=["Orders"])

_UPLOADS = Upload.objects.filter(line=OuterRef("pk")).values(
    row=JSONObject(token=F("token"), quantity=F("quantity"))
)
_TEXT = {"schema": {"type": "string"}}


@router.post(
    "/orders",
    response={
        201: OrderOut,
        200: OrderOut,
        (400, 413, 415, 500): ProblemOut,
        409: ConflictOut,
        422: InvalidOut,
        429: LimitedOut,
        503: UnavailableOut,
    },
    summary="Place an order",
    openapi_extra={
        "responses": {
            201: {"headers": {"Location": _TEXT}},
            200: {
                "description": "The order was placed before, by the same key.",
                "headers": {"Idempotent-Replayed": _TEXT},
            },
            429: {"headers": {"Retry-After": _TEXT}},
            503: {"headers": {"Retry-After": _TEXT}},
        }
    },
)
def create_order(
    request: HttpRequest,
    response: HttpResponse,
    order: OrderIn,
    key: Annotated[IdempotencyKey, Header(alias="Idempotency-Key")],
) -> Status[OrderOut]:
    """Take the stock and queue the messages: all of the order or nothing.

    Repeat a request with the same `Idempotency-Key` as often as you like: it is one order.
    """
    placement = place_order(
        order.request(
            key=key,
            counted_address=limited_address(request),
            is_synthetic=is_synthetic(request.headers.get(RUN_HEADER, "")),
        )
    )
    if placement.draft is not None:
        path = reverse("api:read_order", args=[placement.order.pk])
        response["Location"] = settings.SITE_URL + path
        return Status(201, _answer_new(placement.draft))
    try:
        answer = answer_now(placement.order)
    except Error as error:
        # The order is placed. "Busy" would mean that it isn't, and a 500 that it failed.
        dropped_if_lost(error, connection)
        raise OutcomeUnknown(placement.order.pk) from error
    response["Idempotent-Replayed"] = "true"
    return Status(200, answer)


def answer_now(order: Order) -> OrderOut:
    """Return the order as it is now, in three queries, a sent one in four."""
    balance = balance_of(order)
    rows = order.lines.annotate(taken=ArraySubquery(_UPLOADS))
    lines = [_line(line, [LineUpload(**upload) for upload in line.taken]) for line in rows]
    jobs = [_job(**row) for row in jobs_of(order.pk)]
    taxes, returns = _taxes(order, rows), _returns(order)
    return _order_out(
        order, lines, jobs, taxes, paid=balance.paid, due=balance.due, returns=returns
    )


def _answer_new(draft: Draft) -> OrderOut:
    """Return an order as it was just written, without a query. Nothing was paid yet."""
    order = draft.order
    uploads: dict[int, list[LineUpload]] = {}
    for part in draft.uploads:
        taken = LineUpload(token=part.token, quantity=part.quantity)
        uploads.setdefault(part.product_id, []).append(taken)
    lines = [_line(line, uploads.get(line.product_id, [])) for line in draft.lines]
    jobs = sorted(map(_new_job, draft.jobs), key=lambda job: (job.app, job.kind))
    taxes = _taxes(order, draft.lines)
    return _order_out(order, lines, jobs, taxes, paid=Decimal("0.00"), due=order.total, returns=[])


def _line(line: OrderLine | DraftLine, uploads: list[LineUpload]) -> LineOut:
    return LineOut.model_construct(
        sku=line.sku,
        name=line.name,
        quantity=line.quantity,
        unit_price=str(line.unit_price),
        total=str(line.total),
        uploads=uploads,
    )


def _job(*, status: str, lost: int, error: str, **row: Any) -> JobOut:
    code = error_code(status=status, lost=lost, error=error)
    return JobOut.model_construct(status=status, error=code.value, **row)


def _taxes(order: Order, lines: Iterable[OrderLine | DraftLine]) -> list[TaxOut]:
    return [
        TaxOut.model_construct(rate=part.percent, net=str(part.net), tax=str(part.tax))
        for part in order_taxes(order, lines)
    ]


def _returns(order: Order) -> list[ReturnOut]:
    """Return the order's returns with their lines, in one query; none of one that wasn't sent."""
    if order.status not in MAY_HAVE_RETURNS:
        return []
    lines = ReturnLine.objects.filter(of_return=OuterRef("pk")).order_by("pk")
    row = JSONObject(sku=F("line__sku"), quantity=F("quantity"), received=F("received"))
    return [
        ReturnOut.model_construct(
            id=each.pk,
            status=each.status,
            requested_at=each.requested_at,
            answer=each.answer,
            lines=[ReturnLineOut(**units) for units in each.units],
        )
        for each in order.returns.annotate(units=ArraySubquery(lines.values(row=row)))
    ]


def _new_job(job: Job) -> JobOut:
    return JobOut.model_construct(**{name: getattr(job, name) for name in JobOut.model_fields})


def _order_out(
    order: Order,
    lines: list[LineOut],
    jobs: list[JobOut],
    taxes: list[TaxOut],
    *,
    paid: Decimal,
    due: Decimal,
    returns: list[ReturnOut],
) -> OrderOut:
    return OrderOut.model_construct(
        id=order.pk,
        number=order.display_number,
        status=order.status,
        delivery_total=str(order.delivery_total),
        delivery=DeliveryOut(**order.delivery) if order.delivery else None,
        discount_total=str(order.discount_total),
        voucher=order.voucher_code,
        total=str(order.total),
        taxes=taxes,
        payment=PaymentOut.model_construct(
            due=f"{due:.2f}",
            paid=f"{paid:.2f}",
            method=order.payment_method,
            methods=[method.name for method in open_methods(order, due=due)],
        ),
        currency=order.currency,
        lines=lines,
        status_url=settings.SITE_URL + order.get_absolute_url(),
        returns=returns,
        jobs=jobs,
    )


def jobs_of(order_id: UUID) -> list[dict[str, Any]]:
    """Return the order's jobs of every kind in the order of queueing, in one query."""
    columns = ["lost", *(name for name in JobOut.model_fields if name != "app")]
    first, *others = (
        model.objects.filter(order_id=order_id)
        .order_by()
        .values(*columns, "created_at", app=Value(model.app, CharField()))
        for model in models_of_orders()
    )
    return list(first.union(*others, all=True).order_by("created_at", "app", "kind"))
