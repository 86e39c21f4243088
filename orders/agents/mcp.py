"""The MCP binding: stateless streamable HTTP, JSON-RPC 2.0, one tool an operation.

Each POST is answered at once with JSON; there are no streams and no sessions, which the protocol
allows a server (MCP 2025-06-18, Transports).
"""

import json
from collections.abc import Mapping
from typing import Any

from django.conf import settings
from django.db import Error, connection
from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt

from orders.agents.errors import InvalidInput, ProtocolError
from orders.agents.negotiation import profile_url_of
from orders.agents.operations import OPERATIONS, perform
from orders.agents.requests import json_of, session_of
from orders.agents.rest import answer
from orders.agents.tools import tools
from orders.agents.versions import VERSION
from project.database.errors import dropped_if_lost

SPOKEN = ("2025-11-25", "2025-06-18", "2025-03-26")
"""The versions of MCP that this server speaks, the newest first."""
_DISCOVERY = frozenset(
    {"invalid_profile_url", "profile_unreachable", "profile_malformed", "version_unsupported"}
)
PARSE, INVALID, NO_METHOD, PARAMS, INTERNAL = -32700, -32600, -32601, -32602, -32603


class RpcError(Exception):
    """The answer that is an error; `headers` go with its HTTP status."""

    def __init__(
        self,
        code: int,
        message: str,
        *,
        status: int = 200,
        data: Any = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.code, self.status, self.data = code, status, data
        self.headers = headers or {}


@csrf_exempt
def mcp(request: HttpRequest) -> HttpResponse:
    """Answer one JSON-RPC message."""
    if request.method != "POST":
        response = answer(405, {"code": "method_not_allowed", "content": "Send a POST."})
        response["Allow"] = "POST"
        return response
    message: Any = None
    try:
        message = _message(request)
        if "id" not in message:
            return HttpResponse(status=202)  # a notification has no answer
        result = _result(request, message)
        return answer(200, {"jsonrpc": "2.0", "id": message["id"], "result": result})
    except RpcError as error:
        body: dict[str, Any] = {"code": error.code, "message": str(error)}
        if error.data is not None:
            body["data"] = error.data
        message_id = message.get("id") if isinstance(message, dict) else None
        response = answer(error.status, {"jsonrpc": "2.0", "id": message_id, "error": body})
        wait = (error.data or {}).get("retry_after")
        if wait:
            response["Retry-After"] = str(wait)
        for name, value in error.headers.items():
            response[name] = value
        return response


def _message(request: HttpRequest) -> dict[str, Any]:
    try:
        message = json_of(request)
    except ProtocolError as error:
        code = PARSE if isinstance(error, InvalidInput) else INVALID
        raise RpcError(code, error.content, status=error.status) from None
    if not isinstance(message, dict) or message.get("jsonrpc") != "2.0":
        raise RpcError(INVALID, "Send one JSON-RPC 2.0 message.", status=400)
    message_id = message.get("id")
    if isinstance(message_id, bool) or not isinstance(message_id, str | int | float | None):
        raise RpcError(INVALID, "The id must be a text, a number or null.", status=400)
    if not isinstance(message.get("method"), str):
        raise RpcError(INVALID, "Send the method's name as method.", status=400)
    return message


def _result(request: HttpRequest, message: Mapping[str, Any]) -> dict[str, Any]:
    parameters = message.get("params") or {}
    if not isinstance(parameters, dict):
        raise RpcError(PARAMS, "params must be an object.")
    match message.get("method"):
        case "initialize":
            return _greeting(str(parameters.get("protocolVersion", "")))
        case "ping":
            return {}
        case "tools/list":
            return {"tools": tools()}
        case "tools/call":
            return _call(request, parameters)
        case method:
            raise RpcError(NO_METHOD, f"There is no method {str(method)[:100]}.")


def _greeting(version: str) -> dict[str, Any]:
    return {
        "protocolVersion": version if version in SPOKEN else SPOKEN[0],
        "capabilities": {"tools": {"listChanged": False}},
        "serverInfo": {"name": settings.SHOP_NAME, "version": VERSION},
    }


def _call(request: HttpRequest, parameters: Mapping[str, Any]) -> dict[str, Any]:
    name, arguments = parameters.get("name"), _object(parameters, "arguments")
    if not isinstance(name, str):
        raise RpcError(PARAMS, "Send the tool's name as name.")
    if name not in OPERATIONS:
        raise RpcError(PARAMS, f"There is no tool {name[:100]}.")
    operation, meta = OPERATIONS[name], _object(arguments, "meta")
    try:
        profile_url, version = _agent(request, meta)
        _status, body = perform(
            name,
            session_of(request, profile_url, version=version),
            target=str(arguments.get("id", "")),
            payload=arguments.get(operation.payload) if operation.payload else None,
            key=str(meta.get("idempotency-key") or request.headers.get("Idempotency-Key", "")),
        )
    except InvalidInput as error:
        raise _rpc(error.within(operation.payload)) from error
    except ProtocolError as error:
        raise _rpc(error) from error
    except Error as error:
        if not dropped_if_lost(error, connection):
            raise
        raise RpcError(
            -32000, "Repeat the request.", status=503, data={"retry_after": 2}
        ) from error
    text = json.dumps(body, ensure_ascii=False)
    is_error = body.get("ucp", {}).get("status") == "error"
    return {
        "structuredContent": body,
        "content": [{"type": "text", "text": text}],
        "isError": is_error,
    }


def _object(parent: Mapping[str, Any], name: str) -> dict[str, Any]:
    """Return this member, which may be left out. Raises RpcError."""
    found = parent.get(name)
    if found is None:
        return {}
    if not isinstance(found, dict):
        raise RpcError(PARAMS, f"{name} must be an object.")
    return found


def _agent(request: HttpRequest, meta: Mapping[str, Any]) -> tuple[str, str]:
    """Return profile and version of the platform, from the arguments or else the header."""
    agent = meta.get("ucp-agent")
    if isinstance(agent, dict) and isinstance(agent.get("profile"), str):
        return agent["profile"], str(agent.get("version") or "")
    if header := request.headers.get("UCP-Agent", ""):
        return profile_url_of(header)
    content = "Send your profile's https address in the arguments: meta → ucp-agent → profile."
    raise ProtocolError(400, "invalid_profile_url", content)


def _rpc(error: ProtocolError) -> RpcError:
    """Return the transport's error in JSON-RPC, by the table of the overview's Error Codes."""
    data = dict(error.body)
    if error.retry_after:
        data["retry_after"] = error.retry_after
    if error.code in _DISCOVERY:
        return RpcError(-32001, "UCP discovery failed", status=error.status, data=data)
    if isinstance(error, InvalidInput) or error.code == "request_too_large":
        return RpcError(PARAMS, error.content, data=data)
    if error.code in ("digest_mismatch", "algorithm_unsupported"):
        return RpcError(INVALID, error.content, status=error.status, data=data)
    if error.status == 500:
        return RpcError(INTERNAL, error.content, status=500, data=data)
    return RpcError(-32000, error.content, status=error.status, data=data, headers=error.headers)
