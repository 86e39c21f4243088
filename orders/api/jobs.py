"""`GET jobs`: the jobs of every kind, for an API client. Their recipients and texts aren't told."""

from operator import attrgetter
from typing import Any

from django.http import HttpRequest
from ninja import Query, Router

from orders.api.client_access import ClientKey, access_of
from orders.api.client_orders import find_order
from orders.api.job_errors import error_code
from orders.api.pages import cursor_of, invalid_cursor, place_of, refuse_unknown
from orders.api.schemas.jobs import JobFilters, JobPage, ListedJobOut
from orders.api.schemas.problems import InvalidOut, ProblemOut
from orders.clients.scopes import CUSTOMERS_READ, JOBS_READ
from orders.models import Order
from project.desk.keyset import InvalidPlaceError, place_after, read_next
from project.jobs.model import Job, job_models
from project.order_numbers import NUMBER_PREFIX

router = Router(tags=["Jobs"])


@router.get(
    "/jobs",
    response={200: JobPage, 404: ProblemOut, 422: InvalidOut},
    auth=ClientKey(JOBS_READ),
    summary="List jobs",
)
def list_jobs(request: HttpRequest, filters: Query[JobFilters]) -> JobPage:
    """Jobs of every kind, the newest first; `error` is a code, as with an order."""
    refuse_unknown(request, filters)
    access = access_of(request)
    has_persons = access is not None and access.may(CUSTOMERS_READ)
    order_id = find_order(filters.order).pk if filters.order else None
    found: list[tuple[Any, Job]] = []
    has_more = False
    for model in job_models():
        if filters.app and model.app != filters.app:
            continue
        jobs: Any = model._default_manager.order_by("-created_at", "-id")
        if filters.status:
            jobs = jobs.filter(status=filters.status)
        if order_id:
            jobs = jobs.filter(order_id=order_id)
        try:
            page = read_next(jobs, place=place_of(filters.cursor), size=filters.limit)
        except InvalidPlaceError:
            raise invalid_cursor() from None
        found += [(jobs, job) for job in page.rows]
        has_more = has_more or bool(page.next)
    found.sort(key=lambda each: attrgetter("created_at", "pk")(each[1]), reverse=True)
    shown = found[: filters.limit]
    is_last = len(found) <= filters.limit and not has_more
    place = "" if is_last else place_after(*shown[-1])
    return JobPage.model_construct(
        items=_answers([job for _jobs, job in shown], has_persons=has_persons),
        next=cursor_of(place),
    )


def _answers(jobs: list[Job], *, has_persons: bool) -> list[ListedJobOut]:
    ids = {job.order_id for job in jobs if job.order_id}
    numbers = dict(Order.objects.filter(pk__in=ids).values_list("pk", "number"))
    return [
        ListedJobOut.model_construct(
            id=job.pk,
            app=job.app,
            kind=job.kind,
            status=job.status,
            attempts=job.attempts,
            progress=job.progress,
            error=error_code(status=job.status, lost=job.lost, error=job.error).value,
            finished_at=job.finished_at,
            order=f"{NUMBER_PREFIX}{numbers[job.order_id]}" if job.order_id in numbers else None,
            order_id=job.order_id if has_persons else None,
            created_at=job.created_at,
        )
        for job in jobs
    ]
