"""`GET customers` and `GET customers/<id>`: the accounts of shoppers, for an API client.

Guests have no account: the list of orders has their persons.
"""

from django.db.models import Count, QuerySet
from django.db.models.functions import Lower
from django.http import HttpRequest
from ninja import Query, Router

from orders.api.client_access import ClientKey
from orders.api.pages import cursor_of, read_rows, refuse_unknown
from orders.api.problems import Problem
from orders.api.schemas.customers import AddressOut, CustomerFilters, CustomerOut, CustomerPage
from orders.api.schemas.problems import InvalidOut, ProblemOut
from orders.clients.scopes import CUSTOMERS_READ
from orders.models import Order, User

router = Router(tags=["Customers"])

MOST_ID = 2**63 - 1


@router.get(
    "/customers",
    response={200: CustomerPage, 422: InvalidOut},
    auth=ClientKey(CUSTOMERS_READ),
    summary="List customers with an account",
)
def list_customers(request: HttpRequest, filters: Query[CustomerFilters]) -> CustomerPage:
    """Accounts of shoppers; staff and API clients are none."""
    refuse_unknown(request, filters)
    users = _customers().order_by("id")
    if filters.email:
        users = users.alias(small=Lower("email")).filter(small=filters.email.lower())
    page = read_rows(users, cursor=filters.cursor, size=filters.limit)
    return CustomerPage(items=_answers(page.rows), next=cursor_of(page.next))


@router.get(
    "/customers/{customer_id}",
    response={200: CustomerOut, 404: ProblemOut, 422: InvalidOut},
    auth=ClientKey(CUSTOMERS_READ),
    summary="Read a customer",
)
def read_customer(request: HttpRequest, customer_id: int) -> CustomerOut:
    """An account by its id."""
    known = 0 < customer_id <= MOST_ID
    user = _customers().filter(pk=customer_id).first() if known else None
    if user is None:
        raise Problem(404, "not_found", "There is no such customer.")
    return _answers([user])[0]


def _customers() -> QuerySet[User]:
    return User.objects.filter(is_staff=False, is_superuser=False, api_client=None)


def _answers(users: list[User]) -> list[CustomerOut]:
    """Return the customers, their addresses and numbers of orders by one query each."""
    ids = [user.pk for user in users]
    orders = Order.objects.filter(user__in=ids).order_by()
    counts = dict(orders.values_list("user").annotate(count=Count("pk")))
    addresses: dict[int, list[AddressOut]] = {pk: [] for pk in ids}
    for user in User.objects.filter(pk__in=ids).prefetch_related("addresses"):
        addresses[user.pk] = [
            AddressOut(
                line1=address.line1,
                line2=address.line2,
                postcode=address.postcode,
                city=address.city,
                region=address.region,
                country=address.country,
                is_default=address.is_default,
            )
            for address in user.addresses.all()
        ]
    return [
        CustomerOut(
            id=user.pk,
            name=user.name,
            email=user.email,
            phone=user.phone,
            language=user.language,
            wants_announcements=user.wants_announcements,
            is_active=user.is_active,
            joined_at=user.date_joined,
            orders=counts.get(user.pk, 0),
            addresses=addresses[user.pk],
        )
        for user in users
    ]
