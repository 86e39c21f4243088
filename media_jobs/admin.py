"""Admin pages of media jobs. The page of assets is in `media_jobs.desk`."""

from typing import Any
from uuid import UUID

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from media_jobs.desk import AssetAdmin
from media_jobs.models import Asset, MediaJob
from media_jobs.outbox import CHECK_KIND
from media_jobs.recipes import WEBP
from media_jobs.remaking import make_again
from media_jobs.signed_urls import address_of
from project.desk.jobs import JobAdmin
from project.desk.word_filters import words_filter
from project.jobs.decisions import CANCEL, RETRY, RETRY_CANCELLED, Decision
from project.jobs.queryset import Status
from project.text import isolate

KINDS = {
    "pickup_pass": _("Pickup pass"),
    "renditions": _("Renditions"),
    "print": _("Print file"),
    CHECK_KIND: _("Check of an upload"),
}

MAKE_AGAIN = Decision(
    name="make-again",
    label=_("Make again"),
    statuses=(Status.DONE,),
    apply=lambda jobs: make_again(jobs.filter(status=Status.DONE)),
    report=RETRY.report,
)
admin.site.register(Asset, AssetAdmin)


def _recipe_name(recipe: str) -> str:
    return str(KINDS.get(recipe, recipe))


@admin.register(MediaJob)
class MediaJobAdmin(JobAdmin):
    decisions = (RETRY, CANCEL, RETRY_CANCELLED, MAKE_AGAIN)
    list_filter = ("status", ("recipe", words_filter(_recipe_name)))
    search_fields = ("error", "source")
    about_fields = (("source", "recipe_words"), "asset")

    @display(description=_("recipe"))
    def recipe_words(self, job: MediaJob) -> str:
        return _recipe_name(job.recipe)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return [*super().get_readonly_fields(request, obj), "recipe_words"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).select_related("asset")

    def for_order(self, order_id: UUID) -> QuerySet[Any]:
        return super().for_order(order_id).prefetch_related("renditions")

    def summary(self, job: MediaJob) -> str:
        kind = KINDS.get(job.kind, job.kind)
        named = job.context.get("product") or job.context.get("name")
        about = job.asset or (isolate(named) if named else "")
        return f"{kind} · {about}" if about else str(kind)

    def pictures(self, job: MediaJob) -> list[tuple[str, str]]:
        return [
            (
                f"{rendition.name}.{rendition.format} {rendition.width}×{rendition.height}",
                address_of(rendition),
            )
            for rendition in job.renditions.all()
        ]

    def thumbnail(self, job: MediaJob) -> str:
        made = (each for each in job.renditions.all() if each.name == "thumbnail")
        return next((address_of(each) for each in made if each.format == WEBP.name), "")
