"""What the page of a new order holds, as forms: read, made a request, and given its refusals."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal

from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from orders.accounts.history import account_of
from orders.desk.new_order.delivery import ShownQuote, shown_quotes
from orders.desk.new_order.forms import CustomerForm
from orders.desk.new_order.lines import LineForm, line_forms, read_rows, sum_up
from orders.models import Order
from orders.placing.by_operator import ByOperator
from orders.placing.errors import FieldError, Shortage
from orders.placing.request import OrderRequest
from orders.shop.delivery import NOT_ASKED, DeliveryOffer
from orders.shop.voucher import ShownVoucher, shown_voucher
from orders.vouchers.discount import plain_code


@dataclass
class Held:
    """What the page holds."""

    customer: CustomerForm
    lines: list[LineForm]
    seen: Mapping[str, str] = field(default_factory=dict)
    """The form that was sent to be placed: the delivery prices that its page showed."""
    offer: DeliveryOffer = NOT_ASKED

    def __post_init__(self) -> None:
        self.summary = sum_up(self.lines)
        self.summary = replace(self.summary, voucher=self._shown_voucher())
        """What it costs; a line that the placement refuses afterwards still counts."""
        self._counted = [line.requested() for line in self.lines if line.is_valid()]

    @classmethod
    def sent(cls, request: HttpRequest) -> "Held":
        """Return what the page sent, to be placed."""
        sent = request.POST
        return cls(CustomerForm(sent), line_forms(read_rows(sent)), seen=sent.dict())

    def ask_carriers(self) -> None:
        """Have the carriers quote, and count the chosen quote. It may take 1.5 s."""
        self.offer = self.customer.offer(self._counted)
        self.summary = replace(self.summary, delivery=self.offer.chosen)

    @property
    def quotes(self) -> list[ShownQuote]:
        return list(shown_quotes(self.offer, seen=self.seen))

    def _shown_voucher(self) -> ShownVoucher:
        typed = self.customer["voucher"].value() or ""
        return shown_voucher(typed, [line.discounted for line in self.summary.lines])

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
            address=self.customer.address,
            lines=tuple(line.requested() for line in self.lines),
            user_id=account_of(values["email"]),
            delivery=self.customer.chosen_delivery(),
            voucher=plain_code(values["voucher"]),
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
