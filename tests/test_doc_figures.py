"""The figures that the docs promise are those of the code."""

import re

import pytest

from media_jobs import receiving, signed_urls
from notifications.channels import http, smtp
from notifications.delivery import attempt, breaker
from notifications.delivery import log as message_log
from notifications.desk import errors
from notifications.mailbox import store
from notifications.receipts import signature
from orders.accounts import unconfirmed
from orders.api import products as api_products
from orders.imports import package, pictures, table
from orders.imports import run as import_run
from orders.messages import announcements
from orders.payments import attempts, webhook
from orders.payments.test_bank import store as bank_store
from orders.payments.test_bank import views as bank_views
from orders.placing import placement, request
from orders.quotes import asking, keeping, sense
from orders.quotes import breaker as quote_breaker
from orders.quotes import threads as quote_threads
from project import relay, settings
from project.desk import all_at_once
from project.jobs import handler, publisher, queryset, shutdown
from project.limits import rates
from project.local import data_folder
from project.local.env import ROOT
from project.replica import reading
from project.schedule import passes, prune

PROMISES = [
    ("notifications.md", "for {:.0f} seconds and up to", smtp.KEEP_SECONDS),
    ("notifications.md", "up to {} messages", smtp.MAX_MESSAGES),
    ("notifications.md", "A send has {:.0f} s in all", attempt.SEND_SECONDS),
    ("notifications.md", "breaker for {:.0f} s", breaker.FIRST_PAUSE.total_seconds()),
    ("notifications.md", "at most {:.0f} minutes", breaker.LONGEST_PAUSE.total_seconds() / 60),
    ("notifications.md", "followed by another after {:.0f} s", breaker.PROBE_TIME.total_seconds()),
    ("notifications.md", "latest {:,} troubled messages", errors.SAMPLE),
    ("notifications.md", "UPDATEs of {:,} rows each", all_at_once.BATCH_SIZE),
    ("notifications.md", "after {:.0f} s the page answers", all_at_once.MAX_SECONDS),
    ("notifications.md", "latest {}; waits for one reason", message_log.KEEP),
    ("notifications.md", "the newest {:,}", store.KEEP),
    ("notifications.md", "more than {:.0f} minutes is refused", signature.TOLERANCE / 60),
    ("notifications.md", "after `KEEP_MESSAGES_DAYS` ({})", settings.KEEP_MESSAGES_DAYS),
    ("notifications.md", "after `KEEP_MESSAGE_HTML_DAYS` ({})", settings.KEEP_MESSAGE_HTML_DAYS),
    ("jobs.md", "every {:.0f} ms", relay.INTERVAL * 1000),
    ("jobs.md", "after {} attempts", queryset.MAX_ATTEMPTS),
    ("jobs.md", "worker died {} times", queryset.MAX_LOST),
    ("jobs.md", "**No broker for {:.0f} s:**", relay.BROKER_GRACE),
    ("jobs.md", "jobs itself, in {} threads for each model", relay.DIRECT_THREADS),
    ("webhooks.md", "after `KEEP_WEBHOOKS_DAYS` ({})", settings.KEEP_WEBHOOKS_DAYS),
    ("jobs.md", "deleted after {} days", handler.KEEP_JOBS.days),
    ("jobs.md", "released after {:.0f} s", shutdown.SHUTDOWN_SECONDS),
    ("running.md", "finish, {:.0f} s at most", shutdown.SHUTDOWN_SECONDS),
    ("running.md", "{} MB are needed to begin", data_folder.ENOUGH_SPACE // 2**20),
    ("brokers-and-results.md", "{:.0f} s to connect", publisher.CONNECT_SECONDS),
    ("brokers-and-results.md", "deletes after {} days", prune.KEEP_RESULTS.days),
    ("imports.md", "more than {:,} files", package.MAX_FILES),
    ("imports.md", "more than {:.0f} GB", package.MAX_TOTAL_BYTES / 1e9),
    ("imports.md", "more than {} times the packed size", package.MAX_RATIO),
    ("imports.md", "a table {:.0f} MB", package.MAX_TABLE_BYTES / 1e6),
    ("imports.md", "and {:,} rows", table.MAX_ROWS),
    ("imports.md", "at most {:,} characters", table.MAX_HEADER),
    ("imports.md", "{} rows at a time", import_run.BATCH_ROWS),
    ("imports.md", "{} threads: read, hash, store", pictures.THREADS),
    ("order-life.md", "first, {:.0f} s a run", passes.RUN_SECONDS),
    ("announcements.md", "desk job: {} readers", announcements.BATCH_SIZE),
    (
        "payments.md",
        "the relay asks the provider about open attempts: {:.0f} s",
        attempts.SOONEST.seconds,
    ),
    ("payments.md", "else after {} minute", attempts.UNRETURNED.seconds // 60),
    ("payments.md", "up to {} day", attempts.LATEST.days),
    ("payments.md", "above {} KiB", webhook.MAX_BODY // 1024),
    ("payments.md", "the newest {}", bank_store.KEEP),
    ("payments.md", "at once, {:.0f} s late", bank_views.LATE),
    ("quotes.md", "and for {} s at most", asking.SECONDS),
    ("quotes.md", "has {} threads of its own", quote_threads.THREADS),
    ("quotes.md", "in a row for {:.0f} s, then", quote_breaker.FIRST_PAUSE),
    ("quotes.md", "{:.0f} min at most; one request probes", quote_breaker.LONGEST_PAUSE / 60),
    ("quotes.md", "for {:.0f} min it is shown", keeping.FRESH.total_seconds() / 60),
    ("quotes.md", "for {:.0f} min an order may", keeping.VALID.total_seconds() / 60),
    ("quotes.md", "above {:,.0f}", sense.DEAREST),
    ("quotes.md", "at most {} services", sense.MOST_SERVICES),
    ("quotes.md", "carriers asked {} times a minute", rates.QUOTES.allowed),
    ("accounts.md", "within {} days", unconfirmed.KEEP_UNCONFIRMED.days),
    ("api.md", "{} products a page", api_products.PAGE_SIZE),
    ("api.md", "At most {} lines", request.MAX_LINES),
    ("api.md", "from 1 to {}, never", request.MAX_QUANTITY),
    ("api.md", "Send less than {} MB", settings.DATA_UPLOAD_MAX_MEMORY_SIZE / 1e6),
    ("api.md", "may have {} uploads an hour", settings.MAX_UPLOADS_PER_HOUR),
    ("group-commit.md", "({:.0f} s for orders)", placement.DEADLINE),
    ("group-commit.md", "gets {:.0f} s more", placement.GRACE),
    ("media.md", "{} files at once per process", receiving.MAX_AT_ONCE),
    ("scaling.md", "`REPLICA_LAG_SECONDS` ({})", settings.REPLICA_LAG_SECONDS),
    ("scaling.md", "it waits {:.0f} s for the replica", reading.CATCH_UP_SECONDS),
    ("media.md", "valid for {} to two hours", signed_urls.VALID // 3600),
]
WORDS = {1: "one", 3: "three", 5: "five", 7: "seven", 10: "ten", 16: "sixteen", 50: "fifty"}


@pytest.mark.parametrize(("page", "sentence", "figure"), PROMISES)
def test_a_promised_figure_is_that_of_the_code(page: str, sentence: str, figure: float) -> None:
    text = " ".join((ROOT / "docs" / page).read_text().split()).casefold()
    digits = sentence.format(figure).casefold()
    words = re.sub(r"\{.*?\}", WORDS.get(int(figure), "-"), sentence).casefold()

    assert digits in text or words in text


def test_an_hour_is_the_longest_retry_after() -> None:
    text = " ".join((ROOT / "docs/notifications.md").read_text().split())

    assert "(seconds or a date, an hour at most)" in text
    assert http.LONGEST_RETRY_AFTER.total_seconds() == 3600
