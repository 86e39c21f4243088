"""`/accounts/login/`: the door for everybody. A code by e-mail signs in, or makes an account."""

import time
from typing import Any

from allauth.account.internal.flows.login_by_code import LoginCodeVerificationProcess
from allauth.account.stages import LoginByCodeStage, LoginStage, LoginStageController
from allauth.account.views import LoginView, RequestLoginCodeView
from django.http import HttpRequest, HttpResponse

from orders.accounts.entrance import SignInCodeForm, account_for

JUST_SENT = 30
"""Seconds in which the same address in the same session gets no second code."""


class DoorMixin:
    """A shopper who waits for a code may come back, for another address or the password.

    allauth would lead them to the page of the first code until it has expired.
    """

    def _redirect_to_pending_stage(self, request: HttpRequest, stage: LoginStage) -> Any:
        if stage.key == LoginByCodeStage.key:
            return None
        return super()._redirect_to_pending_stage(request, stage)  # type: ignore[misc]


class SignInView(DoorMixin, LoginView):
    """Show the door, and take passwords: the second choice, under `?password`."""

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(door=SignInCodeForm(), **kwargs)


class EntranceView(DoorMixin, RequestLoginCodeView):
    """Ask for an e-mail address and send its code.

    The answer is the same for an address with an account, a new one and one that may not come in
    this way.
    """

    def form_valid(self, form: SignInCodeForm) -> HttpResponse:
        email = form.cleaned_data["email"]
        if not _is_just_sent(self.request, email):
            form._user = account_for(self.request, email=email)
            return super().form_valid(form)
        return super(RequestLoginCodeView, self).form_valid(form)


def _is_just_sent(request: HttpRequest, email: str) -> bool:
    """Return True after a double click: it must not replace the code that is on its way."""
    stage = LoginStageController.enter(request, LoginByCodeStage.key)
    process = LoginCodeVerificationProcess.resume(stage) if stage else None
    if process is None or process.state.get("email") != email:
        return False
    return time.time() - process.state["at"] < JUST_SENT


sign_in = SignInView.as_view()
entrance = EntranceView.as_view()
