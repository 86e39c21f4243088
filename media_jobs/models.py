"""Assets (originals), media jobs, and the renditions that the jobs made."""

import hashlib
import json
from datetime import timedelta

from django.core.serializers.json import DjangoJSONEncoder
from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from project.jobs.model import Job
from project.text import isolate


class Asset(models.Model):
    """An original file. No job ever changes or deletes it."""

    file = models.FileField(_("file"), upload_to="originals/%Y/%m/", max_length=200)
    name = models.CharField(_("name"), max_length=200, blank=True)
    sha256 = models.CharField(_("SHA-256"), max_length=64, unique=True, editable=False)
    content_type = models.CharField(_("type"), max_length=40, editable=False)
    size = models.PositiveBigIntegerField(_("bytes"), editable=False)
    created_at = models.DateTimeField(_("created"), db_default=Now(), editable=False)
    published = models.JSONField(null=True, editable=False)
    """What pages and API show of it (`media_jobs.publishing`); None until it is made."""

    class Meta:
        verbose_name = _("asset")
        verbose_name_plural = _("assets")
        ordering = ["-pk"]

    def __str__(self) -> str:
        return isolate(self.name) or self.sha256[:12]

    @property
    def is_video(self) -> bool:
        return self.content_type.startswith("video/")


class MediaJob(Job):
    """The job of making all renditions of one source by one recipe."""

    queue = "media"
    task = "media_jobs.tasks.process"
    app = "media"
    shares_process = False
    window = 4  # a picture takes a second, and messages in the queue can't be overtaken
    backdated = True  # what a person waits for: see `outbox.AT_ONCE`
    heartbeat = timedelta(seconds=10)
    max_duration = timedelta(hours=2)  # of the longest video; each work has a limit of its own

    source = models.CharField(_("source"), max_length=80)
    """`asset:<id>`, `order:<uuid>` or `upload:<token>`."""
    recipe = models.CharField(_("recipe"), max_length=40)
    recipe_hash = models.CharField(
        _("recipe's content"), max_length=16, blank=True, default="", db_default="", editable=False
    )
    """The recipe's hash when its renditions were made; empty until then."""
    placeholder = models.TextField(
        _("placeholder"), blank=True, default="", db_default="", editable=False
    )
    """A tiny picture as a data: URL, shown while the renditions load."""
    asset = models.ForeignKey(
        Asset,
        models.CASCADE,
        null=True,
        blank=True,
        related_name="jobs",
        verbose_name=_("asset"),
        db_index=False,  # a partial one, below: an order's jobs have no asset
    )

    class Meta(Job.Meta):
        verbose_name = _("media job")
        verbose_name_plural = _("media jobs")
        constraints = [
            *Job.Meta.constraints,
            models.UniqueConstraint(fields=["source", "recipe"], name="one_job_per_recipe"),
        ]
        indexes = [
            *Job.Meta.indexes,
            models.Index(
                fields=["asset"], name="mediajob_asset", condition=models.Q(asset__isnull=False)
            ),
            # The desk's filter by a recipe. Each order has a pickup pass, which it needn't find.
            models.Index(
                fields=["recipe", "-created_at", "-id"],
                name="mediajob_recipe_list",
                condition=~models.Q(recipe="pickup_pass"),
            ),
            # For the messages that print files are ready: `orders.lifecycle.media_ready`.
            models.Index(
                fields=["finished_at"],
                name="mediajob_printed",
                condition=models.Q(kind="print", status__in=["done", "cancelled"]),
            ),
        ]

    @property
    def source_hash(self) -> str:
        """The SHA-256 of the source: of the file, or of the frozen context."""
        if self.asset is not None:
            return self.asset.sha256
        frozen = json.dumps(self.context, sort_keys=True, cls=DjangoJSONEncoder)
        return hashlib.sha256(frozen.encode()).hexdigest()


class Rendition(models.Model):
    """One file that a finished job made."""

    job = models.ForeignKey(
        MediaJob, models.CASCADE, related_name="renditions", verbose_name=_("job")
    )
    name = models.CharField(_("name"), max_length=20)
    format = models.CharField(_("format"), max_length=10)
    width = models.PositiveIntegerField(_("width"))
    height = models.PositiveIntegerField(_("height"))
    size = models.PositiveBigIntegerField(_("bytes"))
    file = models.FileField(_("file"), max_length=200)
    seconds = models.FloatField(_("seconds"), null=True, blank=True)
    """The duration of a video or an animation."""

    class Meta:
        verbose_name = _("rendition")
        verbose_name_plural = _("renditions")
        ordering = ["job", "name", "format"]
        constraints = [
            models.UniqueConstraint(fields=["job", "name", "format"], name="rendition_once_per_job")
        ]
        # For the sweep of folders: which files of a folder have rows.
        indexes = [
            models.Index(fields=["file"], name="rendition_file", opclasses=["varchar_pattern_ops"])
        ]

    def __str__(self) -> str:
        return f"{self.name}.{self.format}"
