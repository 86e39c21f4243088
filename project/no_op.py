"""What `bench http` serves: the web application with one more address, a view that does nothing.

The view goes through the same middleware as an order, so it tells what the server and Django cost.
"""

from django.http import HttpRequest, HttpResponse
from django.urls import path
from django.views.decorators.csrf import csrf_exempt

from project.wsgi import application

__all__ = ["application"]


@csrf_exempt
def no_op(request: HttpRequest) -> HttpResponse:
    """Answer with a few bytes of JSON; the body isn't read."""
    return HttpResponse(b"{}", content_type="application/json; charset=utf-8")


def _add_address() -> None:
    from project.urls import urlpatterns  # only now: the application has loaded the apps

    urlpatterns.insert(0, path("api/v1/no-op", no_op))


_add_address()
