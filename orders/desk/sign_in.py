"""What the desk may do about a colleague's sign-in: end all sessions, remove the second factor."""

from collections.abc import Callable
from typing import Any

import allauth.mfa.admin
import allauth.usersessions.admin  # noqa: F401
from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext
from unfold.decorators import action

from orders.accounts.sessions import end_sessions
from orders.models import User
from project.desk.confirming import confirm_page

# allauth's own lists show what is to be kept secret. Its modules register them.
admin.site.unregister([Authenticator, UserSession])


class SignInActions:
    """A mixin of the users' ModelAdmin: the buttons of a user's page, each with a question."""

    admin_site: Any
    opts: Any
    has_change_permission: Callable[..., bool]
    record_action: Callable[..., None]
    actions_detail: tuple[str, ...] = ("end_sessions", "remove_second_factor")

    def has_sign_in_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        if object_id is None:
            return self.has_change_permission(request)
        user = User.objects.filter(pk=object_id).first() if str(object_id).isdecimal() else None
        return user is not None and self.has_change_permission(request, user)

    def has_factor_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        """Return True if there is a second factor to remove."""
        if not self.has_sign_in_permission(request, object_id):
            return False
        return object_id is None or Authenticator.objects.filter(user=object_id).exists()

    @action(
        description=_("End all sessions"),
        url_path="end-sessions",
        icon="logout",
        permissions=["sign_in"],
    )
    def end_sessions(self, request: HttpRequest, object_id: str) -> HttpResponseBase:
        user = self._wanted(request, object_id)
        if request.method != "POST":
            return self._ask(request, user, _("Sign this person out everywhere?"))
        count = end_sessions(user)
        self.record_action(request, _("End all sessions"), [user])
        says = ngettext("%(count)d session ended.", "%(count)d sessions ended.", count)
        messages.success(request, says % {"count": count})
        return redirect("admin:orders_user_change", user.pk)

    @action(
        description=_("Remove the second factor"),
        url_path="remove-second-factor",
        icon="phonelink_erase",
        permissions=["factor"],
    )
    def remove_second_factor(self, request: HttpRequest, object_id: str) -> HttpResponseBase:
        user = self._wanted(request, object_id)
        if request.method != "POST":
            question = _("Remove the second factor and its recovery codes, and end all sessions?")
            return self._ask(request, user, question)
        Authenticator.objects.filter(user=user).delete()
        end_sessions(user)
        self.record_action(request, _("Remove the second factor"), [user])
        messages.success(request, _("The second factor is removed: a new one can be set up."))
        return redirect("admin:orders_user_change", user.pk)

    def _wanted(self, request: HttpRequest, object_id: str) -> User:
        if not object_id.isdecimal():
            raise Http404
        user = get_object_or_404(User, pk=object_id)
        if not self.has_change_permission(request, user):
            raise PermissionDenied
        return user

    def _ask(self, request: HttpRequest, user: User, question: str | Promise) -> HttpResponseBase:
        return confirm_page(
            request,
            title=str(user),
            question=question,
            back=reverse("admin:orders_user_change", args=[user.pk]),
            opts=self.opts,
            original=user,
        )
