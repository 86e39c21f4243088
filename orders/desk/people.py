"""A person's data at the desk: its export and the erasure, from the page of a user or of an order.

Each has a permission of its own and a page that asks. The work is a desk job, whose page shows how
it goes and hands out the zip.
"""

from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect
from django.urls import URLPattern, path, reverse
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from unfold.decorators import action

from orders.accounts.roles import may_manage
from orders.models import DeskJob, Order, User
from orders.personal_data.exporting import messages_of
from orders.personal_data.jobs import NotNowRefusal, queue_erasure, queue_export
from orders.personal_data.person import Person, find_person, orders_of, person_of
from orders.personal_data.refusals import refusals
from project.desk.audit_log import record_action
from project.desk.confirming import ReasonForm, confirm_page
from project.email_addresses import readable_address

EXPORT, ERASE = "orders.export_person", "orders.erase_person"
EXPORT_LABEL = gettext_lazy("Export the person's data")
ERASE_LABEL = gettext_lazy("Erase the person")


def export_page(
    request: HttpRequest, person: Person, *, about: Any, opts: Any, back: str
) -> HttpResponseBase:
    """Ask whether the zip shall be made; a POST queues it and leads to its job."""
    if request.method != "POST":
        return confirm_page(
            request,
            title=str(about),
            question=_("Make a file with all that the shop has of this person?"),
            back=back,
            facts=_facts(person),
            sentences=[_("Give it to nobody but this person: see that it is them who asks.")],
            opts=opts,
            original=about,
        )
    job = queue_export(person, user_id=request.user.pk)
    record_action(user_id=request.user.pk, label=EXPORT_LABEL, model=type(about), count=1)
    return _led_to(request, job, back)


def erase_page(
    request: HttpRequest, person: Person, *, about: Any, opts: Any, back: str
) -> HttpResponseBase:
    """Say what goes and what stays, or why not yet; a POST with a reason erases."""
    reasons = refusals(person)
    form = ReasonForm(request.POST if request.method == "POST" else None, is_needed=True)
    if request.method != "POST" or reasons or not form.is_valid():
        return confirm_page(
            request,
            title=str(about),
            question=_("This person can't be erased yet")
            if reasons
            else _("Erase this person? It can't be undone."),
            back=back,
            label="" if reasons else ERASE_LABEL,
            facts=_facts(person),
            sentences=reasons
            or [
                _("Messages, uploads, addresses, the account and log lines are deleted."),
                _("Orders keep amounts, tax, refunds and stock, and name nobody."),
                _("Don't name the person in the reason: it stays."),
            ],
            form=None if reasons else form,
            is_final=True,
            opts=opts,
            original=about,
        )
    try:
        job = queue_erasure(person, user_id=request.user.pk)
    except NotNowRefusal:
        return redirect(request.get_full_path())  # its page says why
    # About no row: an entry about the person's own rows would lose its reason.
    record_action(
        user_id=request.user.pk, label=ERASE_LABEL, model=type(about), count=1, reason=form.typed
    )
    return _led_to(request, job, back)


def _facts(person: Person) -> list[tuple[str | Promise, str]]:
    orders, messages = orders_of(person).count(), messages_of(person).count()
    return [
        (_("e-mail addresses"), ", ".join(map(readable_address, person.emails))),
        (_("accounts"), ", ".join(person.usernames) or "–"),
        (
            _("orders"),
            ngettext("%(count)d order", "%(count)d orders", orders) % {"count": orders},
        ),
        (
            _("messages"),
            ngettext("%(count)d message", "%(count)d messages", messages) % {"count": messages},
        ),
    ]


def _led_to(request: HttpRequest, job: DeskJob, back: str) -> HttpResponseBase:
    if request.user.has_perm("orders.view_deskjob"):
        return redirect("admin:orders_deskjob_change", job.pk)
    return redirect(back)


def _check(request: HttpRequest, permission: str, person: Person) -> None:
    """Raise PermissionDenied without the permission, or if an account can do more than oneself."""
    if not request.user.has_perm(permission):
        raise PermissionDenied
    for user in User.objects.filter(pk__in=person.user_ids):
        if not may_manage(request.user, user):
            raise PermissionDenied


class OrderPersonPages:
    """A mixin of the orders' ModelAdmin: the person of an order, with an account or without."""

    admin_site: Any
    opts: Any

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view
        ours = [
            path(
                "<uuid:order_id>/person/export/",
                view(self.export_person_view),
                name="orders_order_export_person",
            ),
            path(
                "<uuid:order_id>/person/erase/",
                view(self.erase_person_view),
                name="orders_order_erase_person",
            ),
        ]
        return [*ours, *super().get_urls()]  # type: ignore[misc]

    def export_person_view(self, request: HttpRequest, order_id: UUID) -> HttpResponseBase:
        return self._person_page(request, order_id, EXPORT, export_page)

    def erase_person_view(self, request: HttpRequest, order_id: UUID) -> HttpResponseBase:
        return self._person_page(request, order_id, ERASE, erase_page)

    def person_links(self, request: HttpRequest, order: Order) -> dict[str, str]:
        """Return the addresses of the pages that this operator may open, for the order's page."""
        if order.erased_at:
            return {}
        names = {EXPORT: "export_person", ERASE: "erase_person"}
        return {
            f"{name}_url": reverse(f"admin:orders_order_{name}", args=[order.pk])
            for permission, name in names.items()
            if request.user.has_perm(permission)
        }

    def _person_page(
        self,
        request: HttpRequest,
        order_id: UUID,
        permission: str,
        page: Callable[..., HttpResponseBase],
    ) -> HttpResponseBase:
        if not request.user.has_perm(permission):
            raise PermissionDenied
        order = get_object_or_404(Order, pk=order_id, erased_at=None)
        person = person_of(order.user) if order.user else find_person(order.email)
        _check(request, permission, person)
        back = reverse("admin:orders_order_change", args=[order.pk])
        return page(request, person, about=order, opts=self.opts, back=back)


class UserPersonActions:
    """A mixin of the users' ModelAdmin: the buttons of a user's page."""

    opts: Any

    def has_export_person_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        return request.user.has_perm(EXPORT)

    def has_erase_person_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        return request.user.has_perm(ERASE)

    @action(
        description=EXPORT_LABEL,
        url_path="export-person",
        icon="download",
        permissions=["export_person"],
    )
    def export_person(self, request: HttpRequest, object_id: str) -> HttpResponseBase:
        return self._page(request, object_id, EXPORT, export_page)

    @action(
        description=ERASE_LABEL,
        url_path="erase-person",
        icon="person_remove",
        permissions=["erase_person"],
    )
    def erase_person(self, request: HttpRequest, object_id: str) -> HttpResponseBase:
        return self._page(request, object_id, ERASE, erase_page)

    def _page(
        self,
        request: HttpRequest,
        object_id: str,
        permission: str,
        page: Callable[..., HttpResponseBase],
    ) -> HttpResponseBase:
        if not request.user.has_perm(permission):
            raise PermissionDenied
        if not object_id.isdecimal():
            raise Http404
        user = get_object_or_404(User, pk=object_id)
        if not user.email:
            raise Http404  # an operator's account, of which there is nothing else
        person = person_of(user)
        _check(request, permission, person)
        back = reverse("admin:orders_user_change", args=[user.pk])
        return page(request, person, about=user, opts=self.opts, back=back)
