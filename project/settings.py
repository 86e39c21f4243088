"""Settings from the environment (12-factor); `.env.example` lists every variable.

`bin/up` writes what it embeds to `$TANDEM_DATA/env`, and `project.local.env` loads that file
before this module is read, so any `manage.py` command in another terminal finds the running shop.
"""

import os
from datetime import timedelta
from email.utils import formataddr
from pathlib import Path

from csp.constants import NONCE, NONE, SELF
from django.urls import reverse_lazy

from project.conf import delivery, environment
from project.conf.backup_place import backup_place
from project.conf.brokers import transport_options
from project.conf.company import address_lines, iban, invoice_occasion, percent, printed_line
from project.conf.database import POOL
from project.conf.durations import a_minute, hours_of_day, late_returns, whole_days, whole_hours
from project.conf.hsts import require_possible_hsts
from project.conf.media_storage import media_storage
from project.conf.misspelt import refuse_misspelt
from project.conf.networks import networks, udp_address
from project.conf.packages import folder_of
from project.conf.payments import bank_account, payment_pages, payment_providers, stripe_key
from project.conf.site import require_reachable_site
from project.conf.sms_success import sms_success
from project.conf.tracing import traces_are_sent
from project.countries import phone_region
from project.database import timeouts
from project.database.run_schema import ALIAS, SCHEMA
from project.desk.appearance import unfold_settings
from project.draining import drain_seconds
from project.limits.rates import API_CLIENT as DEFAULT_API_CLIENT
from project.limits.rates import ORDER_LIMITS as DEFAULT_ORDER_LIMITS
from project.limits.rates import as_written, one_rate, order_limits, sms_caps
from project.local.env import SETTING_NAMES
from project.monitoring.logging import logging_config
from project.monitoring.sentry import secrets_of, start_sentry
from project.replica import ALIAS as REPLICA

BASE_DIR = Path(__file__).resolve().parent.parent

DATA_DIR = Path(environment.text("TANDEM_DATA", str(BASE_DIR / ".data"))).resolve()

# Local mode is what `bin/up` runs: a mailbox page, plain-http cookies, simulated carriers.
TANDEM_LOCAL = environment.switch("TANDEM_LOCAL")
# Set by project/wsgi.py: only the web process has many threads that share connections.
IS_WEB_PROCESS = environment.switch("TANDEM_WEB_PROCESS")

DEBUG = environment.switch("DEBUG")
# What a local run only warns of ends every process in production.
IS_PRODUCTION = not (TANDEM_LOCAL or DEBUG)
if IS_PRODUCTION:
    refuse_misspelt(os.environ, SETTING_NAMES)
SECRET_KEY = environment.needed("SECRET_KEY")
SECRET_KEY_FALLBACKS = environment.several("SECRET_KEY_FALLBACKS")
if IS_PRODUCTION:
    environment.require_secrets("SECRET_KEY", SECRET_KEY)
    environment.require_secrets("SECRET_KEY_FALLBACKS", *SECRET_KEY_FALLBACKS)
SITE_URL = environment.site("SITE_URL")
ALLOWED_HOSTS = environment.hosts("ALLOWED_HOSTS", "*" if TANDEM_LOCAL else "")
if IS_PRODUCTION:
    require_reachable_site(site_url=SITE_URL, allowed_hosts=ALLOWED_HOSTS)
CSRF_TRUSTED_ORIGINS = environment.origins("CSRF_TRUSTED_ORIGINS")
environment.port("PORT")  # project/gunicorn.py's, read here so that every check tells a wrong one

# ── The shop ────────────────────────────────────────────────────────────────────────────────
SHOP_NAME = environment.label("SHOP_NAME", "Tandem")
SHOP_COUNTRY = environment.country("SHOP_COUNTRY", "DE")
SHOP_CURRENCY = environment.currency("SHOP_CURRENCY", "EUR")
STAFF_EMAILS = environment.addresses("STAFF_EMAILS", may_be_empty=not IS_PRODUCTION)
# Orders not paid for so long are cancelled; None: never.
PAYMENT_DUE_HOURS = whole_hours("PAYMENT_DUE_HOURS", environment.text("PAYMENT_DUE_HOURS"))
# For how many days after the delivery goods may be returned, and what a later request gets.
RETURN_DAYS = whole_days("RETURN_DAYS", environment.text("RETURN_DAYS", "14"))
LATE_RETURNS = late_returns("LATE_RETURNS", environment.text("LATE_RETURNS", "refuse"))
# Where customers pay online, and what the order's page says about other ways.
STRIPE_SECRET_KEY = stripe_key("STRIPE_SECRET_KEY", environment.text("STRIPE_SECRET_KEY"))
STRIPE_WEBHOOK_SECRET = stripe_key(
    "STRIPE_WEBHOOK_SECRET", environment.text("STRIPE_WEBHOOK_SECRET")
)
PAYMENT_PROVIDERS = payment_providers(
    "PAYMENT_PROVIDERS",
    environment.several("PAYMENT_PROVIDERS", "test-bank" if TANDEM_LOCAL else "off"),
    values={
        "STRIPE_SECRET_KEY": STRIPE_SECRET_KEY,
        "STRIPE_WEBHOOK_SECRET": STRIPE_WEBHOOK_SECRET,
    },
    is_local=TANDEM_LOCAL,
)
PAYMENT_INSTRUCTIONS = environment.text("PAYMENT_INSTRUCTIONS")
# The ways to pay without a provider. The account of a local run is a bank's own example.
PAYMENT_ACCOUNT = bank_account(
    holder=environment.text("PAYMENT_ACCOUNT_HOLDER", "Tandem" if TANDEM_LOCAL else ""),
    iban=environment.text(
        "PAYMENT_ACCOUNT_IBAN", "DE02 1203 0000 0000 2020 51" if TANDEM_LOCAL else ""
    ),
    bic=environment.text("PAYMENT_ACCOUNT_BIC", "BYLADEM1001" if TANDEM_LOCAL else ""),
)
PAYMENT_AT_PICKUP = environment.switch("PAYMENT_AT_PICKUP", default=TANDEM_LOCAL)
# The pages on which carriers show where a parcel is.
TRACKING_LINKS = delivery.tracking_links("TRACKING_LINKS", environment.text("TRACKING_LINKS"))
# The carriers among which shoppers choose (docs/quotes.md).
DELIVERY_PICKUP = environment.switch("DELIVERY_PICKUP", default=True)
DELIVERY_FLAT_RATE = delivery.flat_rate(
    "DELIVERY_FLAT_RATE", environment.optional("DELIVERY_FLAT_RATE", "4.90" if TANDEM_LOCAL else "")
)
DELIVERY_BY_WEIGHT = delivery.by_weight(
    "DELIVERY_BY_WEIGHT",
    environment.optional("DELIVERY_BY_WEIGHT", "1=3.90,5=5.90,31.5=12.90" if TANDEM_LOCAL else ""),
)
DELIVERY_CARRIERS = delivery.carriers(
    "DELIVERY_CARRIERS", environment.text("DELIVERY_CARRIERS"), is_production=IS_PRODUCTION
)
# The prices that are in the table of delivery rates.
DELIVERY_TABLE = environment.switch("DELIVERY_TABLE")
# Three carriers that carry nothing: of a local run only.
DELIVERY_SIMULATED = TANDEM_LOCAL
# The days that flat rate and price by weight promise.
DELIVERY_DAYS = environment.whole_number("DELIVERY_DAYS", 3, most=365)
# Grams of a product without a weight.
DELIVERY_UNKNOWN_WEIGHT = environment.whole_number("DELIVERY_UNKNOWN_WEIGHT", 500, most=1_000_000)
# How long messages that were sent or cancelled are kept.
KEEP_MESSAGES_DAYS = whole_days("KEEP_MESSAGES_DAYS", environment.text("KEEP_MESSAGES_DAYS", "90"))
# How long their HTML is kept; later it is rendered again where it is shown.
KEEP_MESSAGE_HTML_DAYS = whole_days(
    "KEEP_MESSAGE_HTML_DAYS", environment.text("KEEP_MESSAGE_HTML_DAYS", "7")
)
# How long deliveries to webhooks are kept that were taken or cancelled.
KEEP_WEBHOOKS_DAYS = whole_days("KEEP_WEBHOOKS_DAYS", environment.text("KEEP_WEBHOOKS_DAYS", "30"))
# How long other classes of data are kept: `orders.retention` names each table.
KEEP_SIGN_INS_DAYS = whole_days("KEEP_SIGN_INS_DAYS", environment.text("KEEP_SIGN_INS_DAYS", "30"))
KEEP_DESK_LOG_DAYS = whole_days(
    "KEEP_DESK_LOG_DAYS", environment.text("KEEP_DESK_LOG_DAYS", "1095")
)
KEEP_PERSON_EXPORTS_DAYS = whole_days(
    "KEEP_PERSON_EXPORTS_DAYS", environment.text("KEEP_PERSON_EXPORTS_DAYS", "7")
)
# How long invoices name an erased person; 0: no longer than the person's other data.
KEEP_INVOICES_YEARS = environment.whole_number("KEEP_INVOICES_YEARS", 10, most=100)
# The providers that may send receipts of messages, each with the secret that signs them.
RECEIPT_SECRETS = environment.pairs("RECEIPT_SECRETS", known=r"email|sms(:[\w.-]+)?")
if IS_PRODUCTION:  # who guesses one can say of any customer's address that it is dead
    environment.require_secrets("RECEIPT_SECRETS", *RECEIPT_SECRETS.values())
# The folder of all backups, or s3://BUCKET/PREFIX, and how many are kept (docs/backup.md). Empty:
# the schedule makes none.
BACKUP_FOLDER = backup_place(
    "BACKUP_FOLDER",
    environment.optional("BACKUP_FOLDER", str(DATA_DIR / "backups") if TANDEM_LOCAL else ""),
)
BACKUP_KEEP = environment.whole_number("BACKUP_KEEP", 7, least=1, most=10_000)
HOLD_MINUTES = environment.whole_number("HOLD_MINUTES", 15, most=1440)
LOW_STOCK_UNITS = environment.whole_number("LOW_STOCK_UNITS", 5, most=1_000_000)
# How many orders may be placed by what they count; None: nothing is counted.
ORDER_LIMITS = order_limits(
    "ORDER_LIMITS", environment.text("ORDER_LIMITS", as_written(DEFAULT_ORDER_LIMITS))
)
API_CLIENT_LIMIT = one_rate(
    "API_CLIENT_LIMIT", environment.text("API_CLIENT_LIMIT", str(DEFAULT_API_CLIENT))
)
# The performance run (docs/performance-run.md): orders per second, for so many seconds, to this
# address; and how many orders a minute of shoppers forbid it.
PERFORMANCE_RATE = environment.whole_number("PERFORMANCE_RATE", 5, least=1, most=50)
PERFORMANCE_SECONDS = environment.whole_number("PERFORMANCE_SECONDS", 60, least=5, most=600)
PERFORMANCE_URL = environment.site("PERFORMANCE_URL", default=SITE_URL)
PERFORMANCE_MOST_TRAFFIC = environment.whole_number("PERFORMANCE_MOST_TRAFFIC", 30, most=100_000)
# What invoices say (docs/papers.md).
COMPANY_NAME = printed_line("COMPANY_NAME", environment.text("COMPANY_NAME"))
COMPANY_ADDRESS = address_lines("COMPANY_ADDRESS", environment.text("COMPANY_ADDRESS"))
COMPANY_TAX_ID = printed_line("COMPANY_TAX_ID", environment.text("COMPANY_TAX_ID"))
COMPANY_IBAN = iban("COMPANY_IBAN", environment.text("COMPANY_IBAN"))
# The usual percentage of tax that prices include (docs/taxes.md); None: only the desk's rates.
TAX_RATE = percent("TAX_RATE", environment.text("TAX_RATE"))
INVOICE_ON = invoice_occasion(
    "INVOICE_ON",
    environment.text("INVOICE_ON", "by_hand"),
    missing=[
        name
        for name in ("COMPANY_NAME", "COMPANY_ADDRESS", "COMPANY_TAX_ID", "TAX_RATE")
        if not environment.text(name)
    ],
)
PHONENUMBER_DEFAULT_REGION = phone_region(SHOP_COUNTRY)
# How old a page or a list of the catalogue may be that many see; 0: each request reads anew.
drain_seconds()  # gunicorn's: a wrong value is told by every process
KEEP_PAGES_SECONDS = environment.whole_number("KEEP_PAGES_SECONDS", 2, most=2)
UNFOLD = unfold_settings(shop_name=SHOP_NAME)

# ── Applications ────────────────────────────────────────────────────────────────────────────
INSTALLED_APPS = [
    "unfold.apps.BasicAppConfig",  # its default would set a site of its own
    "unfold.contrib.filters",
    "project.desk.apps.DeskConfig",  # django.contrib.admin
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "django.contrib.sitemaps",
    "django_celery_results",
    "django_celery_beat",
    "django_htmx",
    "phonenumber_field",
    "axes",
    "csp",
    "project",
    "notifications",
    "media_jobs",
    "orders",
    # After our apps, whose templates replace those of allauth and others.
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.usersessions",
]

MIDDLEWARE = [
    "project.monitoring.requests.RequestMiddleware",
    "orders.api.problems.ProblemMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "project.programs.ProgramMiddleware",  # the rest is for pages
    "orders.shop.polls.PollMiddleware",
    "project.compression.CompressionMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "project.desk.policy.AdminPolicyMiddleware",
    "project.desk.input.DeskInputMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "orders.shop.languages.LanguageMiddleware",
    "orders.shop.bare_errors.BareErrorMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "project.replica.own_writes.OwnWriteMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "axes.middleware.AxesMiddleware",
    "orders.accounts.second_factor.SecondFactorMiddleware",
]
# What the API and the liveness page pass instead (project/programs.py).
PROGRAM_MIDDLEWARE = [
    "project.programs.HeaderMiddleware",
    "orders.shop.languages.LanguageMiddleware",
    "django.middleware.common.CommonMiddleware",
    "orders.api.problems.RefusedOrderMiddleware",
    "orders.api.client_access.ClientMiddleware",
]

ROOT_URLCONF = "project.urls"
WSGI_APPLICATION = "project.wsgi.application"
AUTH_USER_MODEL = "orders.User"
LOGIN_URL = reverse_lazy("account_login")  # the admin has a login page of its own
LOGIN_REDIRECT_URL = reverse_lazy("admin:index")  # so this is the admin's

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "project" / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "django.template.context_processors.i18n",
                "orders.shop.context.shop",
            ],
        },
    },
]

AUTHENTICATION_BACKENDS = [
    "axes.backends.AxesStandaloneBackend",
    "django.contrib.auth.backends.ModelBackend",
    "allauth.account.auth_backends.AuthenticationBackend",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]
# The number of our own proxies in front of the web process: that many entries at the end of
# X-Forwarded-For are trusted. Entries before them are the client's and are not. With none,
# no X-Forwarded-… is believed.
TRUSTED_PROXY_COUNT = environment.whole_number("TRUSTED_PROXY_COUNT", 0, most=20)
# Ten wrong passwords lock that user from that address (an IPv6 /64 counts as one) for an hour, in
# the admin and the shop.
AXES_FAILURE_LIMIT = 10
AXES_COOLOFF_TIME = 1
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_USERNAME_CALLABLE = "orders.accounts.guards.username"
AXES_CLIENT_IP_CALLABLE = "project.limits.client_address.counted_inet"
AXES_LOCKOUT_CALLABLE = "orders.shop.views.errors.locked_out"

# ── Accounts ────────────────────────────────────────────────────────────────────────────────
# docs/accounts.md says why. An account has no password before its address is confirmed.
ACCOUNT_ADAPTER = "orders.accounts.adapter.AccountAdapter"
ACCOUNT_FORMS = {
    "signup": "orders.accounts.entrance.SignUpForm",
    "login": "orders.accounts.entrance.SignInForm",
    "add_email": "orders.accounts.entrance.EmailChangeForm",
    "request_login_code": "orders.accounts.entrance.SignInCodeForm",
    "confirm_login_code": "orders.accounts.entrance.CodeForm",
    "confirm_email_verification_code": "orders.accounts.entrance.EmailCodeForm",
    "confirm_password_reset_code": "orders.accounts.entrance.CodeForm",
    "verify_phone": "orders.accounts.entrance.PhoneCodeForm",
    "reset_password": "orders.accounts.entrance.PasswordResetForm",
}
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*"]
ACCOUNT_UNIQUE_EMAIL = True
ACCOUNT_SIGNUP_REDIRECT_URL = reverse_lazy("account")
ACCOUNT_PREVENT_ENUMERATION = True
ACCOUNT_EMAIL_VERIFICATION = "mandatory"
ACCOUNT_EMAIL_VERIFICATION_BY_CODE_ENABLED = True
ACCOUNT_EMAIL_VERIFICATION_SUPPORTS_RESEND = True
ACCOUNT_LOGIN_BY_CODE_ENABLED = True
ACCOUNT_LOGIN_BY_CODE_SUPPORTS_RESEND = True
ACCOUNT_PASSWORD_RESET_BY_CODE_ENABLED = True
ACCOUNT_PHONE_VERIFICATION_SUPPORTS_RESEND = True
# Six digits: a phone fills them in or shows its number keys. An address gets thirty codes a day
# with three tries each (orders/accounts/guesses.py), so a day of guessing opens one account of
# eleven thousand.
ALLAUTH_USER_CODE_FORMAT = {"numeric": True, "length": 6, "dashed": False}
ACCOUNT_CHANGE_EMAIL = True  # one address; the old one counts until the new one is confirmed
ACCOUNT_EMAIL_NOTIFICATIONS = True
ACCOUNT_REAUTHENTICATION_REQUIRED = True
ACCOUNT_EMAIL_SUBJECT_PREFIX = ""
ACCOUNT_SESSION_REMEMBER = True
# Seconds; the messages with the codes are valid as long.
ACCOUNT_EMAIL_VERIFICATION_BY_CODE_TIMEOUT = ACCOUNT_LOGIN_BY_CODE_TIMEOUT = 15 * 60
ACCOUNT_PASSWORD_RESET_BY_CODE_TIMEOUT = ACCOUNT_PHONE_VERIFICATION_TIMEOUT = 15 * 60
ACCOUNT_RATE_LIMITS = {
    "change_phone": "2/m/user,20/d/user",
    "confirmation_code": "3/m/user,20/d/user",
    "find_order": "10/m/ip,5/h/key",
    "request_login_code": "20/m/ip,3/m/key,30/d/key",
    "reset_password": "20/m/ip,5/m/key,30/d/key",
    "waiting_list": "10/m/ip,5/h/key",
}

# The staff's second factor. On: nobody gets into the desk without one.
STAFF_SECOND_FACTOR = environment.switch("STAFF_SECOND_FACTOR")
MFA_ADAPTER = "orders.accounts.second_factor.SecondFactorAdapter"
MFA_SUPPORTED_TYPES = ["totp", "recovery_codes"]
# Operators need no e-mail address; and here no account can sign in before its own is confirmed.
MFA_ALLOW_UNVERIFIED_EMAIL = True

# ── Database ────────────────────────────────────────────────────────────────────────────────
_connection_options = {
    "connect_timeout": 5,
    # A server that falls silent, with its machine or its network, is let go after six seconds:
    # by keepalives where we wait for its answer, by the other where it doesn't confirm what we
    # send, which the system would repeat for a quarter of an hour.
    "keepalives": 1,
    "keepalives_idle": 4,
    "keepalives_interval": 1,
    "keepalives_count": 2,
    "tcp_user_timeout": 6_000,
}
_same = {
    "CONN_HEALTH_CHECKS": True,
    "ATOMIC_REQUESTS": False,  # place_order refuses to run inside an open transaction
}
_database = {**environment.database("DATABASE_URL"), **_same}
# Behind a pooler that gives each transaction another session. Its role has the timeouts, because
# it passes none on, and no cursor of the server's outlives a transaction.
_pooled = environment.optional_database("PAGES_DATABASE_URL")
_pooled = _pooled if IS_WEB_PROCESS else None
_pages = {**_pooled, **_same, "DISABLE_SERVER_SIDE_CURSORS": True} if _pooled else _database
DATABASES = {
    "default": {
        **_pages,
        # Commands, relay and workers keep one connection per thread for ten minutes.
        "CONN_MAX_AGE": 0 if IS_WEB_PROCESS else 600,
        "OPTIONS": {
            **_connection_options,
            **_pages.get("OPTIONS", {}),  # the URL's: sslmode, sslrootcert
            # Not in workers: Celery closes the pool after each prefork task.
            # A request that waits for a lock or runs too long a statement times out with 503.
            **(
                {
                    "pool": POOL,
                    **({} if _pooled else {"options": timeouts.WEB.options}),
                }
                if IS_WEB_PROCESS
                else {}
            ),
        },
    },
    # The order writers' own connections, outside the pool: a writer must never wait for a slot
    # that its own waiting requests hold. The timeouts bound how long anything can hang: a row
    # locked by another session, a slow statement, our own process frozen with its locks held.
    "writer": {
        **_database,
        "CONN_MAX_AGE": None,
        "CONN_HEALTH_CHECKS": False,  # a writer repeats its batch on a new connection
        "OPTIONS": {
            **_connection_options,
            **_database.get("OPTIONS", {}),  # the URL's: sslmode, sslrootcert
            # By this name the writers know each other when they meet at a row.
            "application_name": "tandem-writer",
            # Few statements, run often, with long arrays: planned once and sent in binary.
            "server_side_binding": True,
            "prepare_threshold": 2,
            "options": timeouts.WRITER.options,
        },
        "TEST": {"MIRROR": "default"},
    },
}
# The writers of synthetic orders: they see the tables of the performance run and no others.
DATABASES[ALIAS] = {
    **DATABASES["writer"],
    "OPTIONS": {
        **DATABASES["writer"]["OPTIONS"],
        "application_name": "tandem-performance",
        "options": f"{timeouts.WRITER.options} -c search_path={SCHEMA}",
    },
}
# A hot standby for reads that may lag (project/replica). It must take no write, whatever it is.
_replica = environment.optional_database("REPLICA_DATABASE_URL", session="standby")
# A replica further behind than this is left out.
REPLICA_LAG_SECONDS = environment.whole_number("REPLICA_LAG_SECONDS", 10, least=1, most=3600)
DATABASE_ROUTERS = ["project.replica.router.ReplicaRouter"] if _replica else []
if _replica:
    _bounds = timeouts.WEB if IS_WEB_PROCESS else timeouts.WORKER
    DATABASES[REPLICA] = {
        **_replica,
        **_same,
        "CONN_MAX_AGE": 0 if IS_WEB_PROCESS else 600,
        "OPTIONS": {
            **_connection_options,
            # A page waits no longer for one that died with its machine: then the primary answers.
            "connect_timeout": 2,
            "tcp_user_timeout": 3000,
            **_replica.get("OPTIONS", {}),
            "options": f"{_bounds.options} -c default_transaction_read_only=on",
            **({"pool": {"min_size": 0, "max_size": 10, "timeout": 2}} if IS_WEB_PROCESS else {}),
        },
    }
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# ── Cache and sessions ──────────────────────────────────────────────────────────────────────
# Sessions live in PostgreSQL: ordering must need neither cache nor broker. So do the counts of
# allauth's rate limits, which it keeps in the default cache: all processes share them, and no
# server that is down can lock shoppers out or let guessers in.
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.db.DatabaseCache",
        "LOCATION": "project_cache",
        "OPTIONS": {"MAX_ENTRIES": 20_000},
    },
    # For an extension's own use: Tandem keeps nothing there.
    "server": environment.cache("CACHE_URL", "locmemcache://"),
}
SESSION_ENGINE = "django.contrib.sessions.backends.db"

# ── Security ────────────────────────────────────────────────────────────────────────────────
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = SECURE_SSL_REDIRECT = IS_PRODUCTION
# Plain-http probes of a load balancer must reach the health pages.
SECURE_REDIRECT_EXEMPT = [r"^healthz$", r"^readyz$", r"^metrics$"]
# Without a proxy of ours the header is the client's word.
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if TRUSTED_PROXY_COUNT else None
# Of a local run no browser remembers anything: its name, localhost, is that of other programs too.
_hsts_seconds = environment.whole_number("HSTS_SECONDS", 3600)
SECURE_HSTS_SECONDS = _hsts_seconds if IS_PRODUCTION else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = environment.switch("HSTS_SUBDOMAINS")
SECURE_HSTS_PRELOAD = environment.switch("HSTS_PRELOAD")
require_possible_hsts(
    seconds=_hsts_seconds,
    subdomains=SECURE_HSTS_INCLUDE_SUBDOMAINS,
    preload=SECURE_HSTS_PRELOAD,
)
# Whether these are on is the operator's choice, which Django's advice can't know.
SILENCED_SYSTEM_CHECKS = ["security.W005", "security.W021"]
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
CSRF_FAILURE_VIEW = "orders.shop.views.errors.csrf_failure"
_media = media_storage(environment.text("MEDIA_STORAGE", str(DATA_DIR / "media")))
CONTENT_SECURITY_POLICY = {
    # The admin has a policy of its own: see project/desk/policy.py.
    "EXCLUDE_URL_PREFIXES": ["/admin/"],
    "DIRECTIVES": {
        "default-src": [SELF],
        "script-src": [SELF, NONCE],
        "style-src": [SELF],
        "img-src": [SELF, "data:", *_media.origins],
        "media-src": [SELF, *_media.origins],
        "object-src": [NONE],
        "base-uri": [SELF],
        "form-action": [SELF, *payment_pages(PAYMENT_PROVIDERS, site_url=SITE_URL)],
        "frame-ancestors": [NONE],
    },
}
# Bytes; a larger body is refused before it is parsed. Above the megabyte that an API client may
# put into one field, so that it is told which one.
DATA_UPLOAD_MAX_MEMORY_SIZE = 2_500_000

# ── Languages and time ──────────────────────────────────────────────────────────────────────
LANGUAGE_CODE = "en"
FORMAT_MODULE_PATH = "project.formats"
LANGUAGES = [("en", "English"), ("zh-hans", "简体中文")]
# Before those of the installed apps: "Name" is ours to translate, not django-celery-beat's.
LOCALE_PATHS = [
    BASE_DIR / app / "locale"
    for app in ("project", "orders", "notifications", "media_jobs", "project/borrowed")
]
USE_I18N = USE_TZ = True
TIME_ZONE = environment.time_zone("TIME_ZONE", "UTC")

# ── Files ───────────────────────────────────────────────────────────────────────────────────
STATIC_URL = "/static/"
# Swagger UI. As an installed app ninja would be loaded by each worker, with pydantic and more.
STATICFILES_DIRS = [folder_of("ninja") / "static"]
MEDIA_URL = "/media/"
MEDIA_ROOT = _media.folder
MEDIA_ORIGINS = _media.origins  # what the pages' policies allow besides ourselves
# Local mode serves static files straight from the apps; production runs `collectstatic`.
WHITENOISE_USE_FINDERS = not IS_PRODUCTION
STATIC_ROOT = None if WHITENOISE_USE_FINDERS else BASE_DIR / "staticfiles"
STORAGES = {
    "default": _media.backend,
    "staticfiles": {
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
        if WHITENOISE_USE_FINDERS
        else "whitenoise.storage.CompressedManifestStaticFilesStorage"
    },
}
FILE_UPLOAD_PERMISSIONS = 0o640
# Limits of uploads, and of the files that a decoder reads.
MEDIA_MAX_PICTURE_MB = environment.whole_number("MEDIA_MAX_PICTURE_MB", 25, least=1, most=10_000)
MEDIA_MAX_MEGAPIXELS = environment.whole_number("MEDIA_MAX_MEGAPIXELS", 40, least=1, most=10_000)
MEDIA_MAX_VIDEO_MB = environment.whole_number("MEDIA_MAX_VIDEO_MB", 500, least=1, most=100_000)
MEDIA_MAX_VIDEO_MINUTES = environment.whole_number(
    "MEDIA_MAX_VIDEO_MINUTES", 10, least=1, most=24 * 60
)
# The number of videos that each media worker may add to those that are processed at a time.
MEDIA_VIDEOS_PER_WORKER = environment.whole_number("MEDIA_VIDEOS_PER_WORKER", 1, least=1, most=64)
# The number of files that one address may upload for personalised products in an hour without
# ordering them.
MAX_UPLOADS_PER_HOUR = environment.whole_number("MAX_UPLOADS_PER_HOUR", 20, least=1, most=1_000_000)
FFMPEG_BINARY = environment.program("FFMPEG_BINARY")  # empty: the one that imageio-ffmpeg brings

# ── Messages ────────────────────────────────────────────────────────────────────────────────
vars().update(environment.email("EMAIL_URL"))
EMAIL_TIMEOUT = 10  # seconds per socket operation; delivery bounds the whole send
DEFAULT_FROM_EMAIL = environment.sender(
    "DEFAULT_FROM_EMAIL", formataddr((SHOP_NAME, "shop@localhost"))
)
SERVER_EMAIL = DEFAULT_FROM_EMAIL
# Gateways by URL, in the order in which they are asked: see notifications/delivery/gateways.py.
SMS_URL = environment.text("SMS_URL")
SMS_ORDER = environment.text("SMS_ORDER")
SMS_TEMPLATES = environment.text("SMS_TEMPLATES")
# The place and the values in an http gateway's answer that mean success, by host; none: any 2xx.
SMS_SUCCESS = sms_success("SMS_SUCCESS", environment.text("SMS_SUCCESS"))
# Networks of our own that webhooks may reach, and by plain http; all others must be public.
WEBHOOK_INSIDE = networks("WEBHOOK_INSIDE", "127.0.0.0/8,::1" if TANDEM_LOCAL else "")
# The number of messages that a mail server or gateway gets in any minute; 0: no limit.
EMAIL_PER_MINUTE = a_minute("EMAIL_PER_MINUTE", environment.text("EMAIL_PER_MINUTE"))
SMS_PER_MINUTE = a_minute("SMS_PER_MINUTE", environment.text("SMS_PER_MINUTE"))
# The number of SMS a day, in all and by country. In a shop that knows no number but by orders, the
# first SMS to one waits until the order's e-mail was opened.
SMS_DAILY_CAP = sms_caps("SMS_DAILY_CAP", environment.text("SMS_DAILY_CAP", "2000"))
SMS_FIRST_NEEDS_EMAIL = environment.switch("SMS_FIRST_NEEDS_EMAIL")
# Hours without marketing messages, by the shop's clock; None: there are no such hours.
MARKETING_QUIET_HOURS = hours_of_day(
    "MARKETING_QUIET_HOURS", environment.text("MARKETING_QUIET_HOURS")
)

# ── Celery ──────────────────────────────────────────────────────────────────────────────────
# Simple on purpose: a job is a row; its lease and the relay's ringing are the only recovery.
CELERY_BROKER_URL = environment.broker("CELERY_BROKER_URL")
CELERY_RESULT_BACKEND = environment.result_backend("CELERY_RESULT_BACKEND", "django-db")
CELERY_RESULT_EXTENDED = True  # the admin shows a task's name and arguments
CELERY_TASK_DEFAULT_QUEUE = "default"
CELERY_TASK_SERIALIZER = CELERY_RESULT_SERIALIZER = "json"
CELERY_ACCEPT_CONTENT = CELERY_RESULT_ACCEPT_CONTENT = ["json"]
CELERY_TASK_ACKS_LATE = False  # a worker that dies is found by its lease, not by its ack
CELERY_TASK_TRACK_STARTED = False  # a duplicate delivery must not overwrite a result
# Beat tries once more, on a new connection. The relay doesn't: it rings such a job again.
CELERY_TASK_PUBLISH_RETRY_POLICY = {"max_retries": 1, "interval_start": 0}
# In our database project.schedule.prune deletes results; elsewhere Celery does, after a day.
CELERY_RESULT_EXPIRES = None if CELERY_RESULT_BACKEND == "django-db" else timedelta(days=1)
# A result backend that is down must not delay workers: the job's row has the result. Celery
# would try 20 times for each result, and wait for ever for one that hangs.
CELERY_RESULT_BACKEND_TRANSPORT_OPTIONS = {"retry_policy": {"max_retries": 1}}
CELERY_REDIS_SOCKET_TIMEOUT = 5.0
CELERY_REDIS_SOCKET_CONNECT_TIMEOUT = 3.0
CELERY_WORKER_PREFETCH_MULTIPLIER = 1  # a long job must not sit on short ones
# A process of the media pool is replaced after so many jobs, or when it holds so much memory
# after one: this frees the memory that decoders leak. It happens between jobs.
CELERY_WORKER_MAX_TASKS_PER_CHILD = 200
CELERY_WORKER_MAX_MEMORY_PER_CHILD = 512 * 1024  # KiB
# The memory that a job may allocate (project/celery.py). A worker's process holds 90 MB once it
# has loaded the decoders, and 160 with a photo: with less than this none is made.
WORKER_MEMORY_MB = environment.whole_number("WORKER_MEMORY_MB", 2048, least=256, most=1_048_576)
# On SIGQUIT (or SIGTERM with REMAP_SIGTERM=SIGQUIT) jobs have so many seconds to end before
# they are interrupted. For a plain SIGTERM see project/jobs/shutdown.py.
CELERY_WORKER_SOFT_SHUTDOWN_TIMEOUT = 8.0
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_BROKER_CONNECTION_TIMEOUT = 3.0
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_CONNECTION_MAX_RETRIES = None  # a worker waits for its broker for ever
CELERY_BROKER_TRANSPORT_OPTIONS = transport_options(CELERY_BROKER_URL)
# On RabbitMQ: a silent connection is noticed after twice this time, as on Redis.
CELERY_BROKER_HEARTBEAT = 10
# On RabbitMQ: kept on several nodes, the only replicated kind since version 4.
CELERY_TASK_DEFAULT_QUEUE_TYPE = CELERY_TASK_CREATE_MISSING_QUEUE_TYPE = "quorum"
CELERY_WORKER_CONSUMER = "project.celery:PlainConsumer"  # no queues for delays, see there
CELERY_TIMEZONE = TIME_ZONE
CELERY_ENABLE_UTC = True
CELERY_BEAT_SCHEDULER = "project.schedule.beat:HeartbeatScheduler"
# Written after each task, not every three minutes: the admin says when each runs next, and a
# killed beat doesn't begin with all of them again.
CELERY_BEAT_SYNC_EVERY = 1
CELERY_BEAT_MAX_LOOP_INTERVAL = 5  # seconds; also how often beat's heartbeat is written
# It concerns late acks only, which are off; False would log a warning at each reconnect.
CELERY_WORKER_CANCEL_LONG_RUNNING_TASKS_ON_CONNECTION_LOSS = True

# ── Figures ─────────────────────────────────────────────────────────────────────────────────
# Who may read /metrics: addresses and networks, and who brings the token. Nobody else.
METRICS_ALLOWED = networks("METRICS_ALLOWED", "127.0.0.0/8,::1" if TANDEM_LOCAL else "")
METRICS_TOKEN = environment.text("METRICS_TOKEN")
if METRICS_TOKEN and IS_PRODUCTION:
    environment.require_secrets("METRICS_TOKEN", METRICS_TOKEN)
# StatsD's IP address and port, for UDP; None: nothing is sent.
STATSD_ADDRESS = udp_address("STATSD_ADDRESS")

# ── Traces ─────────────────────────────────────────────────────────────────────────────────
# Whether spans are sent: OpenTelemetry's variables name the collector. And from whose requests a
# trace is gone on with: addresses and networks.
TRACES_ARE_SENT = traces_are_sent(os.environ)
OTEL_SERVICE_NAME = environment.label("OTEL_SERVICE_NAME", "tandem")
TRACES_TRUSTED = networks("TRACES_TRUSTED")

# ── Logs and errors ─────────────────────────────────────────────────────────────────────────
LOGGING = logging_config(json=IS_PRODUCTION)
LOGGING_CONFIG = "logging.config.dictConfig"
if SENTRY_DSN := environment.sentry("SENTRY_DSN"):
    with environment.named("SENTRY_DSN", "give the address that Sentry shows"):
        start_sentry(SENTRY_DSN, secrets=secrets_of(os.environ, SETTING_NAMES))
