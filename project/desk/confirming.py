"""The page that asks before something is done, and for the operator's reason where one is kept."""

from collections.abc import Iterable
from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest
from django.template.response import TemplateResponse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminTextInputWidget

from project.desk.editing import MAX_REASON

Pairs = Iterable[tuple[Any, Any]]
YES = _("Yes")


class ReasonForm(forms.Form):
    """Why the operator does it. The history keeps it with the operator's name."""

    reason = forms.CharField(
        label=_("Reason"), max_length=MAX_REASON, widget=UnfoldAdminTextInputWidget
    )

    def __init__(self, *args: Any, is_needed: bool = False, **options: Any) -> None:
        super().__init__(*args, **options)
        field = self.fields["reason"]
        field.required = is_needed
        field.help_text = (
            _("Stays in the history, with your name.")
            if is_needed
            else _("Optional. Stays in the history, with your name.")
        )

    @property
    def typed(self) -> str:
        """The valid form's reason; empty if none is given."""
        return str(self.cleaned_data["reason"])


def reason_form(request: HttpRequest) -> ReasonForm:
    """Return the form for a reason that is needed; unbound until the page with it was sent."""
    return ReasonForm(request.POST if "reason" in request.POST else None, is_needed=True)


def confirm_page(
    request: HttpRequest,
    *,
    title: str | Promise,
    question: str | Promise,
    back: str,
    label: str | Promise = YES,
    sentences: Iterable[str | Promise] = (),
    facts: Pairs = (),
    hidden: Pairs = (),
    form: forms.Form | None = None,
    is_final: bool = False,
    **context: Any,
) -> TemplateResponse:
    """Return the page with the question; its form is posted to the page's own address.

    `label` is that of the button: without it there is nothing to confirm. `facts` and `sentences`
    say what it is about, `hidden` is sent again. What `is_final` can't be undone: its button is
    red. A refused form answers 422.
    """
    return TemplateResponse(
        request,
        "desk/confirm.html",
        {
            **admin.site.each_context(request),
            "title": title,
            "question": question,
            "back": back,
            "label": label,
            "sentences": sentences,
            "facts": facts,
            "hidden": hidden,
            "form": form,
            "button": "danger" if is_final else "primary",
            **context,
        },
        status=422 if form is not None and form.errors else 200,
    )


def chosen_rows(request: HttpRequest, action: str) -> list[tuple[str, str]]:
    """Return the hidden inputs by which a list's action is asked for again, as it was."""
    kept = [("action", action), ("index", "0")]
    for name in ("select_across", "_selected_action"):
        kept += [(name, value) for value in request.POST.getlist(name)]
    return kept
