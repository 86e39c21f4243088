"""What each table holds of a person, and what erasure does to it: one place for all apps.

A test walks all models and fails where a column for text, JSON, an address or a file is named
neither personal nor harmless. Keys, numbers, times and columns with fixed choices name nobody.
"""

from dataclasses import dataclass, field
from enum import Enum

ERASED = "[erased]"
"""What stands for a text of an erased person."""


class How(Enum):
    """What erasure does."""

    ROW_GOES = "the row is deleted, and its files"
    REPLACED = "a value takes its place that names nobody and is the same each time"
    EMPTIED = "the column is emptied"
    SCRUBBED = "the person's addresses and phone numbers in it are replaced, in every row"
    KEPT_WITHOUT = "kept as bookkeeping, without the words that mean the person"
    KEPT_BY_LAW = "kept as long as the law wants (KEEP_INVOICES_YEARS), then replaced"


ROW_GOES, REPLACED, EMPTIED, SCRUBBED, KEPT_WITHOUT, KEPT_BY_LAW = How


@dataclass(frozen=True)
class Table:
    """What one table holds of a person."""

    found_by: str = ""
    """How a person's rows are found; empty: it has none."""
    personal: dict[str, How] = field(default_factory=dict)
    harmless: str = ""
    """The columns of text that say nothing of a customer, separated by spaces."""

    @property
    def scrubbed(self) -> list[str]:
        """The columns in which addresses and numbers are replaced wherever they occur."""
        return [name for name, how in self.personal.items() if how is SCRUBBED]


def _row_goes(columns: str) -> dict[str, How]:
    return dict.fromkeys(columns.split(), ROW_GOES)


def _scrubbed(columns: str) -> dict[str, How]:
    return dict.fromkeys(columns.split(), SCRUBBED)


_OF_ORDER = "the person's orders"
_ANY = "the person's addresses and numbers in its texts"

TABLES: dict[str, Table] = {
    # ── Accounts ────────────────────────────────────────────────────────────────────────────
    # An account that worked at the desk once is emptied instead: the audit log keeps its row.
    "orders.User": Table(
        "the e-mail address, in any case",
        _row_goes("password username first_name last_name email name phone muted_events"),
    ),
    "orders.Address": Table("the account", _row_goes("line1 line2 postcode city region country")),
    "account.EmailAddress": Table("the account, or the address", _row_goes("email")),
    "account.EmailConfirmation": Table("the account", _row_goes("key")),
    "mfa.Authenticator": Table("the account", _row_goes("type data")),
    "usersessions.UserSession": Table("the account", _row_goes("ip session_key user_agent data")),
    "sessions.Session": Table(
        "the account; addresses and numbers in what it holds",
        _row_goes("session_key session_data"),
    ),
    "orders.Cart": Table("the account", _row_goes("checkout_key")),
    "orders.CartLine": Table("the account's cart", _row_goes("sku seen_name")),
    "orders.CheckoutDraft": Table(_ANY, _row_goes("fields answer")),
    "orders.AgentCart": Table(_ANY, _row_goes("wanted")),
    "orders.AgentCheckout": Table(_ANY, _row_goes("wanted answer escalated")),
    "orders.AgentAnswer": Table(_ANY, _row_goes("body"), "fingerprint"),
    "orders.AgentLink": Table(
        "the account",
        _row_goes("scopes redirect_uri challenge code_hash access_hash refresh_hash"),
    ),
    "orders.WaitingListEntry": Table("the address", _row_goes("email language")),
    # ── Orders ──────────────────────────────────────────────────────────────────────────────
    "orders.Order": Table(
        "the account, or the address of a guest's order",
        {
            "name": REPLACED,
            "email": REPLACED,
            "phone": EMPTIED,
            "address": REPLACED,  # its country stays: the tax depends on it
            "fingerprint": REPLACED,
        },
        "currency delivery payment_method voucher_code",
    ),
    "orders.OrderLine": Table(harmless="sku name"),
    "orders.OrderEvent": Table(_OF_ORDER, {"detail": REPLACED}),
    "orders.OrderNote": Table(_OF_ORDER, _row_goes("text")),
    "orders.Upload": Table(
        _OF_ORDER + "; in the account's cart",
        _row_goes("file name content_type sha256 address"),
    ),
    "orders.Payment": Table(_OF_ORDER, {"reference": KEPT_WITHOUT, "reason": REPLACED}, "provider"),
    "orders.Refund": Table(_OF_ORDER, {"reason": REPLACED, "payout_reference": KEPT_WITHOUT}),
    "orders.Return": Table(_OF_ORDER, {"reason": REPLACED, "answer": REPLACED}),
    "orders.PaymentAttempt": Table(
        _OF_ORDER, {"url": EMPTIED, "reason": EMPTIED}, "provider reference currency"
    ),
    "orders.StockMovement": Table(_OF_ORDER, {"reason": REPLACED}),
    "orders.Invoice": Table(_OF_ORDER, {"data": KEPT_BY_LAW}),
    # ── Messages and media ──────────────────────────────────────────────────────────────────
    "notifications.Notification": Table(
        "the person's orders; its recipient",
        _row_goes(
            "kind context traceparent error result event occasion recipient language secrets"
            " subject text"
            " attachments provider_id gateway attempts_log same_error delivery_reason"
        ),
    ),
    "notifications.MessageHtml": Table("its message", _row_goes("html")),
    "notifications.KnownNumber": Table("the phone number", _row_goes("phone")),
    # Those of the person's orders are deleted whole.
    "notifications.WebhookDelivery": Table(
        "the person's orders; " + _ANY,
        _scrubbed("context body error result attempts_log"),
        "kind traceparent",
    ),
    "notifications.WebhookEndpoint": Table(
        _ANY,
        _scrubbed("error status_reason refusal"),
        "name url kind events countries skus secret old_secret",
    ),
    "media_jobs.MediaJob": Table(  # an invoice's paper is kept as long as the invoice
        "the person's orders and uploads",
        _row_goes("kind context traceparent error result source recipe recipe_hash placeholder"),
    ),
    "media_jobs.Rendition": Table("its media job", _row_goes("name format file")),
    "media_jobs.Asset": Table(harmless="file name sha256 content_type published"),
    # An answer is kept without the order's person. A client's user has neither address nor number.
    "orders.ApiClient": Table(harmless="name"),
    "orders.ApiKey": Table(harmless="prefix digest scopes"),
    "orders.ApiAnswer": Table(harmless="key fingerprint answer"),
    # ── Logs, locks and counters ────────────────────────────────────────────────────────────
    "axes.AccessAttempt": Table(
        "the address or user name that was typed in",
        _row_goes("user_agent ip_address username http_accept path_info get_data post_data"),
    ),
    "axes.AccessFailureLog": Table(
        "the address or user name that was typed in",
        _row_goes("user_agent ip_address username http_accept path_info"),
    ),
    "axes.AccessLog": Table(
        "the address or user name that was typed in",
        _row_goes("user_agent ip_address username http_accept path_info session_hash"),
    ),
    "project.LimitCounter": Table("the address or phone number", _row_goes("key"), "name"),
    # Of entries about the person's account and orders, values and reasons are replaced whole.
    "admin.LogEntry": Table(_ANY, _scrubbed("object_repr change_message"), "object_id"),
    "project.JobDecision": Table(_ANY, _scrubbed("error reason"), "app label"),
    "django_celery_results.TaskResult": Table(
        "the person's messages and media jobs; " + _ANY,
        _scrubbed("task_args task_kwargs result traceback meta"),
        "task_id periodic_task_name task_name status worker content_type content_encoding",
    ),
    # A list's export, and papers with the person's orders, lose their file.
    "orders.DeskJob": Table(
        _ANY + "; the person's exports, papers and lists",
        {**_scrubbed("context error result"), "report": EMPTIED},
        "kind traceparent file",  # an import's table: products or stock
    ),
    "project.ManualRun": Table(
        _ANY, _scrubbed("context error result"), "kind traceparent periodic_task"
    ),
    "project.DailyRun": Table(_ANY, _scrubbed("result error"), "name"),
    "project.Sweep": Table(_ANY, _scrubbed("result error"), "name"),
    "project.SavedView": Table(_ANY, _scrubbed("name query"), "list"),
    "project.PausedQueue": Table(_ANY, _scrubbed("reason"), "queue paused_by"),
    "project.AuditRun": Table(_ANY, _scrubbed("findings")),
    "notifications.ChannelState": Table(_ANY, _scrubbed("error pause_reason"), "gateway paused_by"),
    "orders.AgentPlatform": Table(
        _ANY, _scrubbed("block_reason"), "profile_url document contact_email"
    ),
    # ── Nothing of a customer ───────────────────────────────────────────────────────────────
    "orders.ErasedAddress": Table(harmless="digest"),  # a keyed hash: that is its use
    "orders.Announcement": Table(harmless="subject_en text_en subject_zh_hans text_zh_hans"),
    "orders.Category": Table(harmless="name slug texts"),
    "orders.Voucher": Table(harmless="code kind"),
    "orders.VoucherUse": Table(harmless="person"),  # a keyed hash: that is its use
    "orders.AgentClient": Table(harmless="client_id name secret_hash redirect_uris"),
    "orders.AgentInstrument": Table(harmless="token name kind"),
    "orders.DeliveryRate": Table(harmless="code country service label"),
    "orders.TaxClass": Table(harmless="name"),
    "orders.TaxRate": Table(harmless="country"),
    "orders.Product": Table(harmless="sku name slug description shelf options texts"),
    "orders.ProductMedia": Table(harmless="alt texts"),
    "orders.Hold": Table(harmless="fingerprint status"),  # SKUs and units: nobody is named
    "orders.KeptAnswer": Table(harmless="answer"),  # prices of a parcel: no row has an address
    "orders.SalesQuarter": Table(harmless="units_by_product"),
    "orders.SearchWord": Table(harmless="word near"),
    "project.AuditProgress": Table(harmless="subject after findings"),
    "project.DeferralCount": Table(harmless="writer"),
    "project.Heartbeat": Table(harmless="name detail"),
    "project.Limit": Table(harmless="name"),
    "project.RefusalCount": Table(harmless="name"),
    "project.QueueSample": Table(harmless="queue"),
    "project.PerformanceRun": Table(harmless="reason errors"),
    "auth.Group": Table(harmless="name"),
    "auth.Permission": Table(harmless="name codename"),
    "contenttypes.ContentType": Table(harmless="app_label model"),
    "django_celery_results.GroupResult": Table(
        harmless="group_id content_type content_encoding result"
    ),
    "django_celery_results.ChordCounter": Table(harmless="group_id sub_tasks"),
    "django_celery_beat.ClockedSchedule": Table(),
    "django_celery_beat.CrontabSchedule": Table(
        harmless="minute hour day_of_month month_of_year day_of_week timezone"
    ),
    "django_celery_beat.PeriodicTask": Table(
        harmless="name task args kwargs queue exchange routing_key headers description"
    ),
}
