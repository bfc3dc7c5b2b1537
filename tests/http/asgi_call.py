"""Calls an ASGI application in this process."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx

from tests.http.memory_desks import KEY


def call(app: Any, method: str, path: str, *, key: str | None = KEY, **more: Any) -> httpx.Response:
    """The application's answer to one request with a bearer key."""
    headers = {"authorization": f"Bearer {key}"} if key else {}
    headers |= more.pop("headers", {})

    async def once() -> httpx.Response:
        transport = httpx.ASGITransport(app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="https://emp.example") as client:
            return await client.request(method, path, headers=headers, **more)

    return asyncio.run(once())
