"""Problems over HTTP: RFC 9457 documents, and nothing of a stack trace."""

from __future__ import annotations

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from tertulia.errors import ErrorCode, Problem
from tertulia.protocol import ProblemDocument
from tertulia.web.error_messages import translated

MEDIA_TYPE = "application/problem+json"
DOCS = "/api/docs"


def document(problem: Problem, detail: str | None = None) -> ProblemDocument:
    code = problem.code
    return ProblemDocument(
        type=f"{DOCS}#{code.name}",
        title=code.value.title,
        status=code.value.status,
        code=code.name,
        detail=detail or problem.detail,
        field=problem.field,
        retry_after=problem.retry_after,
        left=problem.left,
    )


def response(problem: Problem, asked: Headers | None = None) -> Response:
    """The problem as an answer to these headers, with Retry-After and WWW-Authenticate where HTTP asks for them."""
    detail = translated(problem, asked or Headers())
    headers = {"Content-Language": detail.language}
    if problem.retry_after is not None:
        headers["Retry-After"] = str(problem.retry_after)
    if problem.code.value.status == 401:
        headers["WWW-Authenticate"] = "Bearer"
    body = document(problem, detail.text).model_dump_json()
    return Response(body, problem.code.value.status, headers, MEDIA_TYPE)


async def on_problem(request: Request, problem: Exception) -> Response:
    """Starlette's handler of Problem."""
    assert isinstance(problem, Problem)  # noqa: S101 - Starlette types handlers by Exception
    return response(problem, request.headers)


def of_http(error: HTTPException, method: str) -> Response:
    """What the router refuses (404, 405) as a problem."""
    if error.status_code == 405:
        answer = response(Problem(ErrorCode.method_not_allowed, f"{method} is not offered here; see {DOCS}."))
    else:
        answer = response(Problem(ErrorCode.not_found, f"There is nothing at this address; see {DOCS}."))
    answer.headers.update(error.headers or {})
    return answer
