"""What people do before a page is looked at, through the API."""

from __future__ import annotations

import re
from typing import Any

import httpx

from tertulia.protocol import API
from tests.support.api_client import AsyncApiClient, Json

HOSTILE = "</script><script>alert(1)</script><!-- & ]]> \" ' \u2028"


async def post_comment(client: httpx.AsyncClient, body: str, key: str = "talk", **more: Any) -> Json:
    """A new guest says something; the answer, with the guest's token."""
    return await AsyncApiClient(client, key, name="Đặng Thị Hường").post_comment(body, **more)


async def change(
    client: httpx.AsyncClient, method: str, posted: dict[str, Any], by: dict[str, Any], **more: Any
) -> None:
    """Does something to a comment, as the guest who said ``by``: DELETE, PATCH, or PUT a vote."""
    path = f"{API}/comments/{posted['comment']['id']}" + ("/vote" if method == "PUT" else "")
    answer = await client.request(method, path, headers={"Authorization": f"Bearer {by['token']}"}, **more)
    assert answer.status_code == 200, answer.text


async def snapshot(client: httpx.AsyncClient, key: str = "talk", **params: str) -> Json:
    return await AsyncApiClient(client, key).snapshot(**params)


def scripts(page: str) -> list[str]:
    """What stands in the page's script elements, as a browser ends them."""
    return re.findall(r"<script[^>]*>(.*?)</script", page, re.DOTALL | re.IGNORECASE)
