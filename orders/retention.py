"""How long each table keeps its rows: every table of the shop stands here once.

Those that grow and are pruned name their class of data, their time and the sweep that does it; the
others say why they grow for good, or why they don't grow. A test walks all models and compares the
sweeps with what really runs.

Every sweep deletes in batches, in the order of age, and waits two seconds at most for a row that
somebody has locked (`project.schedule.prune`).
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from axes.models import AccessAttempt, AccessFailureLog, AccessLog
from django.conf import settings
from django.contrib.admin.models import LogEntry
from django.db.models import Model
from django.db.models.functions import Now

from notifications.delivery.known_numbers import KEEP as KEEP_NUMBERS
from notifications.delivery.known_numbers import forgettable
from notifications.delivery.stored_html import old_html
from orders.accounts.sessions import ended_sessions
from orders.accounts.unconfirmed import KEEP_UNCONFIRMED, unconfirmed_accounts
from orders.agents import carts as agent_carts
from orders.agents import checkouts as agent_checkouts
from orders.agents import keys as agent_keys
from orders.agents import platforms as agent_platforms
from orders.agents.linking import tokens as agent_tokens
from orders.carts import cart as carts
from orders.clients import answers
from orders.desk_jobs.kinds import EXPORT_PERSON
from orders.holds import ended_holds
from orders.messages import waiting_list
from orders.models import DeskJob
from orders.personal_data.invoices import erase_buyers, invoices_to_erase
from orders.placing import upload_store
from orders.quotes import keeping
from orders.reports import quarters
from orders.shop import drafts
from project.jobs.handler import KEEP_JOBS, handler_of
from project.jobs.queryset import Status
from project.models import JobDecision, PerformanceRun
from project.schedule import prune
from project.schedule.prune import Old, prune_also

KEEP_PERFORMANCE_RUNS = timedelta(days=400)

Time = timedelta | str | Callable[[], timedelta]
"""How long a row is kept after its end; a text where a day count doesn't say it."""


def _days(setting: str) -> Callable[[], timedelta]:
    """Return the time of a setting in days, as it is when it is asked for."""
    return lambda: timedelta(days=getattr(settings, setting))


@dataclass(frozen=True)
class Pruned:
    """Rows of a table that are deleted once they are old. A table may have several such rules."""

    model: str
    group: str
    """The class of data."""
    kept: Time
    by: str
    """Its name in the result of `project.schedule.prune.prune`, or `relay: ` and its sweep, or
    `daily: ` and its task."""
    setting: str = ""
    rows: Callable[[], Old] | None = None
    """Which rows; None where their own room prunes them."""


def _before(model: type[Model], time: str, setting: str) -> Callable[[], Old]:
    """Return the rule "older than the setting says" for a log, whose keys grow with time."""

    def rows() -> Old:
        old = Now() - _days(setting)()
        return Old(model._default_manager.filter(**{f"{time}__lt": old}))

    return rows


def _old_exports() -> Old:
    kept_for = _days("KEEP_PERSON_EXPORTS_DAYS")()
    exports: Any = DeskJob.objects.filter(
        kind=EXPORT_PERSON.name,
        status__in=(Status.DONE, Status.CANCELLED),
        finished_at__lt=Now() - kept_for,
    )
    return Old(exports, by="finished_at", prune=handler_of(DeskJob).delete)


MESSAGES, MEDIA, SIGN_INS = "messages", "media", "sign-ins"
UNFINISHED, DESK, TECHNICAL = "what never became an order", "the desk's log", "technical records"
BOOKKEEPING = "bookkeeping"

PRUNED = (
    # ── Messages ────────────────────────────────────────────────────────────────────────────
    Pruned(
        "notifications.Notification",
        MESSAGES,
        _days("KEEP_MESSAGES_DAYS"),
        "notification",
        "KEEP_MESSAGES_DAYS",
    ),
    Pruned(
        "notifications.MessageHtml",
        MESSAGES,
        _days("KEEP_MESSAGE_HTML_DAYS"),
        "HTML of messages",
        "KEEP_MESSAGE_HTML_DAYS",
        lambda: Old(old_html()),
    ),
    Pruned(
        "notifications.WebhookDelivery",
        MESSAGES,
        _days("KEEP_WEBHOOKS_DAYS"),
        "webhook",
        "KEEP_WEBHOOKS_DAYS",
    ),
    Pruned(
        "notifications.KnownNumber",
        MESSAGES,
        KEEP_NUMBERS,
        "known numbers",
        rows=lambda: Old(forgettable()),
    ),
    Pruned(
        "orders.WaitingListEntry",
        MESSAGES,
        waiting_list.CONFIRM_WITHIN,
        "unconfirmed waiting list entries",
        rows=lambda: Old(waiting_list.unconfirmed_entries(), by="created_at"),
    ),
    Pruned(
        "orders.WaitingListEntry",
        MESSAGES,
        waiting_list.WAITS_FOR,
        "waiting list entries",
        rows=lambda: Old(waiting_list.old_entries(), by="created_at"),
    ),
    Pruned(
        "orders.Restock",
        MESSAGES,
        waiting_list.KEEP_RESTOCKS,
        "restocks",
        rows=lambda: Old(waiting_list.old_restocks(), by="ended_at"),
    ),
    # ── Media and desk jobs ─────────────────────────────────────────────────────────────────
    # Passes, slips and print files of orders; what products show and invoices stay.
    Pruned("media_jobs.MediaJob", MEDIA, KEEP_JOBS, "media"),
    Pruned("media_jobs.Rendition", MEDIA, "with its media job", "media"),
    Pruned("orders.DeskJob", DESK, KEEP_JOBS, "desk"),
    Pruned(
        "orders.DeskJob",
        DESK,
        _days("KEEP_PERSON_EXPORTS_DAYS"),
        "exports of persons",
        "KEEP_PERSON_EXPORTS_DAYS",
        _old_exports,
    ),
    Pruned("project.ManualRun", DESK, KEEP_JOBS, "schedule"),
    Pruned(
        "admin.LogEntry",
        DESK,
        _days("KEEP_DESK_LOG_DAYS"),
        "audit log",
        "KEEP_DESK_LOG_DAYS",
        _before(LogEntry, "action_time", "KEEP_DESK_LOG_DAYS"),
    ),
    Pruned(
        "project.JobDecision",
        DESK,
        _days("KEEP_DESK_LOG_DAYS"),
        "decisions about jobs",
        "KEEP_DESK_LOG_DAYS",
        _before(JobDecision, "decided_at", "KEEP_DESK_LOG_DAYS"),
    ),
    # ── Sign-ins ────────────────────────────────────────────────────────────────────────────
    Pruned("sessions.Session", SIGN_INS, "two weeks after the last visit", "sessions"),
    Pruned(
        "usersessions.UserSession",
        SIGN_INS,
        "with its session",
        "ended sessions",
        rows=lambda: Old(ended_sessions()),
    ),
    Pruned(
        "orders.User",
        SIGN_INS,
        KEEP_UNCONFIRMED,
        "unconfirmed accounts",
        rows=lambda: Old(unconfirmed_accounts()),
    ),
    *(
        Pruned(
            model._meta.label,
            SIGN_INS,
            _days("KEEP_SIGN_INS_DAYS"),
            name,
            "KEEP_SIGN_INS_DAYS",
            _before(model, "attempt_time", "KEEP_SIGN_INS_DAYS"),
        )
        for model, name in (
            (AccessAttempt, "wrong passwords"),
            (AccessFailureLog, "log of wrong passwords"),
            (AccessLog, "log of sign-ins"),
        )
    ),
    Pruned("axes.AccessAttemptExpiration", SIGN_INS, "with its attempt", "wrong passwords"),
    Pruned(
        "project.LimitCounter",
        SIGN_INS,
        "to the end of its window",
        "relay: forget_ended_counters",
    ),
    # ── What never became an order ──────────────────────────────────────────────────────────
    Pruned(
        "orders.Cart",
        UNFINISHED,
        "as long as its guest's session",
        "abandoned carts",
        rows=lambda: Old(carts.abandoned_carts(), by="changed_at", prune=carts.drop_abandoned),
    ),
    Pruned("orders.CartLine", UNFINISHED, "with its cart", "abandoned carts"),
    Pruned(
        "orders.ClearedCart",
        UNFINISHED,
        carts.KEEP_CLEARED,
        "old clearings of carts",
        rows=lambda: Old(carts.old_clearings(), by="created_at"),
    ),
    Pruned(
        "orders.CheckoutDraft",
        UNFINISHED,
        drafts.KEEP,
        "checkout drafts",
        rows=lambda: Old(drafts.old_drafts(), by="changed_at"),
    ),
    # One that an order took stays with its line.
    Pruned("orders.Upload", UNFINISHED, upload_store.KEEP, "daily: orders.tasks.prune_uploads"),
    Pruned(
        "orders.Hold",
        UNFINISHED,
        ended_holds.KEEP,
        "ended holds",
        rows=lambda: Old(ended_holds.old_holds(), by="created_at"),
    ),
    Pruned("orders.HoldLine", UNFINISHED, "as long as its hold is open", "ended holds"),
    Pruned(
        "orders.KeptAnswer",
        UNFINISHED,
        keeping.VALID,
        "carriers' answers",
        rows=lambda: Old(keeping.old_answers(), by="asked_at"),
    ),
    # ── Agents ──────────────────────────────────────────────────────────────────────────────
    Pruned(
        "orders.AgentCheckout",
        UNFINISHED,
        agent_checkouts.KEEP,
        "checkouts of agents",
        rows=lambda: Old(agent_checkouts.old_checkouts(), by="changed_at"),
    ),
    Pruned(
        "orders.AgentCheckout",
        TECHNICAL,
        agent_checkouts.KEEP_ORDERED,
        "checkouts of agents' orders",
        rows=lambda: Old(agent_checkouts.old_orders_checkouts(), by="changed_at"),
    ),
    Pruned(
        "orders.AgentCart",
        UNFINISHED,
        agent_carts.KEEP,
        "carts of agents",
        rows=lambda: Old(agent_carts.old_carts(), by="changed_at"),
    ),
    Pruned(
        "orders.AgentAnswer",
        UNFINISHED,
        agent_keys.KEEP,
        "answers to agents",
        rows=lambda: Old(agent_keys.old_answers(), by="created_at"),
    ),
    Pruned(
        "orders.AgentPlatform",
        TECHNICAL,
        agent_platforms.KEEP,
        "platforms of agents",
        rows=lambda: Old(agent_platforms.forgotten_platforms(), by="used_at"),
    ),
    Pruned(
        "orders.AgentLink",
        SIGN_INS,
        agent_tokens.KEEP,
        "links with agents",
        rows=lambda: Old(agent_tokens.old_links(), by="linked_at"),
    ),
    # ── Technical records ───────────────────────────────────────────────────────────────────
    Pruned(
        "orders.ApiAnswer",
        TECHNICAL,
        answers.KEEP,
        "answers to API clients",
        rows=lambda: Old(answers.old_answers(), by="created_at"),
    ),
    Pruned("django_celery_results.TaskResult", TECHNICAL, prune.KEEP_RESULTS, "results"),
    Pruned("project.Heartbeat", TECHNICAL, prune.KEEP_HEARTBEATS, "heartbeats"),
    Pruned("project.AuditRun", TECHNICAL, prune.KEEP_AUDITS, "audits"),
    Pruned("project.DailyRun", TECHNICAL, prune.KEEP_DAILY_RUNS, "daily runs"),
    Pruned("project.QueueSample", TECHNICAL, prune.KEEP_QUEUE_SAMPLES, "queue samples"),
    Pruned(
        "project.PerformanceRun",
        TECHNICAL,
        KEEP_PERFORMANCE_RUNS,
        "performance runs",
        rows=lambda: Old(
            PerformanceRun.objects.filter(finished_at__lt=Now() - KEEP_PERFORMANCE_RUNS)
        ),
    ),
    Pruned(
        "orders.SalesQuarter",
        TECHNICAL,
        quarters.KEEP,
        "sales quarters",
        rows=lambda: Old(quarters.old_quarters()),
    ),
    # ── Bookkeeping ─────────────────────────────────────────────────────────────────────────
    # The row stays for good; an erased person's name and address go when the law lets them.
    Pruned(
        "orders.Invoice",
        BOOKKEEPING,
        lambda: timedelta(days=366 * settings.KEEP_INVOICES_YEARS),
        "buyers of erased persons",
        "KEEP_INVOICES_YEARS",
        lambda: Old(invoices_to_erase(), prune=erase_buyers),
    ),
)

FOR_GOOD = {
    "orders.Order": "it is the ledger of sales; erasure takes its person away",
    "orders.OrderLine": "what was sold, at which price",
    "orders.OrderEvent": "what happened to an order; erasure takes its person away",
    "orders.OrderNote": "it stays with its order; erasure deletes it",
    "orders.Payment": "the ledger of money",
    "orders.Refund": "the ledger of money",
    "orders.RefundLine": "the ledger of money",
    "orders.Return": "what came back of an order, and why; erasure takes the words away",
    "orders.ReturnLine": "the units of a return",
    "orders.PaymentAttempt": "a dispute at a payment provider may come years later",
    "orders.InvoiceCounter": "the numbers of invoices have no gap",
    "orders.VoucherUse": "the ledger of vouchers",
    "orders.StockMovement": "the ledger of stock: available units are its sum",
    "orders.SalesEntry": "the ledger of sales",
    "orders.ErasedAddress": "a backup of any age may be restored: it must be erased again",
    "orders.Announcement": "a few texts a month, written by people",
    "orders.ScheduledChange": "a few changes a month, written by people: the history of prices",
    "orders.Address": "it lives as long as its account, twenty an account at most",
    "account.EmailAddress": "it lives as long as its account",
    "mfa.Authenticator": "it lives as long as its account",
    "orders.Category": "the catalogue",
    "orders.Product": "the catalogue: orders name its products",
    "orders.ProductMedia": "the catalogue",
    "media_jobs.Asset": "the catalogue's pictures",
}
"""Tables that grow and keep their rows, and why."""

BOUNDED = {
    "orders.ApiClient": "written by people, a few",
    "orders.ApiKey": "made by people, a few for each client: a revoked one stays known",
    "orders.TaxClass": "a row for each class of products",
    "orders.Voucher": "written by people, a few",
    "orders.AgentClient": "written by people, a few",
    "orders.AgentInstrument": "of a local run, a few",
    "orders.DeliveryRate": "a row for each service and country",
    "orders.TaxRate": "a row for each class and country",
    "orders.DemoFill": "one row",
    "orders.ProductSales": "a row for each product",
    "orders.AuditedBalance": "a row for each product",
    "orders.Stock": "a row for each product",
    "orders.StockAlert": "a row for each product",
    "orders.Popularity": "a row for each product",
    "orders.SearchWord": "the words of the catalogue",
    "orders.User_groups": "roles of staff",
    "orders.User_user_permissions": "permissions of staff",
    "account.EmailConfirmation": "unused: an address is confirmed by a code",
    "auth.Group": "the roles",
    "auth.Group_permissions": "the roles",
    "auth.Permission": "the code's models",
    "contenttypes.ContentType": "the code's models",
    "django_celery_beat.ClockedSchedule": "written by people, a few",
    "django_celery_beat.CrontabSchedule": "written by people, a few",
    "django_celery_beat.IntervalSchedule": "written by people, a few",
    "django_celery_beat.PeriodicTask": "written by people, a few",
    "django_celery_beat.PeriodicTasks": "one row",
    "django_celery_beat.SolarSchedule": "unused",
    "django_celery_results.ChordCounter": "unused: no task is part of a chord",
    "django_celery_results.GroupResult": "unused: no task is part of a group",
    "notifications.ChannelState": "a row for each gateway",
    "notifications.WebhookEndpoint": "written by people, a few",
    "project.AuditProgress": "one row while an audit runs",
    "project.DeferralCount": "a row for each writer",
    "project.Limit": "a row for each limit",
    "project.PausedQueue": "a row for each queue",
    "project.RefusalCount": "a row for each limit",
    "project.SavedView": "written by staff, and gone with their account",
    "project.Sweep": "a row for each sweep",
}
"""Tables that don't grow with the shop's work, and why."""


def register() -> None:
    """Have `project.schedule.prune` do what is declared here: `orders.tasks` calls it."""
    for rule in PRUNED:
        if rule.rows is not None:
            prune_also(rule.by, rule.rows)
