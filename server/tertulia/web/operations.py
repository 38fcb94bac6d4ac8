"""Operations of the API, declared at their handlers; routes, description and strict queries are made from them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field, replace
from typing import TypeVar

from pydantic import BaseModel
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from tertulia.core.scopes import TokenScope
from tertulia.errors import ErrorCode
from tertulia.web.validation import Query

Handler = Callable[[Request], Awaitable[Response]]
Method = TypeVar("Method", bound=Callable[..., Awaitable[Response]])


@dataclass(frozen=True, slots=True)
class Parameter:
    """A query parameter; ``schema`` is its JSON Schema. A ``repeated`` one may come more than once."""

    name: str
    help: str
    schema: dict[str, object] = field(default_factory=lambda: {"type": "string"})
    required: bool = False
    repeated: bool = False


@dataclass(frozen=True, slots=True)
class Operation:
    """``answers`` maps each status of success to its model, to a media type if the answer is not JSON, or to None where
    it is empty.

    ``bearer`` says whose token it takes, empty where it takes none, and ``scope`` which programs', None where it takes
    none of theirs. ``handler`` is called with the request and its
    query, which may have the ``parameters`` and no others.
    """

    method: str
    path: str
    id: str
    summary: str
    answers: dict[int, type[BaseModel] | str | None]
    body: type[BaseModel] | None
    parameters: tuple[Parameter, ...]
    headers: tuple[Parameter, ...]
    errors: tuple[ErrorCode, ...]
    bearer: str
    scope: TokenScope | None
    handler: Callable[..., Awaitable[Response]]

    @property
    def names(self) -> list[str]:
        """The names of its query parameters."""
        return [one.name for one in self.parameters]

    async def answer(self, request: Request) -> Response:
        """What the handler answers. Raises unknown_field and invalid for a query that is not as declared, and what the
        handler raises.
        """
        query = Query(
            request.query_params,
            known=self.names,
            repeated=(one.name for one in self.parameters if one.repeated),
        )
        return await self.handler(request, query)


def operation(
    method: str,
    path: str,
    summary: str,
    answers: dict[int, type[BaseModel] | str | None],
    *,
    id: str | None = None,
    body: type[BaseModel] | None = None,
    parameters: tuple[Parameter, ...] = (),
    headers: tuple[Parameter, ...] = (),
    errors: tuple[ErrorCode, ...] = (),
    bearer: str = "",
    scope: TokenScope | None = None,
) -> Callable[[Method], Method]:
    """Declares what the decorated method answers: ``(self, request, query) -> Response``.

    ``id`` is OpenAPI's operationId, by default made of the HTTP method and the decorated method's name.
    """

    def declare(handler: Method) -> Method:
        name = id or f"{method.lower()}_{handler.__name__}"
        codes = errors if scope is None else (*errors, ErrorCode.forbidden)
        declared = Operation(
            method, path, name, summary, answers, body, parameters, headers, codes, bearer, scope, handler
        )
        handler.operation = declared  # type: ignore[attr-defined]
        return handler

    return declare


def operations_of(edge: object) -> list[Operation]:
    """What the methods of an object declare, in the order in which they are written; of a class, to be described."""
    methods = vars(edge if isinstance(edge, type) else type(edge))
    return [
        replace(method.operation, handler=getattr(edge, name))
        for name, method in methods.items()
        if hasattr(method, "operation")
    ]


PROGRAM = "program"
"""The ``bearer`` of an operation that takes the tokens of programs alone."""

SITE = Parameter("site", "The site; `default` when there is only one.", {"type": "string", "default": "default"})
KEY = Parameter(
    "key", "What the discussion is about.", {"type": "string", "minLength": 1, "maxLength": 512}, required=True
)
CURSOR = Parameter("cursor", "Continues a list: the `next` of its last page.")

SITE_ERRORS = (ErrorCode.unknown_site, ErrorCode.invalid)
"""Of an operation that takes SITE."""
KEY_ERRORS = (*SITE_ERRORS, ErrorCode.malformed, ErrorCode.empty, ErrorCode.too_long)
"""Of an operation that takes SITE, and KEY or another short text."""
BODY_ERRORS = (ErrorCode.malformed, ErrorCode.invalid, ErrorCode.unsupported_media_type)
"""Of an operation with a body."""


def limit(default: int, most: int) -> Parameter:
    schema: dict[str, object] = {"type": "integer", "minimum": 1, "maximum": most, "default": default}
    return Parameter("limit", "How many at most.", schema)


def routes(operations: Iterable[Operation]) -> list[BaseRoute]:
    """One route a path, so that a wrong method is answered with 405 and what is offered."""
    by_path: dict[str, dict[str, Handler]] = {}
    for operation in operations:
        by_path.setdefault(operation.path, {})[operation.method] = operation.answer
    return [_route(path, handlers) for path, handlers in by_path.items()]


def _route(path: str, handlers: dict[str, Handler]) -> BaseRoute:
    async def dispatch(request: Request) -> Response:
        method = "GET" if request.method == "HEAD" else request.method
        return await handlers[method](request)

    return Route(path, dispatch, methods=list(handlers))
