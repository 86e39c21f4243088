"""`/accounts/data/`: all that the shop has of the user, as a file, and its erasure.

Both want a code that was sent to the account's address (`orders.accounts.confirmation`). The
file is handed out by a signed address that expires, to the account it is of.
"""

from datetime import datetime, timedelta
from uuid import UUID

from allauth.core.ratelimit import consume, respond_429
from django import forms
from django.conf import settings
from django.contrib import messages
from django.contrib.auth import logout
from django.contrib.auth.decorators import login_required
from django.core import signing
from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from orders.accounts.confirmation import has_code, is_confirmed, send_code, try_code
from orders.accounts.entrance import CodeField
from orders.models import DeskJob, User
from orders.personal_data.exporting import FILE_NAME
from orders.personal_data.jobs import NotNowRefusal, exports_of, queue_erasure, queue_export
from orders.personal_data.person import person_of
from orders.personal_data.refusals import refusals
from project.jobs.queryset import OPEN, Status

_WANTED = "data_wanted"
"""The session's key with what the user wants once the code is typed in."""
PAGES = {"export": "my-data", "download": "my-data", "erase": "my-data-erase"}
LINK_SECONDS = 15 * 60
_signer = signing.TimestampSigner(salt="orders.my_data")


class CodeForm(forms.Form):
    code = CodeField(
        label=gettext_lazy("Code"),
        max_length=40,
        widget=forms.TextInput(
            {
                "inputmode": "numeric",
                "autocomplete": "one-time-code",
                "autofocus": True,
                "spellcheck": "false",
            }
        ),
    )


def _reader(request: HttpRequest) -> User:
    assert isinstance(request.user, User)  # by login_required
    return request.user


@never_cache
@login_required
@require_safe
def my_data(request: HttpRequest) -> HttpResponse:
    """Show the last export with its state, and the ways to both."""
    user = _reader(request)
    last = exports_of(person_of(user)).filter(user=user).first()
    ready = last is not None and last.status == Status.DONE and bool(last.report)
    context = {
        "last": last,
        "is_going_on": last is not None and last.status in OPEN,
        "has_failed": last is not None and last.status in (Status.FAILED, Status.CANCELLED),
        "kept_until": _kept_until(last) if ready and last else None,
        "link": _link(last, user) if ready and last and is_confirmed(request, user) else "",
    }
    return render(request, "accounts/data.html", context)


@never_cache
@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def export(request: HttpRequest) -> HttpResponse:
    """Queue the export, after a code. A second click finds the job of the first."""
    user = _reader(request)
    if not is_confirmed(request, user):
        return _ask_for_code(request, "export")
    queue_export(person_of(user), user_id=user.pk)
    return redirect("my-data")


@never_cache
@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def download(request: HttpRequest) -> HttpResponse:
    """Lead to the file's link, after a code."""
    user = _reader(request)
    return (
        redirect("my-data") if is_confirmed(request, user) else _ask_for_code(request, "download")
    )


@never_cache
@login_required
@require_safe
def file(request: HttpRequest, token: str) -> HttpResponseBase:
    """Answer with the zip: to the account it is of, within the link's time."""
    user = _reader(request)
    try:
        named, job_id = _signer.unsign(token, max_age=LINK_SECONDS).split(".")
    except (signing.BadSignature, ValueError):
        raise Http404 from None
    job = exports_of(person_of(user)).filter(pk=UUID(job_id), user=user).first()
    if named != str(user.pk) or job is None or job.status != Status.DONE or not job.report:
        raise Http404
    response = FileResponse(job.report.open("rb"), as_attachment=True, filename=FILE_NAME)
    response["X-Content-Type-Options"] = "nosniff"
    response["Cache-Control"] = "private, no-store"
    return response


@never_cache
@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def erase(request: HttpRequest) -> HttpResponse:
    """Say what goes and what stays, and erase after a code and a last question."""
    user = _reader(request)
    if not is_confirmed(request, user):
        return _ask_for_code(request, "erase")
    person = person_of(user)
    reasons = refusals(person)
    # The page “My data” posts, too, for the code: that is no answer to the question.
    is_sure = request.method == "POST" and "sure" in request.POST
    if not is_sure or reasons:
        context = {"reasons": reasons, "years": settings.KEEP_INVOICES_YEARS}
        status = 422 if reasons and is_sure else 200
        return render(request, "accounts/erase.html", context, status=status)
    try:
        queue_erasure(person, user_id=user.pk)
    except NotNowRefusal:
        return redirect("my-data-erase")  # an order was placed at this moment
    logout(request)
    messages.success(request, _("Your account is being deleted. It takes a minute."))
    return redirect("shop")


@never_cache
@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def confirm(request: HttpRequest) -> HttpResponse:
    """Ask for the code, and go on with what was wanted."""
    user = _reader(request)
    wanted = request.session.get(_WANTED)
    if wanted not in PAGES:
        return redirect("my-data")
    if request.method == "POST" and request.POST.get("action") == "resend":
        return _send_code(request, user)
    form = CodeForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        if try_code(request, user, form.cleaned_data["code"]):
            del request.session[_WANTED]
            if wanted == "export":
                queue_export(person_of(user), user_id=user.pk)
                return redirect("my-data")
            return redirect(PAGES[wanted])
        form.add_error(
            "code",
            _("This is not the code.")
            if has_code(request)
            else _("The code has been tried too often, or is too old. Let us send a new one."),
        )
    context = {
        "verify_form": form,
        "email": user.email,
        "can_resend": True,
        "cancel_url": reverse("my-data"),
    }
    status = 422 if form.is_bound else 200
    return render(request, "accounts/data_confirm.html", context, status=status)


def _ask_for_code(request: HttpRequest, wanted: str) -> HttpResponse:
    """Send a code and lead to its page. A GET sends none: a link must not cause a message."""
    if request.method != "POST":
        return redirect("my-data")
    request.session[_WANTED] = wanted
    return _send_code(request, _reader(request))


def _send_code(request: HttpRequest, user: User) -> HttpResponse:
    if not user.email:  # an operator's account may have none
        messages.warning(request, _("Your account has no e-mail address for the code."))
        return redirect("my-data")
    if not consume(request, action="confirmation_code", user=user):
        return respond_429(request)
    send_code(request, user)
    return redirect("my-data-confirm")


def _link(job: DeskJob, user: User) -> str:
    return reverse("my-data-file", args=[_signer.sign(f"{user.pk}.{job.pk}")])


def _kept_until(job: DeskJob) -> datetime:
    assert job.finished_at is not None
    return job.finished_at + timedelta(days=settings.KEEP_PERSON_EXPORTS_DAYS)
