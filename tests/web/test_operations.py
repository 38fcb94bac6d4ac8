"""The description of the API says what there is: nothing more, nothing less."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, cast

import httpx
import pytest
from markupsafe import escape
from starlette.applications import Starlette
from starlette.routing import Route

from tertulia.app import Running
from tertulia.errors import CLOSE_ADVICE, CloseCode, ErrorCode
from tertulia.protocol import API

METHODS = {"get", "put", "post", "delete", "patch"}


@pytest.fixture
async def document(client: httpx.AsyncClient) -> dict[str, Any]:
    answer = await client.get(f"{API}/openapi.json")
    assert answer.headers["content-type"] == "application/json"
    found: dict[str, Any] = answer.json()
    return found


def _references(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        if "$ref" in value:
            yield value["$ref"]
        for inner in value.values():
            yield from _references(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _references(inner)


def _operations(document: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            yield path, method, operation


def test_every_reference_leads_somewhere(document: dict[str, Any]) -> None:
    references = set(_references(document))
    assert len(references) > 20
    for reference in references:
        target: Any = document
        assert reference.startswith("#/")
        for part in reference[2:].split("/"):
            target = target[part]
        assert isinstance(target, dict)


def test_the_document_has_the_form_of_openapi(document: dict[str, Any]) -> None:
    assert re.fullmatch(r"3\.1\.\d+", document["openapi"])
    assert document["info"]["title"]
    assert document["info"]["version"]
    ids = []
    for path, method, operation in _operations(document):
        assert method in METHODS
        assert path.startswith("/")
        ids.append(operation["operationId"])
        assert operation["summary"]
        assert any(status.startswith("2") for status in operation["responses"])
        for status, response in operation["responses"].items():
            assert re.fullmatch(r"[1-5]\d\d", status)
            assert response["description"]
            assert ("content" in response) == (status != "204")
        for parameter in operation["parameters"]:
            assert parameter["in"] in ("path", "query", "header")
            assert parameter["schema"]
            assert parameter["description"]
        names = [(parameter["in"], parameter["name"]) for parameter in operation["parameters"]]
        assert len(set(names)) == len(names)
        for requirement in operation.get("security", []):
            assert set(requirement) <= set(document["components"]["securitySchemes"])
        assert ("requestBody" in operation) <= (method in ("post", "put", "patch"))
    assert len(set(ids)) == len(ids)


def test_every_parameter_of_a_path_is_declared(document: dict[str, Any]) -> None:
    for path, _, operation in _operations(document):
        declared = [parameter for parameter in operation["parameters"] if parameter["in"] == "path"]
        assert [parameter["name"] for parameter in declared] == re.findall(r"{(\w+)}", path)
        assert all(parameter["required"] is True for parameter in declared)


def test_every_route_is_described_and_the_other_way_around(server: Running, document: dict[str, Any]) -> None:
    routed = {
        (re.sub(r"{(\w+):\w+}", r"{\1}", route.path), method.lower())
        for route in cast(Starlette, server.asgi).routes
        if isinstance(route, Route) and route.path.startswith(API)
        for method in route.methods or ()
        if method != "HEAD"
    }
    routed.discard((f"{API}/openapi.json", "get"))
    assert routed == {(path, method) for path, method, _ in _operations(document)}


async def test_every_parameter_that_is_described_is_known(client: httpx.AsyncClient, document: dict[str, Any]) -> None:
    for path, method, operation in _operations(document):
        params = {
            parameter["name"]: parameter["schema"].get("enum", ["1"])[0]
            for parameter in operation["parameters"]
            if parameter["in"] == "query"
        }
        answer = await client.request(method.upper(), path.replace("{id}", "x"), params=params)
        assert answer.status_code >= 500 or "unknown_field" not in answer.text, (path, method)


async def test_the_page_lists_every_operation_and_code(client: httpx.AsyncClient, document: dict[str, Any]) -> None:
    answer = await client.get("/api/docs")
    assert answer.headers["content-type"].startswith("text/html")
    page = answer.text
    for path, method, operation in _operations(document):
        assert f"{method.upper()} {path}</h3>" in page
        assert f'id="{operation["operationId"]}"' in page
    for code in ErrorCode:
        assert f'<tr id="{code.name}">' in page, "a problem's type leads here"
    for close in CloseCode:
        assert f"<td><code>{int(close)}</code></td><td>{close.name}</td>" in page
        assert CLOSE_ADVICE[close]
    for name in document["components"]["schemas"]:
        assert f'id="{name}"' in page
    assert "<script" not in page
    ids = re.findall(r'id="([^"]+)"', page)
    assert len(set(ids)) == len(ids)
    assert set(re.findall(r'href="#([^"]+)"', page)) <= set(ids)


async def test_what_is_code_is_code_on_the_page(client: httpx.AsyncClient, document: dict[str, Any]) -> None:
    """What the texts of the description have between backticks, which no reader sees."""
    page = (await client.get("/api/docs")).text
    assert "`" not in page
    operations = [operation for _, _, operation in _operations(document)]
    texts = [
        *(operation["summary"] for operation in operations),
        *(parameter["description"] for operation in operations for parameter in operation["parameters"]),
        *(schema.get("description", "") for schema in document["components"]["schemas"].values()),
        *(code.value.title for code in ErrorCode),
        *CLOSE_ADVICE.values(),
    ]
    marked = {str(escape(code)) for text in texts for code in re.findall(r"`+([^`]+)`+", text)}
    assert marked
    assert [code for code in sorted(marked) if f"<code>{code}</code>" not in page] == []
