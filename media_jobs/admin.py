"""Admin pages of media jobs. The page of assets is in `media_jobs.desk`."""

from typing import Any
from uuid import UUID

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from media_jobs.desk import MAKE_AGAIN, AssetAdmin
from media_jobs.models import Asset, MediaJob
from media_jobs.outbox import CHECK_KIND
from media_jobs.recipes import CHECKS, PAPERS, PDF, RECIPES, WEBP
from media_jobs.signed_urls import address_of
from project.desk.jobs import JobAdmin
from project.desk.word_filters import known_words_filter
from project.jobs.decisions import CANCEL, RETRY, RETRY_CANCELLED
from project.text import isolate

KINDS = {
    "pickup_pass": _("Pickup pass"),
    "renditions": _("Renditions"),
    "print": _("Print file"),
    CHECK_KIND: _("Check of an upload"),
    "invoice": _("Invoice"),
    "credit_note": _("Credit note"),
    "packing_slip": _("Packing slip"),
    "pick_list": _("Pick list"),
}
RECIPE_NAMES = {
    "product": _("Pictures of a product"),
    "product_video": _("Video of a product"),
    "print_picture": _("Print file of a picture"),
    "print_video": _("Print file of a video"),
    "check_picture": _("Check of a picture"),
    "check_video": _("Check of a video"),
}

PAPER_NAMES = tuple(recipe.name for recipe in PAPERS)

admin.site.register(Asset, AssetAdmin)


def _recipe_name(recipe: str) -> str:
    return str(RECIPE_NAMES.get(recipe, KINDS.get(recipe, recipe)))


def _recipes() -> list[str]:
    return [*RECIPES, *CHECKS]


@admin.register(MediaJob)
class MediaJobAdmin(JobAdmin):
    decisions = (RETRY, CANCEL, RETRY_CANCELLED, MAKE_AGAIN)
    list_filter = ("status", ("recipe", known_words_filter(_recipe_name, _recipes)))
    search_fields = ("error", "source")
    search_help_text = _("Order number, id of the order or job, source, or words of the error.")
    about_fields = (("source", "recipe_words"), "asset")

    @display(description=_("recipe"))
    def recipe_words(self, job: MediaJob) -> str:
        return _recipe_name(job.recipe)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return [*super().get_readonly_fields(request, obj), "recipe_words"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).select_related("asset")

    def read_for_sheet(self, shown: QuerySet[Any]) -> QuerySet[Any]:
        return shown.select_related("asset")

    def for_order(self, order_id: UUID) -> QuerySet[Any]:
        return super().for_order(order_id).prefetch_related("renditions")

    def matches_id(self, wanted: UUID) -> Q:
        sources = [f"order:{wanted}", f"upload:{wanted}"]
        return super().matches_id(wanted) | Q(source__in=sources)

    def matches_words(self, text: str) -> Q:
        return Q(source=text) if ":" in text and " " not in text else super().matches_words(text)

    def summary(self, job: MediaJob) -> str:
        kind = KINDS.get(job.kind, job.kind)
        named = (
            job.context.get("paper_number")
            if job.recipe in PAPER_NAMES
            else job.context.get("product") or job.context.get("name")
        )
        about = job.asset or (isolate(named) if named else "")
        return f"{kind} · {about}" if about else str(kind)

    def kinds(self) -> list[tuple[str, Any]]:
        return list(KINDS.items())

    def pictures(self, job: MediaJob) -> list[tuple[str, str]]:
        return [
            (
                f"{rendition}"
                if rendition.format == PDF.name
                else f"{rendition} {rendition.width}×{rendition.height}",
                address_of(rendition),
            )
            for rendition in job.renditions.all()
        ]

    def thumbnail(self, job: MediaJob) -> str:
        made = (each for each in job.renditions.all() if each.name == "thumbnail")
        return next((address_of(each) for each in made if each.format == WEBP.name), "")
