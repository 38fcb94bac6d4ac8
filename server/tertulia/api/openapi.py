"""The description of the API (OpenAPI 3.1), made from the operations and the models; and a page to read it on."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Sequence
from functools import cached_property
from typing import Any

from markupsafe import Markup, escape
from pydantic import BaseModel
from pydantic.json_schema import models_json_schema
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from tertulia import __version__, protocol
from tertulia.errors import CLOSE_ADVICE, ErrorCode
from tertulia.web.operations import PROGRAM, Operation, Parameter
from tertulia.web.problems import DOCS, MEDIA_TYPE

_REF = "#/components/schemas/{model}"
_PATH_PARAMETER = re.compile(r"{(\w+)(?::\w+)?}")
_PATH_HELP = {
    "ban": "The id of a ban.",
    "id": "The comment.",
    "issuer": "An issuer or a provider of the site, by its name.",
    "subject": "Whom it means, as its tokens say it in `sub`; percent-encoded.",
}
_BACKTICKS = re.compile(r"`+")
_ALWAYS = (ErrorCode.origin_not_allowed, ErrorCode.unknown_field, ErrorCode.too_large, ErrorCode.internal)
_ID = "$response.body#/comment/id"
"""Where the answers that are about one comment have its id, as a runtime expression of OpenAPI."""
_CSP = "default-src 'none'; style-src 'self' 'unsafe-inline'; frame-ancestors 'none'"


_SITE_TOKEN = {
    "type": "http",
    "scheme": "bearer",
    "description": "A token `tk_…` of a program, for its own site alone; beside it stands the scope that it needs.",
}
_OF_ONE_COMMENT = (protocol.Posted, protocol.Permalink)


class Description:
    """The description of these operations, made at the first request: it takes 60 ms, in a thread."""

    def __init__(self, operations: Sequence[Operation]) -> None:
        self._operations = operations

    @cached_property
    def _document(self) -> dict[str, Any]:
        return describe(self._operations)

    @cached_property
    def _content(self) -> str:
        return json.dumps(self._document, ensure_ascii=False)

    @cached_property
    def _page(self) -> str:
        from jinja2 import Environment, PackageLoader  # as the rest of a description, at its first request

        environment = Environment(loader=PackageLoader("tertulia.api"), autoescape=True)
        return environment.get_template("docs.html").render(
            api=self._document,
            resolve=_resolver(self._document),
            marked=_marked,
            errors=[(code.name, code.value) for code in ErrorCode],
            closes=[(int(code), code.name, advice) for code, advice in CLOSE_ADVICE.items()],
        )

    def routes(self) -> list[BaseRoute]:
        return [Route(f"{protocol.API}/openapi.json", self._json), Route(DOCS, self._docs)]

    async def _json(self, _request: Request) -> Response:
        content = await asyncio.to_thread(lambda: self._content)
        return Response(content, media_type="application/json")

    async def _docs(self, _request: Request) -> Response:
        page = await asyncio.to_thread(lambda: self._page)
        return Response(page, media_type="text/html", headers={"Content-Security-Policy": _CSP})


def describe(operations: Sequence[Operation]) -> dict[str, Any]:
    """The OpenAPI document."""
    inbound = {operation.body for operation in operations if operation.body}
    answers = {
        model
        for operation in operations
        for model in operation.answers.values()
        if model is not None and not isinstance(model, str)
    }
    extra: set[type[BaseModel]] = {
        protocol.ProblemDocument,
        protocol.Hello,
        protocol.EventsMessage,
        protocol.Heartbeat,
        protocol.Presence,
        protocol.Reset,
        protocol.Writing,
    }
    models = sorted(inbound | answers | extra, key=lambda model: model.__name__)
    _, schemas = models_json_schema(
        [(model, "validation" if issubclass(model, protocol.Inbound) else "serialization") for model in models],
        ref_template=_REF,
    )
    paths: dict[str, dict[str, Any]] = {}
    links = {one.id: {"operationId": one.id, "parameters": {"id": _ID}} for one in operations if "{id}" in one.path}
    for operation in operations:
        paths.setdefault(_PATH_PARAMETER.sub(r"{\1}", operation.path), {})[operation.method.lower()] = _operation(
            operation, links
        )
    return {
        "openapi": "3.1.0",
        "info": {"title": "Tertulia", "version": __version__, "description": "Live discussions under articles."},
        "paths": paths,
        "components": {
            "schemas": schemas["$defs"],
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}, "siteToken": _SITE_TOKEN},
        },
    }


def _operation(operation: Operation, links: dict[str, Any]) -> dict[str, Any]:
    path = [Parameter(name, _PATH_HELP[name], required=True) for name in _PATH_PARAMETER.findall(operation.path)]
    described: dict[str, Any] = {
        "summary": operation.summary,
        "operationId": operation.id,
        "parameters": [
            *(_parameter(parameter, "path") for parameter in path),
            *(_parameter(parameter, "query") for parameter in operation.parameters),
            *(_parameter(parameter, "header") for parameter in operation.headers),
        ],
        "responses": _responses(operation, links),
    }
    if operation.body is not None:
        described["requestBody"] = {"required": True, "content": {"application/json": _schema(operation.body)}}
    if operation.bearer:
        required = operation.bearer != "optional"
        described["security"] = [{"token": []}] if operation.bearer != PROGRAM else []
        if operation.scope is not None:
            described["security"].append({"siteToken": [operation.scope]})
        described["security"] += [] if required else [{}]
        described["x-token"] = operation.bearer
    return described


def _responses(operation: Operation, links: dict[str, Any]) -> dict[str, Any]:
    """What it may answer; ``links`` is what can be done with a comment, by the operations' ids."""
    found: dict[str, Any] = {}
    for status, model in operation.answers.items():
        found[str(status)] = {"description": "Done"}
        if model is None:
            continue
        found[str(status)]["content"] = {model: {}} if isinstance(model, str) else {"application/json": _schema(model)}
        if model in _OF_ONE_COMMENT:
            found[str(status)]["links"] = links
    problem = {MEDIA_TYPE: _schema(protocol.ProblemDocument)}
    for code in dict.fromkeys((*operation.errors, *_ALWAYS)):
        known = found.setdefault(str(code.value.status), {"description": "", "content": problem})
        known["description"] = ", ".join(filter(None, (known["description"], code.name)))
    return dict(sorted(found.items()))


def _parameter(parameter: Parameter, location: str) -> dict[str, Any]:
    return {
        "name": parameter.name,
        "in": location,
        "description": parameter.help,
        "required": parameter.required,
        "schema": parameter.schema,
    }


def _schema(model: type[BaseModel]) -> dict[str, Any]:
    return {"schema": {"$ref": _REF.format(model=model.__name__)}}


def _marked(text: str) -> Markup:
    """A sentence of the description as HTML: what stands between backticks, one or two of them, is code."""
    return Markup("").join(
        Markup("<code>{}</code>").format(part) if is_code else escape(part)
        for is_code, part in ((number % 2, part) for number, part in enumerate(_BACKTICKS.split(text)))
    )


def _resolver(document: dict[str, Any]) -> Any:
    def resolve(schema: dict[str, Any]) -> str:
        """A schema in a few words, for people."""
        if "$ref" in schema:
            return str(schema["$ref"]).rpartition("/")[2]
        if "anyOf" in schema:
            return " or ".join(resolve(option) for option in schema["anyOf"])
        if "enum" in schema:
            return " | ".join(json.dumps(value) for value in schema["enum"])
        if "const" in schema:
            return json.dumps(schema["const"])
        if schema.get("type") == "array":
            return f"list of {resolve(schema.get('items', {}))}"
        return str(schema.get("type", "anything"))

    return resolve
