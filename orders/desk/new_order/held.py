"""What the page of a new order holds, as forms: read, made a request, and given its refusals."""

from dataclasses import dataclass
from decimal import Decimal, InvalidOperation

from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from orders.accounts.fields import ADDRESS_FIELDS
from orders.accounts.history import account_of
from orders.desk.new_order.forms import CustomerForm
from orders.desk.new_order.lines import LineForm, line_forms, read_rows, sum_up
from orders.models import Order
from orders.placing.by_operator import ByOperator
from orders.placing.errors import FieldError, Shortage
from orders.placing.request import OrderRequest


@dataclass
class Held:
    """What the page holds."""

    customer: CustomerForm
    lines: list[LineForm]

    def __post_init__(self) -> None:
        self.summary = sum_up(self.lines)
        """What it costs; a line that the placement refuses afterwards still counts."""

    @classmethod
    def sent(cls, request: HttpRequest) -> "Held":
        """Return what the page sent, to be placed."""
        return cls(CustomerForm(request.POST), line_forms(read_rows(request.POST)))

    def is_right(self) -> bool:
        """Tell whether it can be placed as far as the forms know; each then has its errors."""
        forms = [self.customer, *self.lines]
        return bool(self.lines) and len([form for form in forms if form.is_valid()]) == len(forms)

    def request(
        self, *, key: str, user_id: int | None, expected_total: Decimal | None
    ) -> OrderRequest:
        """Return the order request of valid forms; `user_id` is the operator's."""
        values = self.customer.cleaned_data
        prices = {line.cleaned_data["sku"]: line.by_hand() for line in self.lines}
        return OrderRequest(
            source=Order.Source.DESK,
            key=key,
            name=values["name"],
            email=values["email"],
            phone=values["phone"],
            language=values["language"],
            address={name: values[name] for name in ADDRESS_FIELDS if values[name]},
            lines=tuple(line.requested() for line in self.lines),
            user_id=account_of(values["email"]),
            expected_total=expected_total,
            operator=ByOperator(
                user_id=user_id,
                prices={sku: by_hand for sku, by_hand in prices.items() if by_hand},
            ),
        )

    def refuse(self, error: FieldError) -> str:
        """Show an error of the placement at its field; return its text if the page has no field."""
        first, _dot, rest = error.field.partition(".")
        position, _dot, name = rest.partition(".")
        if first == "lines" and position.isdecimal() and int(position) < len(self.lines):
            line = self.lines[int(position)]
            line.add_error(name if name in ("quantity", "price") else None, error.message)
            return ""
        field = rest if first == "address" else first
        if field in self.customer.fields:
            self.customer.add_error(field, error.message)
            return ""
        return error.message

    def show_shortage(self, item: Shortage) -> None:
        """Show at the product's quantity how many units there are."""
        line = next(line for line in self.lines if line.typed_sku == item.sku)
        left = item.available
        text = ngettext("Only %(count)d is left.", "Only %(count)d are left.", left)
        line.add_error("quantity", text % {"count": left} if left else _("Sold out."))


def read_amount(text: str) -> Decimal | None:
    """Return the amount; None if the text is none."""
    try:
        amount = Decimal(text)
    except InvalidOperation:
        return None
    return amount if amount.is_finite() else None
