"""An operation: one line of the API, from which both the route and its description are made."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field

from pydantic import BaseModel
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from tertulia.errors import ErrorCode

Handler = Callable[[Request], Awaitable[Response]]


@dataclass(frozen=True, slots=True)
class Parameter:
    """A query parameter; ``schema`` is its JSON Schema."""

    name: str
    help: str
    schema: dict[str, object] = field(default_factory=lambda: {"type": "string"})
    required: bool = False


@dataclass(frozen=True, slots=True)
class Operation:
    """``answers`` maps each status of success to its model, or to a media type where the answer is not JSON.

    ``bearer`` says whose token it takes; empty where it takes none.
    """

    method: str
    path: str
    handler: Handler
    summary: str
    answers: dict[int, type[BaseModel] | str]
    body: type[BaseModel] | None = None
    parameters: tuple[Parameter, ...] = ()
    headers: tuple[Parameter, ...] = ()
    errors: tuple[ErrorCode, ...] = ()
    bearer: str = ""

    @property
    def names(self) -> list[str]:
        """The names of its query parameters."""
        return [parameter.name for parameter in self.parameters]


SITE = Parameter("site", "The site; `default` when there is only one.", {"type": "string", "default": "default"})
KEY = Parameter(
    "key", "What the discussion is about.", {"type": "string", "minLength": 1, "maxLength": 512}, required=True
)
CURSOR = Parameter("cursor", "Continues a list: the `next` of its last page.")


def limit(default: int, most: int) -> Parameter:
    schema: dict[str, object] = {"type": "integer", "minimum": 1, "maximum": most, "default": default}
    return Parameter("limit", "How many at most.", schema)


def routes(operations: Sequence[Operation]) -> list[BaseRoute]:
    """One route a path, so that a wrong method is answered with 405 and what is offered."""
    by_path: dict[str, dict[str, Handler]] = {}
    for operation in operations:
        by_path.setdefault(operation.path, {})[operation.method] = operation.handler
    return [_route(path, handlers) for path, handlers in by_path.items()]


def _route(path: str, handlers: dict[str, Handler]) -> BaseRoute:
    async def dispatch(request: Request) -> Response:
        method = "GET" if request.method == "HEAD" else request.method
        return await handlers[method](request)

    return Route(path, dispatch, methods=list(handlers))
