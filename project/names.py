"""The names of services, tasks, states and results as people read them at the desk.

The rows keep the programs' own names; an unknown name is shown as it is.
"""

import json
import re
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, gettext_noop, ngettext, pgettext, pgettext_lazy

from project.jobs.queryset import Status

SERVICES: dict[str, str | Promise] = {
    "database": gettext_lazy("Database"),
    "relay": gettext_lazy("Relay"),
    "broker": gettext_lazy("Broker"),
    "notify": gettext_lazy("Worker for messages"),
    "media": gettext_lazy("Worker for media"),
    "default": gettext_lazy("Worker for other work"),
    "beat": gettext_lazy("Scheduler"),
    "sweeps": gettext_lazy("Sweeps"),
    "daily": gettext_lazy("Daily work"),
    "channel:email": gettext_lazy("Messages by e-mail"),
    "channel:sms": gettext_lazy("Messages by SMS"),
    "queue:notify": gettext_lazy("Queue of messages"),
    "queue:media": gettext_lazy("Queue of pictures and videos"),
    "queue:default": gettext_lazy("Queue of other work"),
}
QUEUES: dict[str, str | Promise] = {
    "notify": gettext_lazy("Messages"),
    "media": gettext_lazy("Pictures and videos"),
    "default": gettext_lazy("Other work"),
}
TASKS: dict[str, str | Promise] = {
    "project.tasks.audit": gettext_lazy("Audit"),
    "project.tasks.audit_all": gettext_lazy("Audit of everything"),
    "project.tasks.backup": gettext_lazy("Backup"),
    "project.tasks.catch_up": gettext_lazy("Catch up"),
    "project.tasks.prune": gettext_lazy("Prune"),
    "project.tasks.run_now": gettext_lazy("Run by hand"),
    "orders.tasks.prune_uploads": gettext_lazy("Prune uploads"),
    "orders.tasks.expire": gettext_lazy("Unpaid orders"),
    "orders.tasks.low_stock": gettext_lazy("Low stock"),
    "orders.tasks.daily_report": gettext_lazy("Daily report"),
    "orders.tasks.performance": gettext_lazy("Performance run"),
    "orders.tasks.work": gettext_lazy("Desk job"),
    "media_jobs.tasks.process": gettext_lazy("Media job"),
    "notifications.tasks.send": gettext_lazy("Message"),
    "notifications.tasks.deliver": gettext_lazy("Webhook"),
}
SWEEPS: dict[str, str | Promise] = {
    "tidy_performance": gettext_lazy("Tidy up after a performance run"),
    "settle_due": gettext_lazy("Settle orders"),
    "expire_due": gettext_lazy("Cancel unpaid orders"),
    "give_back_expired": gettext_lazy("Give expired holds back"),
    "apply_scheduled": gettext_lazy("Scheduled changes"),
    "send_announcements": gettext_lazy("Announcements"),
    "look_at_attempts": gettext_lazy("Ask providers about open payments"),
    "tell_back_in_stock": gettext_lazy("Tell what is back in stock"),
    "tell_media_ready": gettext_lazy("Tell that media are ready"),
    "wake": gettext_lazy("Wake parked messages"),
    "count_quarters": gettext_lazy("Count sales"),
    "sample_queues": gettext_lazy("Watch the queues"),
    "forget_ended_counters": gettext_lazy("Forget ended limits"),
    "note_popularity": gettext_lazy("Rank products by sales"),
    "keep_vocabulary": gettext_lazy("Words of the search"),
}
STATES: dict[str, str | Promise] = {
    "ok": pgettext_lazy("service", "ok"),
    "unknown": pgettext_lazy("service", "unknown"),
    "not seen yet": pgettext_lazy("service", "not seen yet"),
    "paused": pgettext_lazy("service", "paused"),
}
RESULTS: dict[str, str | Promise] = {
    "clean": pgettext_lazy("result", "clean"),
    "drift": pgettext_lazy("result", "drift"),
    "day": pgettext_lazy("result", "day"),
    "error": pgettext_lazy("result", "error"),
    "expired": pgettext_lazy("result", "expired"),
    "orders": pgettext_lazy("result", "orders"),
    "products": pgettext_lazy("result", "products"),
    "recipients": pgettext_lazy("result", "recipients"),
    "result": pgettext_lazy("result", "result"),
    "told before": pgettext_lazy("result", "told before"),
    "uploads": pgettext_lazy("result", "uploads"),
    "pid": pgettext_lazy("result", "process"),
    "results": pgettext_lazy("result", "task results"),
    "sessions": pgettext_lazy("result", "sessions"),
    "media files": pgettext_lazy("result", "media files"),
    "copied files": pgettext_lazy("result", "copied files"),
    "removed": pgettext_lazy("result", "removed backups"),
    "abandoned carts": pgettext_lazy("result", "abandoned carts"),
    "old clearings of carts": pgettext_lazy("result", "records of emptied carts"),
    "ended holds": pgettext_lazy("result", "ended holds"),
    "answers to API clients": pgettext_lazy("result", "answers to API clients"),
    "checkouts of agents": pgettext_lazy("result", "checkouts of agents"),
    "checkouts of agents' orders": pgettext_lazy("result", "checkouts of agents' orders"),
    "carts of agents": pgettext_lazy("result", "carts of agents"),
    "answers to agents": pgettext_lazy("result", "answers to agents"),
    "platforms of agents": pgettext_lazy("result", "platforms of agents"),
    "links with agents": pgettext_lazy("result", "links with agents"),
    "checkout drafts": pgettext_lazy("result", "drafts of checkouts"),
    "carriers' answers": pgettext_lazy("result", "carriers' answers"),
    "ended sessions": pgettext_lazy("result", "ended sessions"),
    "heartbeats": pgettext_lazy("result", "heartbeats"),
    "audits": pgettext_lazy("result", "audits"),
    "daily runs": pgettext_lazy("result", "daily runs"),
    "queue samples": pgettext_lazy("result", "samples of queues"),
    "sales quarters": pgettext_lazy("result", "quarters of an hour with sales"),
    "unconfirmed waiting list entries": pgettext_lazy(
        "result", "unconfirmed entries of waiting lists"
    ),
    "waiting list entries": pgettext_lazy("result", "entries of waiting lists"),
    "restocks": pgettext_lazy("result", "restocks"),
    "fell": pgettext_lazy("result", "fell"),
    "stopped": pgettext_lazy("result", "stopped"),
    "gave_way": pgettext_lazy("result", "gave way to shoppers"),
    "failed": pgettext_lazy("result", "failed"),
    "interrupted": pgettext_lazy("result", "interrupted"),
    "skipped": pgettext_lazy("result", "skipped"),
    "p99": pgettext_lazy("result", "p99 in milliseconds"),
    "unconfirmed accounts": pgettext_lazy("result", "unconfirmed accounts"),
    "HTML of messages": pgettext_lazy("result", "HTML of messages"),
    "known numbers": pgettext_lazy("result", "known phone numbers"),
    "dry_run": pgettext_lazy("result", "dry run"),
    "created": pgettext_lazy("result", "created"),
    "changed": pgettext_lazy("result", "changed"),
    "unchanged": pgettext_lazy("result", "unchanged"),
    "refused": pgettext_lazy("result", "refused"),
    "categories": pgettext_lazy("result", "new categories"),
    "pictures": pgettext_lazy("result", "pictures"),
    "rows": pgettext_lazy("result", "rows"),
    "cancelled": pgettext_lazy("result", "cancelled"),
    "renditions": pgettext_lazy("result", "files"),
    "placeholder": pgettext_lazy("result", "placeholder"),
    "recipe_hash": pgettext_lazy("result", "version of the recipe"),
    "refusal": pgettext_lazy("result", "refusal"),
    "name": pgettext_lazy("result", "name"),
    "format": pgettext_lazy("result", "format"),
    "width": pgettext_lazy("result", "width"),
    "height": pgettext_lazy("result", "height"),
    "size": pgettext_lazy("result", "bytes"),
    "file": pgettext_lazy("result", "file"),
    "provider_id": pgettext_lazy("result", "the provider's id"),
    "answer": pgettext_lazy("result", "answer"),
    "seconds": pgettext_lazy("result", "seconds"),
    "notification": pgettext_lazy("result", "messages"),
    "webhook": pgettext_lazy("result", "deliveries to webhooks"),
    "webhook deliveries": pgettext_lazy("result", "deliveries to webhooks"),
    "media": pgettext_lazy("result", "media jobs"),
    "desk": pgettext_lazy("result", "desk jobs"),
    "schedule": pgettext_lazy("result", "runs by hand"),
    "exports of persons": pgettext_lazy("result", "exports of persons"),
    "audit log": pgettext_lazy("result", "entries of the audit log"),
    "decisions about jobs": pgettext_lazy("result", "decisions about jobs"),
    "wrong passwords": pgettext_lazy("result", "wrong passwords"),
    "log of wrong passwords": pgettext_lazy("result", "log of wrong passwords"),
    "log of sign-ins": pgettext_lazy("result", "log of sign-ins"),
    "performance runs": pgettext_lazy("result", "performance runs"),
    "buyers of erased persons": pgettext_lazy("result", "buyers on old invoices"),
    "ended cache entries": pgettext_lazy("result", "ended cache entries"),
    "account": pgettext_lazy("result", "accounts"),
    "messages": pgettext_lazy("result", "messages"),
    "back_in_stock": pgettext_lazy("result", "products waited for"),
    "sign_ins": pgettext_lazy("result", "sign-ins"),
    "changes": pgettext_lazy("result", "changes by the staff"),
    "files": pgettext_lazy("result", "files"),
    "log entries": pgettext_lazy("result", "entries of the audit log"),
    "phone numbers": pgettext_lazy("result", "phone numbers"),
    "drafts of checkouts": pgettext_lazy("result", "drafts of checkouts"),
    "sign-in attempts": pgettext_lazy("result", "wrong passwords"),
    "counters": pgettext_lazy("result", "counters of limits"),
    "orders of others": pgettext_lazy("result", "orders of other accounts"),
    "accounts": pgettext_lazy("result", "accounts"),
    "addresses of accounts": pgettext_lazy("result", "e-mail addresses of accounts"),
    "exports": pgettext_lazy("result", "exports of persons"),
    "reports": pgettext_lazy("result", "files of desk jobs"),
    "texts": pgettext_lazy("result", "texts in logs"),
}
CELERY_STATES: dict[str, str | Promise] = {
    "SUCCESS": Status.DONE.label,
    "FAILURE": Status.FAILED.label,
    "STARTED": Status.RUNNING.label,
    "PENDING": Status.QUEUED.label,
    "RECEIVED": Status.QUEUED.label,
    "RETRY": pgettext_lazy("task", "tried again"),
    "REVOKED": Status.CANCELLED.label,
    "IGNORED": pgettext_lazy("task", "ignored"),
}
RESULT_STATES = ("SUCCESS", "FAILURE", "RETRY", "REVOKED", "IGNORED")
"""The states that Celery's result of a task ends with."""
UNMARKED = (gettext_noop("chord counter"),)
"""Names of third-party models that their own packages don't mark for translation."""
PERMISSIONS: dict[str, str | Promise] = {
    "add": gettext_lazy("Can add %(model)s"),
    "change": gettext_lazy("Can change %(model)s"),
    "delete": gettext_lazy("Can delete %(model)s"),
    "view": gettext_lazy("Can view %(model)s"),
}
_SILENT = re.compile(r"not seen for (\d+) s")
_SINCE = re.compile(r"(?s)(.*) \(for (\d+) s\)")
_LATE, _FAILING = "late: ", "failing: "
_NEVER_DONE, _NOT_DONE = re.compile(r"(\w+) never done"), re.compile(r"(\w+) not done for (\d+) s")
_SOME_SILENT = re.compile(r"(\d+) of (\d+): (.*)")
_PAUSED_BY = re.compile(r"(?s)paused by (.*)")
_SILENT_PROCESS = re.compile(r"(\S+) not seen for (\d+) s")


def service_name(name: str) -> str:
    """Return a service's name in words; a heartbeat `SERVICE@host` keeps its host."""
    service, at, host = name.partition("@")
    words = str(SERVICES.get(service, service))
    return f"{words} ({host})" if at else words


def service_state(state: str) -> str:
    """Return the state of a health check in words."""
    if silent := _SILENT.fullmatch(state):
        seconds = int(silent[1])
        text = ngettext("not seen for %(count)d second", "not seen for %(count)d seconds", seconds)
        return text % {"count": seconds}
    if state.startswith(_LATE):
        late = map(_late_sweep, state.removeprefix(_LATE).split(", "))
        return _("late: %(sweeps)s") % {"sweeps": pgettext("between parts", ", ").join(late)}
    if state.startswith(_FAILING):
        names = state.removeprefix(_FAILING).split(", ")
        works = pgettext("between parts", ", ").join(str(TASKS.get(name, name)) for name in names)
        return _("failing: %(works)s") % {"works": works}
    if since := _SINCE.fullmatch(state):
        # A provider's own words stay as they are: people search for them.
        words = STATES.get(since[1], since[1])
        return _("%(state)s (for %(seconds)s s)") % {"state": words, "seconds": since[2]}
    return str(STATES.get(state, state))


def service_note(note: str) -> str:
    """Return a health check's note in words: silent processes beside others, a paused queue."""
    if paused := _PAUSED_BY.fullmatch(note):
        return _("paused by %(user)s") % {"user": paused[1]}
    found = _SOME_SILENT.fullmatch(note)
    if not found:
        return note
    names = [
        _("%(name)s not seen for %(seconds)s s") % {"name": process[1], "seconds": process[2]}
        if (process := _SILENT_PROCESS.fullmatch(part))
        else part
        for part in found[3].split(", ")
    ]
    return _("%(silent)s of %(all)s: %(names)s") % {
        "silent": found[1],
        "all": found[2],
        "names": pgettext("between parts", ", ").join(names),
    }


def _late_sweep(said: str) -> str:
    if never := _NEVER_DONE.fullmatch(said):
        return _("%(sweep)s never done") % {"sweep": sweep_name(never[1])}
    if late := _NOT_DONE.fullmatch(said):
        values = {"sweep": sweep_name(late[1]), "seconds": late[2]}
        return _("%(sweep)s not done for %(seconds)s s") % values
    return said


def task_name(name: str) -> str:
    """Return the name of a Celery task, or of daily work, in words."""
    return str(TASKS.get(name, name))


def permission_name(permission: Any) -> str:
    """Return what a permission allows, in words: “Can change order”."""
    action, _separator, _model = permission.codename.partition("_")
    words = PERMISSIONS.get(action)
    if words is None:
        return _(permission.name)
    return str(words) % {"model": _(permission.content_type.name)}


def queue_name(name: str) -> str:
    """Return the name of a queue in words: what its jobs are about."""
    return str(QUEUES.get(name, name))


def sweep_name(name: str) -> str:
    """Return the name of a sweep in words."""
    return str(SWEEPS.get(name, name))


def celery_state(state: str) -> str:
    """Return Celery's state of a task in words."""
    return str(CELERY_STATES.get(state, state))


def in_words(result: Any) -> str:
    """Return a run's result, small JSON, as an operator reads it: `orders: 3, recipients: 1`."""
    if isinstance(result, dict):
        parts = (f"{_label(name)}: {in_words(value)}" for name, value in result.items())
        return pgettext("between parts", ", ").join(parts) or "–"
    if isinstance(result, list):
        return pgettext("between parts", ", ").join(in_words(value) for value in result) or "–"
    if isinstance(result, bool):
        return _("yes") if result else _("no")
    return "–" if result is None else str(result)


def stored_result(text: str | None) -> str:
    """Return Celery's stored result of a task, JSON, in words."""
    try:
        return in_words(json.loads(text)) if text else ""
    except ValueError:
        return str(text)


def _label(name: str) -> str:
    return str(RESULTS.get(name) or TASKS.get(name) or SERVICES.get(name) or name)
