"""Lists as stock Spyne reads and writes them: Soap11 as it comes, without validation, authentication or a store.

`python -m tests.benchmarks.stock_spyne LIST COUNT` works for as long as it is told, with messages of so many records:
those that it reads, or, with a third argument, those that it writes.
"""

from __future__ import annotations

import io
import sys
import time
from collections.abc import Callable, Mapping
from typing import Any

from clearinghouse.ochp import operations as op
from clearinghouse.ochp.operations import Operation
from clearinghouse.ochp.results import Result, ResultCode
from clearinghouse.ochp.shape import fields_of
from clearinghouse.ochp.versions import V1_4_1
from clearinghouse.soap.models import method, model
from tests.benchmarks.bulk import MESSAGES
from tests.benchmarks.contenders import environment, member
from tests.benchmarks.floors import NOBODY
from tests.benchmarks.measuring import obey, peak_memory
from tests.benchmarks.stencils import single

LISTS: Mapping[str, tuple[str, Operation, Operation]] = {
    "tokens": ("tokens", op.SET_ROAMING_AUTHORISATION_LIST, op.GET_ROAMING_AUTHORISATION_LIST),
    "charge points": ("charge points", op.SET_CHARGE_POINT_LIST, op.GET_CHARGE_POINT_LIST),
}
"""The message that sets a list, and the operations that set and get it."""
MOST = 1 << 30


class StockSpyne:
    """A service that keeps the objects which Spyne made of the last list, and gives them back."""

    def __init__(self, name: str, count: int) -> None:
        from spyne import Application, Service  # not before `clearinghouse.soap`: from Python 3.12 on it would fail
        from spyne.protocol.soap import Soap11
        from spyne.server.wsgi import WsgiApplication

        message, set_list, get_list = LISTS[name]
        form, values = MESSAGES[message]
        self.count = count
        self._listed = form.tag.strip(b"<>").decode()
        self._kept: list[Any] = []
        methods = {
            "set": method(set_list, V1_4_1, self._keep(set_list)),
            "get": method(get_list, V1_4_1, self._give(get_list)),
        }
        service = type("House", (Service,), methods)
        application = Application([service], tns=V1_4_1.namespace, in_protocol=Soap11(), out_protocol=Soap11())
        self._wsgi = WsgiApplication(application, max_content_length=MOST)
        self._list = b"".join(form.stream(NOBODY, range(count), values))
        self._question = single(NOBODY, get_list.request())

    def read(self) -> None:
        """Take in the list. Raises RuntimeError where it is not all there."""
        self._answer(self._list)
        if len(self._kept) != self.count:
            raise RuntimeError(f"stock Spyne read {len(self._kept)} of {self.count} records")

    def write(self) -> None:
        """Give the list out. Raises RuntimeError where it is not all there."""
        written = self._answer(self._question).count(f"{self._listed}>".encode()) // 2
        if written != self.count:
            raise RuntimeError(f"stock Spyne wrote {written} of {self.count} records")

    def _keep(self, operation: Operation) -> Callable[[Any, Any], Any]:
        def handle(ctx: Any, request: Any) -> Any:
            self._kept = getattr(request, self._listed)
            return self._response(operation)

        return handle

    def _give(self, operation: Operation) -> Callable[[Any, Any], Any]:
        (listed,) = [each.element for each in fields_of(operation.response, V1_4_1) if each.is_list]
        return lambda ctx, request: self._response(operation, **{listed: self._kept})

    def _response(self, operation: Operation, **more: Any) -> Any:
        response, result = model(operation.response, V1_4_1), model(Result, V1_4_1)
        code = member(result, "resultCode")
        ok = result(resultCode=code(resultCode=ResultCode.OK.value), resultDescription="ok")
        return response(result=ok, **more)

    def _answer(self, body: bytes) -> bytes:
        said = {**environment(b""), "CONTENT_LENGTH": str(len(body)), "wsgi.input": io.BytesIO(body)}
        return b"".join(self._wsgi(said, _start_response))


def _start_response(status: str, headers: list[tuple[str, str]], _: Any = None) -> None:
    assert status == "200 OK", status


def main(name: str, count: str, *writes: str) -> None:
    """Work until the input ends."""
    spyne = StockSpyne(name, int(count))
    spyne.read()
    once = spyne.write if writes else spyne.read

    def work(seconds: float) -> Mapping[str, Any]:
        done, started, cpu = 0, time.perf_counter(), time.process_time()
        while not done or time.perf_counter() - started < seconds:
            once()
            done += spyne.count
        taken = time.perf_counter() - started
        return {"done": done, "seconds": taken, "cpu": time.process_time() - cpu, "peak_memory": peak_memory()}

    obey(work)


if __name__ == "__main__":
    main(*sys.argv[1:])
