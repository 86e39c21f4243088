"""The addresses of linking: metadata, the page that asks the person, tokens, revocation."""

import json
from typing import Any

from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from orders.agents.envelope import site
from orders.agents.linking.authorizing import (
    Asked,
    NoSuchClient,
    Refused,
    grant,
    has_consented,
    known_client,
    read_asked,
)
from orders.agents.linking.scopes import SCOPES, in_words
from orders.agents.linking.tokens import (
    TokenError,
    client_of,
    end_links,
    live_links,
    revoke,
    tokens_for,
)

_SIGNED_IN = "signed_in"
"""What the address has after the person has signed in on the way."""
_METHODS = ["none", "client_secret_basic", "client_secret_post"]


@require_safe
def metadata(request: HttpRequest) -> HttpResponse:
    """Say how an account is linked (RFC 8414)."""
    return _json(
        {
            "issuer": settings.SITE_URL,
            "authorization_endpoint": site(reverse("agent-link")),
            "token_endpoint": site(reverse("agent-token")),
            "revocation_endpoint": site(reverse("agent-revoke")),
            "scopes_supported": list(SCOPES),
            "response_types_supported": ["code"],
            "grant_types_supported": ["authorization_code", "refresh_token"],
            "token_endpoint_auth_methods_supported": _METHODS,
            "revocation_endpoint_auth_methods_supported": _METHODS,
            "code_challenge_methods_supported": ["S256"],
            "authorization_response_iss_parameter_supported": True,
        }
    )


@require_safe
def resource(request: HttpRequest) -> HttpResponse:
    """Say who gives tokens for the shop (RFC 9728)."""
    return _json(
        {
            "resource": settings.SITE_URL,
            "authorization_servers": [settings.SITE_URL],
            "scopes_supported": list(SCOPES),
            "bearer_methods_supported": ["header"],
        }
    )


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def link(request: HttpRequest) -> HttpResponse:
    """Ask a person who is signed in; whoever isn't is led to the door first."""
    try:
        asked = read_asked(request.GET)
    except NoSuchClient:
        return render(request, "accounts/link_unknown.html", status=400)
    except Refused as refused:
        return _lead(refused.address)
    if not request.user.is_authenticated:
        return redirect_to_login(f"{request.get_full_path()}&{_SIGNED_IN}=1")
    return _ask(request, asked)


def _ask(request: HttpRequest, asked: Asked) -> HttpResponse:
    user: Any = request.user
    if request.method == "POST":
        is_allowed = request.POST.get("answer") == "allow"
        return _lead(grant(user, asked) if is_allowed else asked.answer(error="access_denied"))
    # The form of the sign-in may lead to no other site, and its redirects end here: so who comes
    # from it is asked once more.
    if has_consented(user, asked) and _SIGNED_IN not in request.GET:
        return _lead(grant(user, asked))
    context = {"asked": asked, "scopes": in_words(asked.scopes)}
    response = render(request, "accounts/link.html", context)
    # Chromium applies `form-action` to the redirect that answers the form, too.
    response._csp_update = {"form-action": [asked.origin]}  # type: ignore[attr-defined]
    return response


@never_cache
@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def linked(request: HttpRequest) -> HttpResponse:
    """List the person's linked assistants; a POST ends what one platform may do."""
    user: Any = request.user
    mine = live_links().filter(user=user.pk)
    if request.method == "POST":
        client = known_client(request.POST.get("client", ""))
        if client is not None:
            end_links(user_id=user.pk, client_id=client.pk)
        return redirect("agent-links")
    by_client = {each.client_id: each for each in mine.select_related("client__platform")}
    links = [(each, in_words(each.scopes)) for each in by_client.values()]
    return render(request, "accounts/links.html", {"links": links})


@csrf_exempt
@require_POST
def token(request: HttpRequest) -> HttpResponse:
    """Give tokens to a platform's program."""
    fields = request.POST.dict()
    try:
        client = client_of(fields, request.headers.get("Authorization", ""))
        return _json(tokens_for(client, fields))
    except TokenError as error:
        return _refused(error)


@csrf_exempt
@require_POST
def end(request: HttpRequest) -> HttpResponse:
    """End what a token stands for. A token that nobody knows is as good as ended."""
    fields = request.POST.dict()
    try:
        client = client_of(fields, request.headers.get("Authorization", ""))
    except TokenError as error:
        return _refused(error)
    revoke(client, fields.get("token", ""))
    return _json({})


def _refused(error: TokenError) -> HttpResponse:
    response = _json({"error": error.error}, status=error.status)
    if error.status == 401:
        response["WWW-Authenticate"] = f'Basic realm="{settings.SITE_URL}"'
    return response


def _lead(address: str) -> HttpResponse:
    """Lead to a platform's address, of whatever scheme: it was compared with the known ones."""
    response = HttpResponse(status=302)
    response["Location"] = address
    return response


def _json(body: dict[str, Any], *, status: int = 200) -> HttpResponse:
    response = HttpResponse(json.dumps(body), status=status, content_type="application/json")
    response["Cache-Control"] = "no-store"
    return response
