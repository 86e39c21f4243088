"""The roles of the desk: one table, which `apply_roles` writes into groups after each migrate.

A role never loses a permission that an operator gave it by hand, and gets back each of its own.
docs/roles.md has the table in words.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.contrib.auth.models import Group, Permission
from django.db import transaction
from django.db.models import Q, Value
from django.db.models.functions import Concat
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _


@dataclass(frozen=True)
class Role:
    """A group that the shop brings. `permissions` are “app.action_model”."""

    name: str
    """The group's name in the database."""
    label: str | Promise
    about: str | Promise
    """What its people do, in one sentence."""
    permissions: frozenset[str]


def _may(actions: str, *models: str) -> frozenset[str]:
    """Return the permissions for these actions with each of the models (“app.model”)."""
    split = (model.split(".") for model in models)
    return frozenset(f"{app}.{action}_{name}" for app, name in split for action in actions.split())


_SEE_ORDERS = _may(
    "view",
    *("orders.order", "orders.payment", "orders.refund", "orders.paymentattempt"),
    "orders.return",
    *("notifications.notification", "media_jobs.mediajob", "media_jobs.asset"),
    *("orders.waitinglistentry", "orders.hold"),
    *("orders.agentplatform", "orders.agentcheckout"),
)
_SEE_CATALOGUE = _may(
    "view",
    *("orders.product", "orders.category", "orders.productmedia", "orders.scheduledchange"),
    *("orders.stockmovement", "orders.announcement", "orders.taxclass", "orders.taxrate"),
    *("orders.voucher", "orders.voucheruse"),
)
_SEE_WORK = _may(
    "view",
    *("orders.deskjob", "notifications.channelstate", "project.manualrun"),
    *("notifications.webhookendpoint", "notifications.webhookdelivery"),
    *("django_celery_results.taskresult", "django_celery_beat.periodictask"),
    *("project.heartbeat", "project.auditrun", "project.sweep", "project.dailyrun"),
    *("project.limit", "project.limitcounter", "project.performancerun"),
)
_CLERK = (
    _SEE_ORDERS
    | _SEE_CATALOGUE
    | _may("change", "orders.order", "notifications.notification")
    | _may("add pack", "orders.order")
    | _may("delete", "orders.waitinglistentry")
    | _may("change", "orders.hold")
    | _may("view", "orders.deskjob")
)
_STOCK_KEEPER = (
    _may("view pack", "orders.order")
    | _may("view", "orders.return")
    | _SEE_CATALOGUE
    | _may("view", "orders.deskjob")
    | _may("add", "orders.stockmovement")
)
_MANAGER = (
    _CLERK
    | _STOCK_KEEPER
    | _may("refund", "orders.order")
    | frozenset({"orders.export_person", "orders.erase_person"})
    | _may("change", "orders.refund")
    | _may(
        "add change delete",
        *("orders.product", "orders.category", "orders.productmedia", "orders.scheduledchange"),
        *("orders.announcement", "orders.user", "orders.taxclass", "orders.taxrate"),
        "orders.voucher",
    )
    | _may("add change", "media_jobs.asset")
    | _may("view add change", "notifications.webhookendpoint")
    | _may("view change", "notifications.webhookdelivery")
    | _may("change", "media_jobs.mediajob", "orders.deskjob")
    | _may("view", "orders.user", "auth.group", "admin.logentry")
    | _may("view change delete", "account.emailaddress")
    | _may("add delete", "project.savedview")
    | _may("view add change", "orders.apiclient")
    | _may("change", "orders.agentplatform")
    | _may("view change", "orders.agentlink")
)
_ENGINEER = (
    _SEE_ORDERS
    | _SEE_CATALOGUE
    | _SEE_WORK
    | _may(
        "change",
        *("notifications.notification", "notifications.channelstate", "media_jobs.mediajob"),
        *("orders.deskjob", "project.manualrun", "project.limit", "project.performancerun"),
    )
    | _may("add change", "notifications.webhookendpoint")
    | _may("change", "notifications.webhookdelivery")
    | _may("change", "orders.agentplatform")
    | _may("add change delete", "django_celery_beat.periodictask")
    | _may(
        "view add change",
        *("django_celery_beat.intervalschedule", "django_celery_beat.crontabschedule"),
        "django_celery_beat.clockedschedule",
    )
    | _may("delete", "project.limitcounter")
    | _may("view delete", "axes.accessattempt")
    | _may("view", "admin.logentry", "orders.apiclient")
)

ROLES = (
    Role(
        "Viewer",
        _("Viewer"),
        _("Sees orders, products, stock, jobs and health, and changes nothing."),
        _SEE_ORDERS | _SEE_CATALOGUE | _SEE_WORK,
    ),
    Role(
        "Clerk",
        _("Clerk"),
        _("Works on orders: makes them, takes payments, packs, ships, cancels, resends messages."),
        _CLERK,
    ),
    Role(
        "Stock keeper",
        _("Stock keeper"),
        _("Receives, corrects and counts stock, packs orders, and receives returns."),
        _STOCK_KEEPER,
    ),
    Role(
        "Manager",
        _("Manager"),
        _("Runs the shop: orders and refunds, products and prices, stock, news, and people."),
        _MANAGER,
    ),
    Role(
        "Engineer",
        _("Engineer"),
        _("Keeps the machinery going: jobs, schedule, channels, limits and health."),
        _ENGINEER,
    ),
)
BY_NAME = {role.name: role for role in ROLES}


def role_name(group_name: str) -> str:
    """Return the role's name in the reader's language; another group's name as it is."""
    role = BY_NAME.get(group_name)
    return str(role.label) if role else group_name


def role_label(group_name: str) -> str:
    """Return the role's name and sentence; another group's name as it is."""
    role = BY_NAME.get(group_name)
    return f"{role.label} – {role.about}" if role else group_name


def apply_roles(**_signal: Any) -> None:
    """Create the roles' groups, and give each the permissions of its role that it lacks.

    It is called after each migrate, and changes nothing the second time. A permission whose app
    isn't installed is left out.
    """
    wanted = {name for role in ROLES for name in role.permissions}
    known = dict(
        _named(Permission.objects.all()).filter(named__in=wanted).values_list("named", "pk")
    )
    with transaction.atomic():
        Group.objects.bulk_create([Group(name=role.name) for role in ROLES], ignore_conflicts=True)
        groups = dict(Group.objects.filter(name__in=BY_NAME).values_list("name", "pk"))
        Group.permissions.through.objects.bulk_create(
            [
                Group.permissions.through(group_id=groups[role.name], permission_id=known[name])
                for role in ROLES
                for name in sorted(role.permissions & known.keys())
            ],
            ignore_conflicts=True,
        )


def permissions_of(*, user_id: int | None = None, group_ids: Iterable[int] = ()) -> set[str]:
    """Return the permissions of a user with all groups, and of the groups, as “app.codename”.

    Also those of a user who is not active: Django's `get_all_permissions` says that such a user
    has none.
    """
    held = Q(group__in=[*group_ids])
    if user_id is not None:
        held |= Q(user=user_id) | Q(group__user=user_id)
    keys = Permission.objects.filter(held).order_by().values("pk")
    return {*_named(Permission.objects.filter(pk__in=keys)).values_list("named", flat=True)}


def may_manage(operator: Any, user: Any) -> bool:
    """Tell whether the operator may change this account: it can do nothing that they can't.

    Else a new password or address for it would give the operator its permissions.
    """
    if operator.is_superuser:
        return True
    if user.is_superuser:
        return False
    return permissions_of(user_id=user.pk) <= operator.get_all_permissions()


def given_by(operator: Any) -> list[int]:
    """Return the groups whose permissions the operator all has: those that they may give."""
    groups = Group.objects.prefetch_related("permissions__content_type")
    held = operator.get_all_permissions()
    return [
        group.pk
        for group in groups
        if operator.is_superuser
        or {f"{each.content_type.app_label}.{each.codename}" for each in group.permissions.all()}
        <= held
    ]


def _named(permissions: Any) -> Any:
    name = Concat("content_type__app_label", Value("."), "codename")
    return permissions.alias(named=name).annotate(named=name).order_by()
