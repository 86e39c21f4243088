"""The pages that must cost the same in any shop: those of the desk's lists, and a shopper's."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta

from django.db.models import Max
from django.utils import timezone

from notifications.desk.errors import frequent_errors
from orders.models import Order, Product


@dataclass(frozen=True)
class Page:
    """A page by its address. `{number}`, `{email}` … stand for those of a sample order."""

    what: str
    path: str
    query: dict[str, str] = field(default_factory=dict)
    is_of_words: bool = False
    """Whether it searches for words of names."""


Queries = dict[str, dict[str, str]]

LISTS: dict[str, tuple[str, Queries]] = {
    "orders": (
        "orders/order",
        {
            "by number": {"o": "1"},
            "oldest first": {"o": "5"},
            "status placed": {"status__exact": "placed"},
            "status shipped": {"status__exact": "shipped"},
            "status refunded": {"status__exact": "refunded"},
            "by the API": {"door__exact": "api"},
            "jobs need attention": {"jobs": "trouble"},
            "jobs going on": {"jobs": "open"},
            "unpaid": {"payment": "none"},
            "paid in part": {"payment": "part"},
            "bounced address": {"address": "troubled"},
            "one day": {"placed_at_from": "{day}", "placed_at_to": "{day}"},
            "number": {"q": "T{number}"},
            "id": {"q": "{id}"},
            "e-mail": {"q": "{email}"},
            "phone": {"q": "{phone}"},
            "words: name": {"q": "{name}"},
            "words: beginning": {"q": "{beginning}"},
            "words: Chinese": {"q": "王芳"},
            "words: nobody": {"q": "xyzzy"},
        },
    ),
    "messages": (
        "notifications/notification",
        {
            "status failed": {"status__exact": "failed"},
            "status running": {"status__exact": "running"},
            "status done": {"status__exact": "done"},
            "SMS": {"channel__exact": "sms"},
            "e-mail": {"channel__exact": "email"},
            "bounced": {"delivery__exact": "bounced"},
            "delivered": {"delivery__exact": "delivered"},
            "same error": {"error": "{error}"},
            "maybe twice": {"maybe_duplicate__exact": "1"},
            "event order_placed": {"event": "order_placed"},
            "event daily_report": {"event": "daily_report"},
            "this week": {"created_at__gte": "{week}"},
            "number": {"q": "T{number}"},
            "id": {"q": "{id}"},
            "recipient": {"q": "{email}"},
            "words: error": {"q": "mailbox"},
        },
    ),
    "media jobs": (
        "media_jobs/mediajob",
        {
            "status failed": {"status__exact": "failed"},
            "status done": {"status__exact": "done"},
            "recipe product": {"recipe": "product"},
            "recipe pickup_pass": {"recipe": "pickup_pass"},
            "number": {"q": "T{number}"},
            "id": {"q": "{id}"},
            "source": {"q": "order:{id}"},
            "words: error": {"q": "no font"},
        },
    ),
    "movements": (
        "orders/stockmovement",
        {
            "corrections": {"kind__exact": "correction"},
            "orders": {"kind__exact": "order"},
            "cancellations": {"kind__exact": "cancel"},
            "one day": {"created_at_from": "{day}", "created_at_to": "{day}"},
            "SKU": {"q": "{sku}"},
            "number": {"q": "T{number}"},
            "words: reason": {"q": "delivery"},
        },
    ),
    "task results": (
        "django_celery_results/taskresult",
        {
            "successes": {"status": "SUCCESS"},
            "failures": {"status": "FAILURE"},
            "messages": {"task_name": "notifications.tasks.send"},
            "audits": {"task_name": "project.tasks.audit"},
            "id": {"q": "{id}"},
        },
    ),
    "users": (
        "orders/user",
        {
            "staff": {"is_staff__exact": "1"},
            "e-mail": {"q": "{email}"},
            "words: name": {"q": "{name}"},
        },
    ),
    "addresses": ("account/emailaddress", {"e-mail": {"q": "{email}"}}),
    "desk jobs": ("orders/deskjob", {"status failed": {"status__exact": "failed"}}),
    "audits": ("project/auditrun", {"drift": {"is_clean__exact": "0"}}),
    "counted keys": ("project/limitcounter", {"at the limit": {"state": "blocked"}}),
    "failed logins": ("axes/accessattempt", {"name": {"q": "{email}"}}),
}


def list_pages() -> Iterator[Page]:
    """Yield each list's first and last page, and the first of each filter and search."""
    for name, (path, queries) in LISTS.items():
        for words, query in {"first page": {}, "last page": {"p": "last"}, **queries}.items():
            is_of_words = words.startswith("words: ")
            yield Page(f"{name}: {words}", f"/admin/{path}/", query, is_of_words)


SHOP_PAGES = (
    Page("shop: first page", "/"),
    Page("shop: product", "/products/{slug}/"),
    Page("API: products", "/api/v1/products"),
    Page("API: search", "/api/v1/products", {"search": "{beginning}"}),
    Page("API: order", "/api/v1/orders/{id}"),
    Page("desk: order", "/admin/orders/order/{id}/change/"),
)


def sample_order() -> dict[str, str]:
    """Return what stands for the placeholders: of an order in the middle of all."""
    last = Order.objects.aggregate(last=Max("number"))["last"]
    nearby = Order.objects.filter(number__lte=last).order_by("-number")
    middle = nearby[0].number - Order.objects.count() // 2
    order = nearby.exclude(phone="").filter(number__lte=middle, name__contains=" ")[0]
    product = Product.objects.filter(is_active=True, order_lines__isnull=False).order_by("pk")[0]
    first, *_others, surname = order.name.split()
    return {
        "number": str(order.number),
        "id": str(order.pk),
        "email": order.email,
        "phone": order.phone,
        "name": f"{first} {surname}",
        "beginning": surname[:3],
        "sku": product.sku,
        "slug": product.slug,
        "day": f"{order.placed_at:%Y-%m-%d}",
        "week": f"{timezone.now() - timedelta(days=7):%Y-%m-%d} 00:00:00+00:00",
        "error": _frequent_error(),
    }


def _frequent_error() -> str:
    return next((error for error, _count in frequent_errors(1)), "none")
