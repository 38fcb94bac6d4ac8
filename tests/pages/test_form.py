from __future__ import annotations

import re
from urllib.parse import urlencode

import pytest
from starlette.requests import Request
from starlette.types import Message

from tertulia.errors import ErrorCode, Problem
from tertulia.languages import language
from tertulia.pages.form import Form, FormError, FormInput, explain, read_form

FORM = "application/x-www-form-urlencoded"
AT_MOST_64 = "it can have at most 64 characters."
NONCE = "n" * 22


def request(body: bytes, media_type: str = FORM, chunk: int = 1000) -> Request:
    parts = [body[at : at + chunk] for at in range(0, len(body), chunk)] or [b""]
    messages: list[Message] = [{"type": "http.request", "body": part, "more_body": True} for part in parts]
    messages[-1]["more_body"] = False

    async def receive() -> Message:
        return messages.pop(0)

    headers = [(b"content-type", media_type.encode())]
    return Request({"type": "http", "method": "POST", "path": "/", "headers": headers}, receive)


async def test_what_was_typed_is_read() -> None:
    body = urlencode({"name": "Hương", "body": "một\r\nhai", "parent_id": "p", "nonce": NONCE}).encode()
    assert await read_form(request(body, f"{FORM}; charset=utf-8")) == FormInput("Hương", "một\r\nhai", "p", NONCE)


async def test_fields_that_are_missing_are_empty() -> None:
    found = await read_form(request(b""))
    assert (found.name, found.body, found.parent_id) == ("", "", None)


@pytest.mark.parametrize("nonce", ["", "short", "a" * 41, "spaces are not allowed here", "ü" * 20])
async def test_a_nonce_that_is_none_is_replaced(nonce: str) -> None:
    found = await read_form(request(urlencode({"nonce": nonce}).encode()))
    assert re.fullmatch(r"[A-Za-z0-9_-]{22}", found.nonce)


@pytest.mark.parametrize(
    ("body", "media_type", "code"),
    [
        (b"name=a", "application/json", ErrorCode.unsupported_media_type),
        (b"name=a", "multipart/form-data; boundary=x", ErrorCode.unsupported_media_type),
        (b"name=\xc3", FORM, ErrorCode.malformed),
        (b"a=1&" * 17, FORM, ErrorCode.malformed),
        (b"body=" + b"%" * 100_000, FORM, ErrorCode.malformed),
        (b"body=" + b"%41" * 2000 + b"%4", FORM, ErrorCode.malformed),
    ],
)
async def test_what_is_no_form_is_refused(body: bytes, media_type: str, code: ErrorCode) -> None:
    with pytest.raises(Problem) as refused:
        await read_form(request(body, media_type))
    assert refused.value.code is code


async def test_the_longest_text_in_the_longest_writing_is_read() -> None:
    longest = "\U0001f468" * 9_999 + "%"
    assert (await read_form(request(urlencode({"body": longest}).encode()))).body == longest
    assert (await read_form(request(b"body=100% of it"))).body == "100% of it"


async def test_broken_utf_8_is_replaced() -> None:
    assert (await read_form(request(b"body=%ff%ed%a0%80"))).body.strip("\ufffd") == ""


def test_a_second_click_has_the_same_key_and_another_text_another() -> None:
    found = FormInput("Hương", "text", None, NONCE)
    assert found.idempotency_key == FormInput("Hương", "text", None, NONCE).idempotency_key
    others = [
        FormInput("H", "text", None, NONCE),
        FormInput("Hương", "t", None, NONCE),
        FormInput("Hương", "text", "p", NONCE),
    ]
    assert len({found.idempotency_key, *(other.idempotency_key for other in others)}) == 4
    assert re.fullmatch(r"[\x21-\x7e]{16,64}", FormInput(nonce="a" * 40).idempotency_key)
    assert FormInput().nonce != FormInput().nonce


@pytest.mark.parametrize(
    ("problem", "message", "field"),
    [
        (Problem(ErrorCode.empty, "d", field="author.name"), "Please enter your name.", "name"),
        (Problem(ErrorCode.too_long, "d", field="author.name"), f"Your name is too long: {AT_MOST_64}", "name"),
        (Problem(ErrorCode.invalid, "Why.", field="author.name"), "This name can’t be used: Why.", "name"),
        (Problem(ErrorCode.empty, "d", field="body"), "Please write something first.", "body"),
        (Problem(ErrorCode.malformed, "Why.", field="body"), "This text can’t be posted: Why.", "body"),
        (Problem(ErrorCode.invalid, "Why."), "This could not be posted: Why.", None),
    ],
)
def test_a_refusal_is_told_beside_its_field(problem: Problem, message: str, field: str | None) -> None:
    error = explain(problem, language("en"))
    assert (error.message, error.field) == (message, field)


def test_how_long_to_wait_is_told_in_the_language() -> None:
    problem = Problem(ErrorCode.rate_limited, "d", retry_after=1)
    assert "wait 1 second and" in explain(problem, language("en")).message
    assert "chờ 1 giây rồi" in explain(problem, language("vi")).message


def test_a_form_in_use_says_so() -> None:
    assert Form(waiting=True).is_used
    assert Form(error=FormError("Why.", None)).is_used
    assert not Form().is_used
