"""The tools that an MCP client is shown: one for each operation, with its input's schema."""

from typing import Any

from pydantic import BaseModel

from orders.agents.operations import OPERATIONS
from orders.agents.schemas import buying, catalog

_PAYLOADS: dict[str, type[BaseModel]] = {
    "search_catalog": catalog.SearchIn,
    "lookup_catalog": catalog.LookupIn,
    "get_product": catalog.ProductIn,
    "create_cart": buying.CartIn,
    "update_cart": buying.CartIn,
    "create_checkout": buying.CheckoutIn,
    "update_checkout": buying.CheckoutIn,
    "complete_checkout": buying.CompletionIn,
}


def tools() -> list[dict[str, Any]]:
    """Return the list of `tools/list`."""
    return [
        {"name": name, "description": operation.describes, "inputSchema": _schema(name)}
        for name, operation in OPERATIONS.items()
    ]


def _schema(name: str) -> dict[str, Any]:
    operation = OPERATIONS[name]
    properties: dict[str, Any] = {
        "meta": {
            "type": "object",
            "required": ["ucp-agent"],
            "properties": {
                "ucp-agent": {
                    "type": "object",
                    "required": ["profile"],
                    "properties": {"profile": {"type": "string", "format": "uri"}},
                },
                "idempotency-key": {"type": "string"},
            },
        }
    }
    required = ["meta"]
    if operation.has_target:
        properties["id"] = {"type": "string"}
        required.append("id")
    schema: dict[str, Any] = {"type": "object", "properties": properties, "required": required}
    if operation.payload:
        own = _PAYLOADS[name].model_json_schema()
        schema["$defs"] = own.pop("$defs", {})
        properties[operation.payload] = own
        required.append(operation.payload)
    return schema
