"""What the OpenAPI document says of keys: the scheme, the scopes, the answers and their headers.

It is added to the document that ninja makes, because it is the same for every operation.
"""

from typing import Any

from django.utils.translation import override

from orders.api.client_access import ClientKey
from orders.api.problems import CONTENT_TYPE
from orders.api.products import TOO_LONG
from orders.api.schemas.problems import ScopeMissingOut
from orders.clients.scopes import SCOPES

_TEXT = {"schema": {"type": "string"}}
_HEADERS = {
    "RateLimit-Policy": _TEXT
    | {
        "description": "With a key: how many requests its client may send in how many seconds.",
        "example": '"client";q=600;w=60',
    },
    "RateLimit": _TEXT
    | {
        "description": "With a key: how many are left, and the seconds until all of them are.",
        "example": '"client";r=599;t=60',
    },
}
_CHALLENGE = {"WWW-Authenticate": _TEXT}


def with_keys(schema: Any, scopes: dict[str, str]) -> Any:
    """Add the keys to the document; `scopes` are those of the operations that need one."""
    components = schema["components"]
    components["schemas"]["ScopeMissingOut"] = ScopeMissingOut.model_json_schema()
    components["headers"] = {name: dict(header) for name, header in _HEADERS.items()}
    for path_item in schema["paths"].values():
        for operation in path_item.values():
            scope = scopes.get(operation["operationId"])
            if scope is not None:
                operation["security"] = [{ClientKey.__name__: [scope]}]
                with override("en"):  # as all of the document
                    said = f"Needs the scope `{scope}`: {str(SCOPES[scope]).lower()}."
                operation["description"] = f"{operation.get('description', '')}\n\n{said}".strip()
                if any(each["in"] == "query" for each in operation.get("parameters", ())):
                    operation["responses"].setdefault(414, {"description": TOO_LONG})
            _describe(operation["responses"], is_keyed=scope is not None)
    return schema


def _describe(responses: dict[Any, Any], *, is_keyed: bool) -> None:
    missing = "No key was sent, or one that doesn't work." if is_keyed else "The key doesn't work."
    responses.setdefault(401, _problem(missing, "ProblemOut", headers=_CHALLENGE))
    if is_keyed:
        said = "The key lacks the scope."
        responses.setdefault(403, _problem(said, "ScopeMissingOut", headers=_CHALLENGE))
    said = "The key's client has sent too many requests."
    again = responses.setdefault(429, _problem(said, "ProblemOut"))
    again.setdefault("headers", {}).setdefault("Retry-After", _TEXT)
    for status, answer in responses.items():
        if status not in (401, 414):  # before a key is read, or found
            links = {name: {"$ref": f"#/components/headers/{name}"} for name in _HEADERS}
            answer["headers"] = answer.get("headers", {}) | links


def _problem(description: str, schema: str, *, headers: dict[str, Any] | None = None) -> Any:
    content = {CONTENT_TYPE: {"schema": {"$ref": f"#/components/schemas/{schema}"}}}
    return {"description": description, "content": content, "headers": dict(headers or {})}
