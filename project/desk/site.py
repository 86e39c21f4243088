"""The desk's site: its sign-in goes through allauth, which asks for a second factor."""

from typing import Any

from allauth.account.app_settings import EmailVerificationMethod
from allauth.account.utils import perform_login
from django.contrib.auth import REDIRECT_FIELD_NAME
from django.contrib.auth.forms import AuthenticationForm
from django.contrib.auth.views import LoginView
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from unfold.sites import UnfoldAdminSite


class DeskLogin(LoginView):
    """The page for username and password. Django's would sign in with those alone."""

    def form_valid(self, form: AuthenticationForm) -> HttpResponse:
        """Go on with allauth's stages; operators need no confirmed address."""
        response: HttpResponse = perform_login(
            self.request,
            form.get_user(),
            email_verification=EmailVerificationMethod.NONE,
            redirect_url=self.get_success_url(),
        )
        return response


class DeskSite(UnfoldAdminSite):
    def login(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponseBase:
        """Show the sign-in page: Django's method, with our view."""
        if request.method == "GET" and self.has_permission(request):
            return redirect("admin:index")
        context = {
            **self.each_context(request),
            "title": _("Log in"),
            "subtitle": None,
            "app_path": request.get_full_path(),
            "username": request.user.get_username(),
            **(extra_context or {}),
        }
        if REDIRECT_FIELD_NAME not in {*request.GET, *request.POST}:
            context[REDIRECT_FIELD_NAME] = reverse("admin:index")
        view = DeskLogin.as_view(
            extra_context=context,
            authentication_form=self.login_form,
            template_name=self.login_template or "admin/login.html",
        )
        return view(request)
