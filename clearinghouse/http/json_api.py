"""What the JSON APIs have in common: the application, its documents, its threads and its problems."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

from anyio.to_thread import current_default_thread_limiter
from fastapi import APIRouter, FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import Response
from pydantic import BaseModel, ConfigDict, Field
from starlette.exceptions import HTTPException

from clearinghouse import __version__
from clearinghouse.domain.errors import ClearinghouseError
from clearinghouse.http import problems
from clearinghouse.http.events import EventFeed
from clearinghouse.http.keys import CHALLENGE


class Fault(BaseModel):
    """One thing that is wrong with a request: `pointer` into its body, or a `parameter` of its address."""

    pointer: str | None = None
    parameter: str | None = None
    detail: str


class PartnerResult(BaseModel):
    """What the partner answered."""

    code: str
    description: str


class Problem(BaseModel):
    """What went wrong (RFC 9457)."""

    model_config = ConfigDict(json_schema_extra={"additionalProperties": True})

    type: str = Field(examples=[problems.URN + "evse-unavailable"])
    title: str
    status: int
    detail: str | None = None
    errors: list[Fault] | None = None
    result: PartnerResult | None = None


PROBLEM: dict[str, Any] = {
    "model": Problem,
    "description": "A problem (RFC 9457).",
    "content": {problems.MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
}
PROBLEMS: dict[int | str, dict[str, Any]] = {"4XX": PROBLEM, "5XX": PROBLEM}


class JsonApi:
    """A FastAPI application behind the front, with what has to run beside it."""

    def __init__(
        self, title: str, routers: Sequence[APIRouter], *, threads: int, feeds: Sequence[EventFeed[Any]] = ()
    ) -> None:
        self.app = FastAPI(
            title=title,
            version=__version__,
            openapi_url="/api/openapi.json",
            docs_url="/api/docs",
            redoc_url=None,
            swagger_ui_oauth2_redirect_url=None,
            exception_handlers={
                ClearinghouseError: _error,
                RequestValidationError: _invalid,
                HTTPException: _http_error,
                Exception: _unexpected,
            },
        )
        for router in routers:
            self.app.include_router(router, prefix="/api/v1", responses=PROBLEMS)
        self._threads = threads
        self._feeds = feeds

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Serve one request."""
        await self.app(scope, receive, send)

    @asynccontextmanager
    async def life(self) -> AsyncIterator[None]:
        """While this lasts, synchronous work has its threads and listeners are fed."""
        current_default_thread_limiter().total_tokens = self._threads
        async with AsyncExitStack() as stack:
            for feed in self._feeds:
                await stack.enter_async_context(feed.running())
            yield


def _problem(problem: dict[str, Any], headers: dict[str, str] | None = None) -> Response:
    return Response(problems.encode(problem), problem["status"], headers, problems.MEDIA_TYPE)


async def _error(request: Request, error: ClearinghouseError) -> Response:
    problem = problems.of_error(error)
    return _problem(problem, {"www-authenticate": CHALLENGE} if problem["status"] == 401 else None)


async def _http_error(request: Request, error: HTTPException) -> Response:
    return _problem(problems.document(error.status_code, error.detail), dict(error.headers or {}))


async def _unexpected(request: Request, error: Exception) -> Response:
    """Nothing of what happened is told; the front sees the error too, and logs it."""
    return _problem(problems.document(500))


async def _invalid(request: Request, error: RequestValidationError) -> Response:
    """The paths of what is wrong, never the values: they may be secrets, or no JSON."""
    faults = [_fault(each["type"], each["loc"], each["msg"]) for each in error.errors()]
    status = 400 if any(each["type"] == "json_invalid" for each in error.errors()) else 422
    kind = {"type": problems.URN + "invalid-request", "title": "The request is not what the contract says"}
    return _problem(problems.document(status, errors=faults, **kind))


def _fault(kind: str, place: tuple[int | str, ...], message: str) -> dict[str, str]:
    source, *path = place
    if source == "body":
        steps = [] if kind == "json_invalid" else [str(step).replace("~", "~0").replace("/", "~1") for step in path]
        return {"pointer": "#" + "".join(f"/{step}" for step in steps), "detail": message}
    return {"parameter": ".".join(str(step) for step in path), "detail": f"{source}: {message}"}
