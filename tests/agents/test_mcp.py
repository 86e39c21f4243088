"""The MCP binding: by plain JSON-RPC, and by the client of the package `mcp`."""

import asyncio
import json
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from django.test import Client

from orders.models import Order
from tests.agents.agent import BUYER, lines, paying
from tests.agents.mcp_calls import META, call, content, rpc
from tests.concurrency.web import web
from tests.factories import add_product

pytestmark = [
    pytest.mark.django_db(transaction=True, databases=["default", "writer"]),
    pytest.mark.usefixtures("writers", "local"),
]


def test_a_whole_purchase_by_tools() -> None:
    add_product("MUG", stock=5, price="9.90")

    found = content(call("search_catalog", catalog={"query": "mug"}))
    wanted = {"line_items": lines((found["products"][0]["id"], 2)), "buyer": BUYER}
    made = content(call("create_checkout", checkout=wanted))
    done = content(
        rpc(
            "tools/call",
            {
                "name": "complete_checkout",
                "arguments": {
                    "meta": {**META, "idempotency-key": "a key of this agent"},
                    "id": made["id"],
                    "checkout": paying(),
                },
            },
        )
    )
    order = content(call("get_order", id=done["order"]["id"]))

    assert done["status"] == "completed"
    assert order["line_items"][0]["quantity"] == {"original": 2, "total": 2, "fulfilled": 0}
    assert Order.objects.get().door == Order.Source.AGENT


def test_errors_of_the_transport_are_errors_of_json_rpc() -> None:
    no_profile = rpc("tools/call", {"name": "get_cart", "arguments": {"id": "x"}})
    old = rpc(
        "tools/call",
        {
            "name": "search_catalog",
            "arguments": {"meta": {"ucp-agent": {"profile": "https://platform.test/old"}}},
        },
    )
    invalid = call("create_cart", cart={"line_items": "none"})

    assert (no_profile["error"]["code"], old["error"]["code"]) == (-32001, -32001)
    assert old["error"]["data"]["code"] == "version_unsupported"
    assert invalid["error"]["code"] == -32602
    assert rpc("no_such_method")["error"]["code"] == -32601
    assert call("no_such_tool")["error"]["code"] == -32602


def test_who_needs_a_persons_consent_is_told_where_it_is_asked_for() -> None:
    arguments = {"meta": META, "id": str(UUID(int=7))}
    message = {
        "jsonrpc": "2.0",
        "id": 1,
        "method": "tools/call",
        "params": {"name": "get_order", "arguments": arguments},
    }

    answer = Client().post("/ucp/mcp", message, content_type="application/json")

    assert (answer.status_code, answer.json()["error"]["code"]) == (401, -32000)
    said = answer["WWW-Authenticate"]
    assert said.startswith("Bearer ")
    assert "/.well-known/oauth-protected-resource" in said


def test_an_outcome_of_the_business_is_a_result() -> None:
    answer = call("get_product", catalog={"id": "NO-SUCH"})

    assert answer["result"]["isError"] is True
    assert content(answer)["messages"][0]["code"] == "not_found"


@pytest.mark.parametrize("message_id", [{}, [], True, False, {"a": 1}])
def test_an_id_is_a_text_a_number_or_null(message_id: Any) -> None:
    message = {"jsonrpc": "2.0", "id": message_id, "method": "ping"}
    answer = Client().post("/ucp/mcp", json.dumps(message), "application/json")

    assert (answer.status_code, answer.json()["id"]) == (400, None)
    assert answer.json()["error"] == {
        "code": -32600,
        "message": "The id must be a text, a number or null.",
    }


@pytest.mark.parametrize("message_id", ["a", "", 0, -7, 1.5, None])
def test_the_answer_has_the_id_of_the_message(message_id: Any) -> None:
    message = {"jsonrpc": "2.0", "id": message_id, "method": "ping"}
    answer = Client().post("/ucp/mcp", json.dumps(message), "application/json")

    assert answer.json() == {"jsonrpc": "2.0", "id": message_id, "result": {}}


@pytest.mark.parametrize("method", [{}, {"method": None}, {"method": 7}])
def test_a_message_without_a_method_is_told_so(method: Any) -> None:
    message = {"jsonrpc": "2.0", "id": 1, **method}
    answer = Client().post("/ucp/mcp", json.dumps(message), "application/json")

    assert answer.json()["error"] == {
        "code": -32600,
        "message": "Send the method's name as method.",
    }


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b'{"jsonrpc": "1.0", "id": 1}', b"[1, 2]"])
def test_what_is_no_message_is_refused(body: bytes) -> None:
    answer = Client().post("/ucp/mcp", body, "application/json")

    assert answer.status_code == 400
    assert answer.json()["error"]["code"] in (-32600, -32700)


def test_a_notification_has_no_answer_and_a_get_is_no_message() -> None:
    message = {"jsonrpc": "2.0", "method": "notifications/initialized"}
    answer = Client().post("/ucp/mcp", json.dumps(message), "application/json")

    assert (answer.status_code, answer.content) == (202, b"")
    assert Client().get("/ucp/mcp").status_code == 405


@pytest.mark.live
def test_the_client_of_the_package_mcp_lists_tools_and_calls_one(tmp_path: Path) -> None:
    from mcp import ClientSession
    from mcp.client.streamable_http import streamable_http_client

    add_product("MUG", stock=5, price="9.90")

    async def shop(url: str) -> tuple[list[str], Any]:
        async with (
            streamable_http_client(url) as streams,
            ClientSession(streams[0], streams[1]) as session,
        ):
            await session.initialize()
            tools = [tool.name for tool in (await session.list_tools()).tools]
            arguments = {"meta": META, "catalog": {"query": "mug"}}
            return tools, await session.call_tool("search_catalog", arguments)

    with web(tmp_path, TANDEM_LOCAL="1") as started:
        tools, found = asyncio.run(shop(f"{started.url}/ucp/mcp"))

    assert len(tools) == 13
    assert found.structured_content["products"][0]["id"] == "MUG"


@pytest.mark.parametrize("arguments", ["x", [], 7])
def test_arguments_that_are_no_object_are_told_so(arguments: Any) -> None:
    answer = rpc("tools/call", {"name": "search_catalog", "arguments": arguments})

    assert answer["error"] == {"code": -32602, "message": "arguments must be an object."}


@pytest.mark.parametrize("meta", ["x", [], 7])
def test_a_meta_that_is_no_object_is_told_so(meta: Any) -> None:
    answer = rpc("tools/call", {"name": "search_catalog", "arguments": {"meta": meta}})

    assert answer["error"]["message"] == "meta must be an object."


@pytest.mark.parametrize("name", [None, ["search_catalog"], {}])
def test_a_name_that_is_no_tools_is_told_so(name: Any) -> None:
    answer = rpc("tools/call", {"name": name, "arguments": {}})

    assert answer["error"]["message"] == "Send the tool's name as name."


def test_a_missing_profile_is_asked_for_where_this_binding_has_it() -> None:
    answer = rpc("tools/call", {"name": "search_catalog", "arguments": {"catalog": {}}})

    problem = answer["error"]["data"]
    assert problem["code"] == "invalid_profile_url"
    assert "meta → ucp-agent → profile" in problem["content"]


@pytest.mark.parametrize(
    ("catalog", "path"),
    [({"query": 1}, "$.catalog.query"), ({}, "$.catalog.query"), ("x", "$.catalog")],
)
def test_the_path_of_a_wrong_field_begins_with_the_argument(catalog: Any, path: str) -> None:
    answer = call("search_catalog", catalog=catalog)

    error = answer["error"]
    assert error["message"].startswith(f"{path}: ")
    assert error["data"]["messages"][0]["path"] == path
