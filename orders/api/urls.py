"""The API object: routers, OpenAPI documents, and the handlers that turn errors into problems."""

import json
import logging
from typing import Any, cast

from django.conf import settings
from django.core.exceptions import RequestDataTooBig
from django.db import Error, connection
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext_lazy as _
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_safe
from ninja import NinjaAPI, Swagger
from ninja.errors import HttpError, ValidationError
from ninja.operation import Operation

from orders.api import (  # client_orders and the like add to the routers of orders and products
    client_orders,  # noqa: F401
    customers,
    holds,
    jobs,
    order_steps,  # noqa: F401
    orders,
    product_writes,  # noqa: F401
    products,
    quotes,
    stock,
    uploads,
)
from orders.api.client_access import ClientKey
from orders.api.described import with_keys
from orders.api.problems import CONTENT_TYPE, Problem, busy_problem, invalid_problem
from orders.api.strict_json import StrictParser
from orders.placing.errors import (
    DeliveryChanged,
    InvalidOrder,
    KeyReused,
    OrderLimited,
    OutcomeUnknown,
    OutOfStock,
    PlacementError,
    ShopBusy,
    TotalChanged,
    VoucherRefused,
)
from orders.vouchers.wording import refusal_in_words
from project.conf.media_storage import StorageDownError
from project.database.errors import dropped_if_lost

logger = logging.getLogger(__name__)

MAX_ERRORS = 100
MAX_FIELD_LENGTH = 200

_WHOLE_NUMBER, _OBJECT = _("Use a whole number."), _("Send an object.")
_TRUTH, _AMOUNT = _("Use true or false."), _("Use an amount, like 12.30.")
_TIME = _("Write it as 2026-05-04, a moment as 2026-05-04T09:00:00Z.")
_MESSAGES = {
    "missing": _("This field is required."),
    "extra_forbidden": _("There is no such field."),
    **dict.fromkeys(("int_type", "int_parsing", "int_from_float"), _WHOLE_NUMBER),
    **dict.fromkeys(("model_type", "model_attributes_type", "dict_type"), _OBJECT),
    "list_type": _("Send a list."),
    "string_type": _("Use a text."),
    **dict.fromkeys(("bool_type", "bool_parsing"), _TRUTH),
    **dict.fromkeys(("uuid_type", "uuid_parsing"), _("Use an id, as an answer has it.")),
    **dict.fromkeys(("literal_error", "enum"), _("Use one of these: %(expected)s.")),
    "greater_than_equal": _("Use at least %(ge)s."),
    "less_than_equal": _("Use at most %(le)s."),
    **dict.fromkeys(("decimal_parsing", "decimal_type", "finite_number"), _AMOUNT),
    **dict.fromkeys(
        ("date_parsing", "date_from_datetime_parsing", "datetime_parsing", "timezone_aware"), _TIME
    ),
    "datetime_from_date_parsing": _TIME,
    "too_short": _("Give at least %(min_length)d."),
    "too_long": _("Give at most %(max_length)d."),
    "string_pattern_mismatch": _("Use two decimal places, like 12.30."),
    "string_unicode": _("Remove the characters that can't be printed."),
}


_LIMITED = {
    "address": "too many orders came from this network address",
    "email": "too many orders have this e-mail address",
    "phone": "too many orders have this phone number",
    "session": "too many orders came from this session",
    "all": "the shop gets more orders than it takes in such a time",
}


class ShopAPI(NinjaAPI):
    def get_openapi_operation_id(self, operation: Operation) -> str:
        """Return the operation's id: generated clients use it as the method's name."""
        return operation.view_func.__name__

    def get_openapi_schema(self, **options: Any) -> Any:
        """Return the schema, in which errors are problems too."""
        schema = super().get_openapi_schema(**options)
        for path_item in schema["paths"].values():
            for operation in path_item.values():
                for status, answer in operation["responses"].items():
                    if status >= 400 and (content := answer.get("content")):
                        content[CONTENT_TYPE] = content.pop("application/json")
        return with_keys(schema, self._scopes())

    def _scopes(self) -> dict[str, str]:
        """Return the scope of each operation that needs one, by the operation's id."""
        return {
            self.get_openapi_operation_id(operation): auth.scope
            for _prefix, router in self._routers
            for path_view in router.path_operations.values()
            for operation in path_view.operations
            for auth in operation.auth_callbacks
            if isinstance(auth, ClientKey)
        }


class Docs(Swagger):
    """ninja's Swagger UI from the shop's static files, on a page that fits a phone."""

    def render_page(self, request: HttpRequest, api: NinjaAPI, **kwargs: Any) -> HttpResponse:
        """Render it without ninja as an installed app, which each worker would load."""
        options = self.settings | {"url": self.get_openapi_url(api, kwargs)}
        context = {"api": api, "swagger_settings": json.dumps(options)}
        return render(request, "api/docs.html", context)


api = ShopAPI(
    title=f"{settings.SHOP_NAME} API",
    version="1",
    description="Products, and orders that are placed once however often they are sent.",
    urls_namespace="api",
    parser=StrictParser(),
    docs=Docs(),
)
api.add_router("", products.router)
api.add_router("", quotes.router)
api.add_router("", holds.router)
api.add_router("", orders.router)
api.add_router("", uploads.router)
api.add_router("", stock.router)
api.add_router("", customers.router)
api.add_router("", jobs.router)


@api.exception_handler(Problem)
def _problem(request: HttpRequest, error: Problem) -> HttpResponse:
    return error.response()


@api.exception_handler(HttpError)
def _unreadable(request: HttpRequest, error: HttpError) -> HttpResponse:
    """Return the parser's problem, which ninja has wrapped in an HttpError."""
    if isinstance(error.__cause__, Problem):
        return error.__cause__.response()
    return Problem(400, "bad_request", str(error)).response()


@api.exception_handler(RequestDataTooBig)
def _too_large(request: HttpRequest, error: RequestDataTooBig) -> HttpResponse:
    detail = f"Send at most {settings.DATA_UPLOAD_MAX_MEMORY_SIZE} bytes."
    if request.content_type == "multipart/form-data":
        detail = "Send a smaller file."
    return Problem(413, "too_large", detail).response()


@api.exception_handler(ValidationError)
def _invalid(request: HttpRequest, error: ValidationError) -> HttpResponse:
    return invalid_problem(
        [
            {
                "field": _field(item["loc"]),
                "message": _message(item),
            }
            for item in error.errors[:MAX_ERRORS]
        ]
    ).response()


def _message(error: dict[str, Any]) -> str:
    """Return the shop's text for the error, if it has one, else pydantic's."""
    ours = _MESSAGES.get(error["type"])
    return error["msg"] if ours is None else str(ours) % error.get("ctx", {})


def _field(location: tuple[str | int, ...]) -> str:
    """Return the field's path as clients know it: `lines.0.quantity`, `Idempotency-Key`."""
    source, *parts = location
    if source == "body":
        parts = parts[1:]  # the name of the function's argument
    return ".".join(str(part) for part in parts)[:MAX_FIELD_LENGTH]


@api.exception_handler(PlacementError)
def _not_placed(request: HttpRequest, error: PlacementError) -> HttpResponse:
    return _placement_problem(error).response()


def _placement_problem(error: PlacementError) -> Problem:
    match error:
        case InvalidOrder(errors):
            return invalid_problem([vars(item) for item in errors])
        case KeyReused():
            # The answer must not reveal the other order's id.
            detail = "Choose another Idempotency-Key for another order or hold."
            return Problem(409, "key_reused", detail)
        case OutOfStock(items):
            names = ", ".join(f"{item.sku}: {item.available} left" for item in items)
            shortages = [
                {"sku": item.sku, "requested": item.requested, "available": item.available}
                for item in items
            ]
            return Problem(409, "out_of_stock", f"{names}.", items=shortages)
        case VoucherRefused(reason, _code, amount):
            least: dict[str, Any] = {} if amount is None else {"minimum": str(amount)}
            return Problem(409, "voucher_refused", refusal_in_words(error), reason=reason, **least)
        case DeliveryChanged(reason):
            detail = " ".join(filter(None, [reason, "Ask for quotes again and choose one."]))
            return Problem(409, "delivery_changed", detail, reason=reason)
        case TotalChanged(total):
            return Problem(409, "total_changed", f"It is {total} now.", total=str(total))
        case OrderLimited(limit, retry_after):
            detail = f"Nothing was placed: {_LIMITED[limit]}. Repeat the request later."
            return Problem(429, "limited", detail, retry_after=retry_after, limit=limit)
        case ShopBusy(retry_after):
            return busy_problem(retry_after=retry_after)
        case OutcomeUnknown(order_id):
            detail = "Repeat the request with the same key: it is safe, and tells."
            status_url = settings.SITE_URL + reverse("order", args=[order_id])
            return Problem(503, "outcome_unknown", detail, status_url=status_url)
        case _:
            detail = "Nothing was placed. The same key may be used again."
            return Problem(500, "placement_failed", detail)


@api.exception_handler(Error)
@api.exception_handler(StorageDownError)
def _away(request: HttpRequest, error: Error | StorageDownError) -> HttpResponse:
    if not isinstance(error, StorageDownError) and not dropped_if_lost(error, connection):
        raise error
    logger.warning("%s without the database or the storage", request.path, exc_info=error)
    return Problem(503, "busy", "Repeat the request in a moment.").response()


_patterns, _app, _namespace = api.urls
_OPEN_TO_ANY_METHOD = ("openapi-json", "openapi-view", "api-root")
"""Pages of ninja's own, which would answer a DELETE like a GET. They change nothing, so a POST
without a CSRF token is told that it is the wrong method."""
for _pattern in _patterns:
    if isinstance(_pattern, URLPattern) and _pattern.name in _OPEN_TO_ANY_METHOD:
        _pattern.callback = csrf_exempt(require_safe(cast("Any", _pattern.callback)))

urlpatterns = [path("v1/", (_patterns, _app, _namespace))]
