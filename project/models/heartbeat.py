"""The processes' heartbeats."""

import os
import socket
from datetime import timedelta
from typing import Any

from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from project.process_ids import is_running
from project.text import clean_json


def process_name(service: str) -> str:
    """Return how this process is called among the heartbeats: `relay@host:pid`.

    `service` may have its host already, as Celery's workers do. With the pid, because two
    processes of a service on one host must not sign for each other.
    """
    host = "" if "@" in service else f"@{socket.gethostname()}"
    return f"{service}{host}:{os.getpid()}"


FORGET_AFTER = timedelta(hours=1)
"""How long a silent process is shown while others of its service live."""


SILENT_AFTER = timedelta(seconds=20)
"""The silence after which a process counts as gone: a worker beats every five seconds or so."""


class HeartbeatQuerySet(models.QuerySet["Heartbeat"]):
    def beat(self, name: str, **detail: Any) -> None:
        """Record that `name` is alive now, with its own detail.

        The first time it takes the place of a dead process of its service on its host, which a
        supervisor has started anew; every time, those are forgotten that have been silent for
        FORGET_AFTER while it lives.
        """
        _heartbeat, is_new = self.update_or_create(
            name=name, defaults={"seen_at": Now(), "detail": clean_json(detail)}
        )
        others = self.exclude(name=name)
        if is_new and (replaced := _dead_predecessor(others.filter(name__startswith=_stem(name)))):
            self.filter(name=replaced).delete()
        service = name.partition("@")[0]
        others.filter(name__startswith=f"{service}@", seen_at__lt=Now() - FORGET_AFTER).delete()

    def living(self, service: str, *, within: timedelta) -> "HeartbeatQuerySet":
        """Return the processes of a service that beat in that time."""
        return self.filter(name__startswith=f"{service}@", seen_at__gte=Now() - within)

    def count_living(self, service: str) -> int:
        """Return how many processes of a service beat in the last seconds."""
        return self.living(service, within=SILENT_AFTER).count()

    def retire(self, name: str) -> None:
        """Forget a process that stops as it was asked to, unless it is the last of its service.

        The last one stays, so that the health pages say since when the service isn't there.
        """
        service = name.partition("@")[0]
        if self.filter(name__startswith=f"{service}@").exclude(name=name).exists():
            self.filter(name=name).delete()


def _stem(name: str) -> str:
    """Return `SERVICE@host:`, what the processes of a service on one host have in common."""
    return name.rpartition(":")[0] + ":"


def _dead_predecessor(candidates: models.QuerySet["Heartbeat"]) -> str | None:
    """Return the one of them seen last whose process is gone from this host."""
    for name in candidates.order_by("-seen_at").values_list("name", flat=True):
        pid = name.rpartition(":")[2]
        if pid.isascii() and pid.isdecimal() and not is_running(int(pid)):
            return name
    return None


class Heartbeat(models.Model):
    """The last heartbeat of a relay, worker or beat, on the database's clock."""

    name = models.CharField(_("name"), max_length=300, primary_key=True)
    """`SERVICE@host:pid`; a host's name may have 253 characters."""
    seen_at = models.DateTimeField(_("seen"), db_default=Now())
    detail = models.JSONField(_("detail"), default=dict, blank=True)

    objects = HeartbeatQuerySet.as_manager()

    class Meta:
        verbose_name = _("heartbeat")
        verbose_name_plural = _("heartbeats")
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name
