"""Loads the URLs of a running `bin/up` for `manage.py` commands in other terminals."""

import os
from collections.abc import Mapping
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
# The variables of `.env.example`: they tell one shop, and its servers, from another.
SETTING_NAMES = (
    *("TANDEM_DATA", "TANDEM_LOCAL", "PORT", "SITE_URL", "SECRET_KEY", "SECRET_KEY_FALLBACKS"),
    *("DEBUG", "ALLOWED_HOSTS", "CSRF_TRUSTED_ORIGINS", "TRUSTED_PROXY_COUNT"),
    *("HSTS_SECONDS", "HSTS_SUBDOMAINS", "HSTS_PRELOAD"),
    *("DATABASE_URL", "PAGES_DATABASE_URL", "CACHE_URL"),
    *("REPLICA_DATABASE_URL", "REPLICA_LAG_SECONDS"),
    *("CELERY_BROKER_URL", "CELERY_RESULT_BACKEND"),
    *("EMAIL_URL", "DEFAULT_FROM_EMAIL", "SMS_URL"),
    *("SMS_ORDER", "SMS_SUCCESS", "SMS_TEMPLATES", "MARKETING_QUIET_HOURS"),
    *("WEBHOOK_INSIDE", "KEEP_WEBHOOKS_DAYS"),
    *("EMAIL_PER_MINUTE", "SMS_PER_MINUTE"),
    *("BACKUP_FOLDER", "BACKUP_KEEP"),
    *("MEDIA_STORAGE", "FFMPEG_BINARY", "SENTRY_DSN", "SHOP_NAME", "SHOP_COUNTRY"),
    *("SHOP_CURRENCY", "TIME_ZONE", "STAFF_EMAILS", "PAYMENT_DUE_HOURS", "WORKER_MEMORY_MB"),
    *("KEEP_MESSAGES_DAYS", "KEEP_MESSAGE_HTML_DAYS", "KEEP_SIGN_INS_DAYS"),
    *("KEEP_DESK_LOG_DAYS", "KEEP_PERSON_EXPORTS_DAYS", "KEEP_INVOICES_YEARS"),
    *("RECEIPT_SECRETS", "HOLD_MINUTES", "LOW_STOCK_UNITS", "MAX_UPLOADS_PER_HOUR"),
    *("PAYMENT_PROVIDERS", "PAYMENT_INSTRUCTIONS", "STRIPE_SECRET_KEY", "STRIPE_WEBHOOK_SECRET"),
    *("PAYMENT_ACCOUNT_HOLDER", "PAYMENT_ACCOUNT_IBAN", "PAYMENT_ACCOUNT_BIC"),
    *("PAYMENT_AT_PICKUP", "TRACKING_LINKS", "RETURN_DAYS", "LATE_RETURNS"),
    *("DELIVERY_PICKUP", "DELIVERY_FLAT_RATE", "DELIVERY_BY_WEIGHT", "DELIVERY_CARRIERS"),
    "DELIVERY_TABLE",
    *("DELIVERY_DAYS", "DELIVERY_UNKNOWN_WEIGHT"),
    *("COMPANY_NAME", "COMPANY_ADDRESS", "COMPANY_TAX_ID", "COMPANY_IBAN"),
    *("TAX_RATE", "INVOICE_ON"),
    *("ORDER_LIMITS", "API_CLIENT_LIMIT", "SMS_DAILY_CAP", "SMS_FIRST_NEEDS_EMAIL"),
    *("STAFF_SECOND_FACTOR", "KEEP_PAGES_SECONDS", "DRAIN_SECONDS"),
    *("PERFORMANCE_RATE", "PERFORMANCE_SECONDS", "PERFORMANCE_URL", "PERFORMANCE_MOST_TRAFFIC"),
    *("METRICS_ALLOWED", "METRICS_TOKEN", "STATSD_ADDRESS"),
    *("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_HEADERS", "OTEL_SERVICE_NAME"),
    "TRACES_TRUSTED",
    *("MEDIA_MAX_PICTURE_MB", "MEDIA_MAX_MEGAPIXELS"),
    *("MEDIA_MAX_VIDEO_MB", "MEDIA_MAX_VIDEO_MINUTES", "MEDIA_VIDEOS_PER_WORKER"),
)
_loaded: set[str] = set()


def data_path() -> Path:
    """The folder that `$TANDEM_DATA` names, absolute."""
    return Path(os.environ.get("TANDEM_DATA") or ROOT / ".data").absolute()


def load_local_env() -> None:
    """Set the variables of `$TANDEM_DATA/env` that the environment lacks; real variables win."""
    try:
        lines = (data_path() / "env").read_text().splitlines()
    except OSError:
        return
    for line in lines:
        name, equals, value = line.partition("=")
        if equals and name not in os.environ:
            os.environ[name] = value
            _loaded.add(name)


def given_environment() -> dict[str, str]:
    """Return the environment as this process got it, without the variables of `load_local_env`.

    `bin/up` embeds the servers that aren't given, and the file names those of its last run.
    """
    return {name: value for name, value in os.environ.items() if name not in _loaded}


def without_settings(environment: Mapping[str, str]) -> dict[str, str]:
    """Return `environment` without the variables that name another shop or its servers."""
    return {name: value for name, value in environment.items() if name not in SETTING_NAMES}
