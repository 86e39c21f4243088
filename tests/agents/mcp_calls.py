"""Calls by the MCP binding, over Django's test client."""

import json
from typing import Any

from django.test import Client

from tests.agents.agent import PROFILE

META = {"ucp-agent": {"profile": PROFILE}}


def call(name: str, **arguments: Any) -> dict[str, Any]:
    """Return the answer to a call of the tool."""
    return rpc("tools/call", {"name": name, "arguments": {"meta": META, **arguments}})


def rpc(method: str, params: Any = None) -> dict[str, Any]:
    message = {"jsonrpc": "2.0", "id": 7, "method": method, "params": params or {}}
    answer = Client().post("/ucp/mcp", json.dumps(message), "application/json")
    return dict(answer.json())


def content(answer: dict[str, Any]) -> dict[str, Any]:
    return dict(answer["result"]["structuredContent"])
