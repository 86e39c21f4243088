"""The page itself, and its part that asks for itself again."""

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode
from django.utils.translation import gettext as _

from project.desk.job_errors import read_errors
from project.desk.jobs import COLOURS
from project.desk.jobs_page.crons import read_crons, read_sweeps
from project.desk.jobs_page.deciding import offers
from project.desk.jobs_page.listing import JobsForm, count_states, desks_for, read_page
from project.desk.jobs_page.live import read_live
from project.jobs.queryset import Status

MOST_ERRORS = 10


def jobs(request: HttpRequest) -> HttpResponse:
    """Show the queues, the errors, the list and the schedule."""
    desks, now = desks_for(request), timezone.now()
    form = JobsForm(request, desks=desks)
    page = read_page(form, desks, request.GET.get("after", ""))
    counts = count_states(form, desks)
    context = {
        **admin.site.each_context(request),
        **read_live(request, desks, now=now),
        "title": _("Jobs"),
        "form": form,
        "page": page,
        "chosen": form.chosen(),
        "next_url": list_url(form, after=page.next) if page.next else "",
        "first_url": list_url(form) if request.GET.get("after") else "",
        "states": [
            (Status(status).label, COLOURS[status], count, list_url(form, state=status))
            for status, count in counts.items()
        ],
        "offers": offers(request, desks, form, counts),
        "errors": read_errors(request, desks, most=MOST_ERRORS),
        "sees_schedule": request.user.has_perm("django_celery_beat.view_periodictask"),
    }
    if context["sees_schedule"]:
        context |= {"crons": read_crons(now=now), "sweeps": read_sweeps(now=now)}
    return TemplateResponse(request, "desk/jobs.html", context)


def live(request: HttpRequest) -> HttpResponse:
    """Answer with the queues as they are now."""
    return render(
        request, "desk/jobs_live.html", read_live(request, desks_for(request), now=timezone.now())
    )


def list_url(form: JobsForm, **others: str) -> str:
    """Return the list with these filters, some of them replaced."""
    query = urlencode(form.query(**others))
    return f"{reverse('desk-jobs')}?{query}#jobs" if query else f"{reverse('desk-jobs')}#jobs"
