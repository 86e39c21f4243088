"""The addresses of the page of all jobs. They stand before the admin's own."""

from django.contrib import admin
from django.urls import path
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from project.desk.jobs_page import deciding, page

view = admin.site.admin_view

urlpatterns = [
    path("", view(require_safe(page.jobs)), name="desk-jobs"),
    path("live/", view(require_safe(page.live)), name="desk-jobs-live"),
    path(
        "queues/<slug:queue>/pause/",
        view(require_http_methods(["GET", "POST"])(deciding.pause_queue)),
        name="desk-jobs-pause",
    ),
    path(
        "queues/<slug:queue>/resume/",
        view(require_POST(deciding.resume_queue)),
        name="desk-jobs-resume",
    ),
    path(
        "all/<slug:name>/",
        view(require_http_methods(["GET", "POST"])(deciding.decide)),
        name="desk-jobs-all",
    ),
]
