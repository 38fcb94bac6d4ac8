"""Whatever is sent, the answer is one that the description knows, and never a fault of the server."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import quote

import pytest
import pytest_asyncio
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tertulia.protocol import API
from tests.api.app import OF_DISCUSSIONS, App, bearer, furnish, named, new_key, opened
from tests.support.effort import examples
from tests.support.unlimited import unlimited

WORDS = st.one_of(
    st.text(st.characters(codec=None), max_size=20),
    st.sampled_from(
        ["talk", "default", "second", "open", "oldest", "spam", "1", "-1", "0", "501", "null", "é\0", "％"]
    ),
)
JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), WORDS),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(WORDS, inner, max_size=3)),
    max_leaves=8,
)
FIELDS = ["site", "key", "title", "url", "parent_id", "body", "author", "value", "reason", "note", "mode", "name"]
PARAMETERS = ["site", "key", "sort", "limit", "cursor", "parent", "epoch", "after", "lang"]
BODIES = st.one_of(JSON, st.dictionaries(st.sampled_from(FIELDS), JSON, max_size=6))
QUERIES = st.lists(st.tuples(st.one_of(st.sampled_from(PARAMETERS), WORDS), WORDS), max_size=4)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def furnished(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[App]:
    chosen = unlimited(tmp_path_factory.mktemp("fuzz"))
    async with opened(chosen) as app:
        await furnish(app)
        yield app


def _url(path: str, query: list[tuple[str, str]]) -> str:
    pairs = (f"{quote(name, safe='', errors='surrogatepass')}={quote(value, safe='', errors='surrogatepass')}"
             for name, value in query)  # fmt: skip
    return API + path + "?" + "&".join(pairs)


@pytest.mark.asyncio(loop_scope="module")
@settings(max_examples=examples(300), suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
async def test_no_request_is_a_fault_of_the_server(furnished: App, data: Any) -> None:
    operation = data.draw(st.sampled_from(OF_DISCUSSIONS).map(lambda one: one), label="operation")
    comment = data.draw(st.sampled_from(["lans", "minhs", "held", "removed", "foreign", "unknown"]), label="comment")
    token = data.draw(st.sampled_from([None, "lan", "minh", "second", "moderator"]), label="token")
    query = data.draw(st.one_of(st.just([("key", "fuzz")]), QUERIES), label="query")
    content = json.dumps(data.draw(BODIES, label="body")).encode() if operation.body else None
    headers = {"Idempotency-Key": new_key()} | (bearer(furnished.tokens[token]) if token else {})
    if content is not None:
        headers["Content-Type"] = "application/json"
    path = named(operation).split()[1].replace("{id}", furnished.ids[comment])
    answer = await furnished.client.request(operation.method, _url(path, query), content=content, headers=headers)
    assert answer.status_code < 500, answer.text


@pytest.mark.asyncio(loop_scope="module")
@settings(max_examples=examples(200), suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(content=st.one_of(st.binary(max_size=200), st.text('{}[]",:\\\0 1e+-ntrue', max_size=40).map(str.encode)))
async def test_no_body_is_a_fault_of_the_server(furnished: App, content: bytes) -> None:
    headers = {"Idempotency-Key": new_key(), "Content-Type": "application/json"}
    answer = await furnished.client.post(f"{API}/comments", content=content, headers=headers)
    assert 400 <= answer.status_code < 500
