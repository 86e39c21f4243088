"""The health pages: for load balancers, monitors and people."""

from django.db import Error, connection
from django.http import HttpRequest, HttpResponse, HttpResponseNotFound, JsonResponse
from django.shortcuts import redirect
from django.templatetags.static import static
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from prometheus_client import CONTENT_TYPE_LATEST

from project.draining import is_draining
from project.monitoring.access import may_read_metrics
from project.monitoring.health import is_migrated, read_health
from project.monitoring.metrics import read_metrics

migrated = False
"""Whether a look found every migration applied; from then on none is needed."""


@require_safe
@never_cache
def healthz(request: HttpRequest) -> HttpResponse:
    """Answer that this process is alive. It does no I/O, so it answers under any load."""
    return HttpResponse("ok\n", content_type="text/plain")


@require_safe
@never_cache
def readyz(request: HttpRequest) -> JsonResponse:
    """Answer 200 if orders can be placed, "degraded" if a service has a problem; else 503."""
    global migrated
    if is_draining():
        checks = {"web": "is about to stop: another machine answers"}
        return JsonResponse({"status": "stopping", "checks": checks}, status=503)
    try:
        migrated = migrated or is_migrated()
        health = read_health() if migrated else None
    except Error:
        connection.close()
        return JsonResponse(
            {"status": "down", "checks": {"database": "can't be reached"}}, status=503
        )
    if health is None:
        checks = {"database": "has migrations to run: manage.py migrate"}
        return JsonResponse({"status": "starting", "checks": checks}, status=503)
    if health.starting:
        return JsonResponse({"status": "starting", "checks": health.checks}, status=503)
    notes = {"notes": health.notes} if health.notes else {}
    return JsonResponse({"status": health.status, "checks": health.checks, **notes})


@require_safe
def favicon(request: HttpRequest) -> HttpResponse:
    """Redirect to the shop's icon: browsers request this path if a page names no icon."""
    return redirect(static("shop/favicon.svg"))


@require_safe
@never_cache
def metrics(request: HttpRequest) -> HttpResponse:
    """Answer with the figures for Prometheus; to others nothing is here (METRICS_ALLOWED)."""
    if not may_read_metrics(request):
        # Not the shop's page: it would cost a scanner nothing, and us some queries.
        return HttpResponseNotFound("not found\n", content_type="text/plain")
    try:
        return HttpResponse(read_metrics(), content_type=CONTENT_TYPE_LATEST)
    except Error:
        connection.close()
        return HttpResponse("the database can't be used\n", "text/plain", status=503)
