"""Admin pages of assets: an original beside its renditions, and making these again."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db.models import Q, QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import URLPattern, path, reverse
from django.utils.functional import Promise
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_safe
from unfold.decorators import display

from media_jobs.display import picture_of
from media_jobs.filetypes import TIFF
from media_jobs.models import Asset, MediaJob, Rendition
from media_jobs.recipes import RECIPES
from media_jobs.remaking import make_again
from project.desk.all_at_once import asked_at_of, decide_all, jobs_left, meant_by
from project.desk.confirming import ReasonForm, confirm_page
from project.desk.jobs import COLOURS, JobAdmin
from project.desk.long_lists import LongList
from project.desk.record_page import RecordPage
from project.desk.row_counts import count_rows
from project.jobs.decisions import RETRY, Decision
from project.jobs.queryset import OPEN, Status

MAKE_AGAIN = Decision(
    name="make-again",
    label=_("Make again"),
    statuses=(Status.DONE,),
    apply=make_again,
    report=RETRY.report,
    question=lambda count: (
        ngettext(
            "%(count)s source would be made again.",
            "%(count)s sources would be made again.",
            count,
        )
        % {"count": count}
    ),
)
MAKE_ALL_AGAIN = replace(
    MAKE_AGAIN, statuses=tuple(status for status in Status if status not in OPEN)
)


@dataclass(frozen=True)
class MadeFile:
    """One rendition as the asset's page lists it."""

    rendition: Rendition
    saved: str
    """The saving of bytes against the original, in per cent."""


class AssetAdmin(LongList, RecordPage):
    """Originals come with products and are never changed."""

    change_form_template = "desk/asset.html"
    list_display = ("preview", "name", "content_type", "size", "created_at")
    list_display_links = ("preview", "name")
    search_fields = ("name", "sha256")
    list_filter = ("content_type",)
    readonly_fields = ("file", "sha256", "content_type", "size", "created_at")
    fields = ("name", "file", "content_type", "size", "sha256", "created_at")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Asset]:
        return super().get_queryset(request).prefetch_related("jobs__renditions")

    def matches(self, text: str) -> Q:
        """Find an original by its whole hash, else by its name: there are as many as products."""
        return Q(sha256=text.lower()) if len(text) == 64 else Q(name__icontains=text)

    @display(description=_("picture"))
    def preview(self, asset: Asset) -> str | SafeString:
        return thumbnail(asset)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    # ── One original ────────────────────────────────────────────────────────────────────────

    def page_context(self, request: HttpRequest, asset: Asset) -> dict[str, Any]:
        return {
            "subtitle": None,
            "show_history": False,
            **self._work_on(request, asset),
            "asset": asset,
            "made": _made_of(asset),
            # Before a worker has decoded the whole file, its content is unchecked.
            "is_seen": any(job.status == Status.DONE for job in asset.jobs.all())
            and asset.content_type != TIFF.content_type,  # no browser shows those
        }

    def _work_on(self, request: HttpRequest, asset: Asset) -> dict[str, Any]:
        """Return the asset's jobs, with the decisions about each."""
        job_admin = self._job_admin()
        jobs = sorted(asset.jobs.all(), key=lambda job: job.created_at)
        is_open = any(job.status in OPEN for job in jobs)
        return {
            "rows": [
                {
                    "job": job,
                    "colour": COLOURS[job.status],
                    "url": reverse("admin:media_jobs_mediajob_change", args=[job.pk]),
                    "decisions": job_admin.decisions_for(request, job),
                    "again_url": reverse("admin:media_jobs_asset_again", args=[job.recipe])
                    if job.recipe in RECIPES and job_admin.may_decide(request)
                    else "",
                }
                for job in jobs
            ],
            "back": reverse("admin:media_jobs_asset_change", args=[asset.pk]),
            "work_url": reverse("admin:media_jobs_asset_work", args=[asset.pk]) if is_open else "",
        }

    def _job_admin(self) -> JobAdmin:
        job_admin = self.admin_site._registry[MediaJob]
        assert isinstance(job_admin, JobAdmin)
        return job_admin

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view
        return [
            path(
                "<int:asset_id>/work/",
                view(require_safe(self._work_view)),
                name="media_jobs_asset_work",
            ),
            path(
                "again/<slug:recipe>/",
                view(require_http_methods(["GET", "HEAD", "POST"])(self._again_view)),
                name="media_jobs_asset_again",
            ),
            *super().get_urls(),
        ]

    def _work_view(self, request: HttpRequest, asset_id: int) -> HttpResponse:
        """Answer an asset's page with its jobs' progress; after their end, reload the page."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        asset = get_object_or_404(self.get_queryset(request), pk=asset_id)
        work = self._work_on(request, asset)
        response = render(request, "desk/asset_work.html", work)
        if not work["work_url"]:
            response["HX-Refresh"] = "true"
        return response

    # ── A whole recipe ──────────────────────────────────────────────────────────────────────

    def _again_view(self, request: HttpRequest, recipe: str) -> HttpResponseBase:
        """Show how many sources the recipe would make again; queue them once that is confirmed."""
        if not self._job_admin().may_decide(request):
            raise PermissionDenied
        if recipe not in RECIPES:
            raise Http404
        jobs = MediaJob.objects.filter(recipe=recipe)
        back = reverse("admin:media_jobs_mediajob_changelist") + f"?recipe={recipe}"
        is_answer = request.method == "POST"
        asked_at = asked_at_of(request)
        form = ReasonForm(request.POST if is_answer else None)
        if form.is_valid():
            meant = meant_by(MAKE_ALL_AGAIN, jobs, asked_at=asked_at)
            done, left = decide_all(
                MAKE_ALL_AGAIN, meant, user_id=request.user.pk, reason=form.typed
            )
            if done:
                self._job_admin().record_action(
                    request, MAKE_ALL_AGAIN.label, [], count=done, reason=form.typed
                )
            messages.success(request, RETRY.report(done))
            if left:
                messages.warning(request, jobs_left(left))
            return redirect(back)
        count = count_rows(jobs.exclude(status__in=OPEN).order_by("-created_at", "-id"))
        busy = count_rows(jobs.filter(status__in=OPEN).order_by("-created_at", "-id"))
        return confirm_page(
            request,
            title=_("Make all of “%(recipe)s” again") % {"recipe": recipe},
            question=MAKE_ALL_AGAIN.question(count),
            label=MAKE_ALL_AGAIN.label if count else "",
            sentences=_what_it_does(busy),
            hidden=[("asked_at", asked_at.isoformat())],
            form=form,
            back=back,
            opts=self.opts,
        )


def _what_it_does(busy: int) -> Iterator[str | Promise]:
    yield _(
        "What is shown stays until the new files are there. It takes the media worker a while,"
        " behind what orders need."
    )
    if busy:
        says = ngettext(
            "%(busy)s more is waiting or at work anyway.",
            "%(busy)s more are waiting or at work anyway.",
            busy,
        )
        yield says % {"busy": busy}


def _made_of(asset: Asset) -> list[MadeFile]:
    return [
        MadeFile(rendition, saved=f"{100 * (rendition.size - asset.size) / asset.size:+.1f} %")
        for job in asset.jobs.all()
        for rendition in job.renditions.all()
    ]


def thumbnail(asset: Asset | None) -> str | SafeString:
    """Return the asset's smallest rendition as HTML, else the status of its jobs (prefetched)."""
    if asset is None:
        return "–"
    if picture := picture_of(asset, "card"):
        html = '<img class="desk-thumbnail" src="{}" alt="" loading="lazy">'
        return format_html(html, picture.url)
    statuses = {job.status for job in asset.jobs.all()}
    if statuses.isdisjoint((Status.FAILED, Status.CANCELLED)) or not statuses.isdisjoint(OPEN):
        return str(_("being made"))
    return str(_("couldn't be made") if Status.FAILED in statuses else _("cancelled"))
