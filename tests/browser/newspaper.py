"""A newspaper with a server of its own, whose page a test writes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass


@dataclass
class Newspaper:
    """A server of another origin, with one page."""

    url: str
    page: str = ""

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        head = "HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=utf-8\r\nConnection: close\r\n\r\n"
        writer.write((head + self.page).encode())
        await writer.drain()
        writer.close()


@asynccontextmanager
async def open_newspaper() -> AsyncIterator[Newspaper]:
    paper = Newspaper("")
    server = await asyncio.start_server(paper.answer, "127.0.0.1", 0)
    paper.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    async with server:
        yield paper
