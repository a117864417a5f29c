"""A proxy in front of a real Label Studio, on which things go wrong as a test wants."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx

from labeling.studio.connection import Server


class Fault:
    """What befalls the requests of one method and path: those numbered `which`, from 1; all without numbers.

    Attributes:
        reaches: whether the server gets the request all the same.
        status: what the answer says; 0: there is none, the connection is closed.
        body: of that answer; None: the server's own.
        cut: half of the body is sent, and the connection closed.
        slow: seconds before anything is answered.
        page: what the server is asked for in place of our page size.
        again: how many times more the server carries the request out before anybody gets an answer, as Label Studio
            itself does on SQLite where a request came to a locked database half way.
    """

    def __init__(
        self,
        method: str,
        path: str,
        *which: int,
        reaches: bool = False,
        status: int = 0,
        body: bytes | None = None,
        cut: bool = False,
        slow: float = 0.0,
        page: int = 0,
        headers: dict[str, str] | None = None,
        again: int = 0,
    ) -> None:
        self.method, self.path, self.which = method, re.compile(path), which
        self.reaches, self.status, self.body, self.cut = reaches, status, body, cut
        self.slow, self.page, self.headers, self.again = slow, page, headers or {}, again
        self.met = 0

    def meets(self, method: str, path: str) -> bool:
        if method != self.method or not self.path.search(path):
            return False
        self.met += 1
        return not self.which or self.met in self.which


class Proxy(BaseHTTPRequestHandler):
    """Passes a request on unless the fault meets it; HTTP/1.0, so that each answer ends its connection."""

    fault: Fault
    server_url: str
    seen: list[str]
    web: httpx.Client

    def _pass(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.seen.append(f"{self.command} {self.path}")
        fault = self.fault if self.fault.meets(self.command, self.path) else None
        path = self.path
        if fault and fault.page:
            path = re.sub(r"page_size=\d+", f"page_size={fault.page}", path)
        status, kind, answer = 0, "text/html", b""
        if fault is None or fault.reaches or fault.page or fault.again:
            kept = {name: value for name, value in self.headers.items() if name.lower() not in {"host", "connection"}}
            for _ in range(1 + (fault.again if fault else 0)):
                got = self.web.request(self.command, self.server_url + path, content=body, headers=kept)
            status, kind, answer = got.status_code, got.headers.get("content-type", ""), got.content
        if fault and not fault.page and not fault.again:
            time.sleep(fault.slow)
            status, answer = fault.status, answer if fault.body is None else fault.body
        if not status:
            return
        self.send_response(status)
        for name, value in {"Content-Type": kind, **(fault.headers if fault else {})}.items():
            self.send_header(name, value)
        if status != 204:
            self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        try:
            self.wfile.write(answer[: len(answer) // 2] if fault and fault.cut else answer)
        except OSError:
            assert fault, "nobody waits for the answer any more"

    do_GET = do_POST = do_PATCH = do_DELETE = _pass

    def log_message(self, format: str, *args: object) -> None:
        """Keep quiet."""


@contextmanager
def behind(server: Server, fault: Fault) -> Iterator[tuple[Server, list[str]]]:
    """The server as it is known through a proxy with a fault, and the requests that passed."""
    seen: list[str] = []
    with httpx.Client(timeout=60) as web:
        handler = type("Handler", (Proxy,), {"fault": fault, "server_url": server.url, "seen": seen, "web": web})
        with ThreadingHTTPServer(("127.0.0.1", 0), handler) as http:
            thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.02})
            thread.start()
            try:
                yield Server(url=f"http://127.0.0.1:{http.server_address[1]}", api_key=server.api_key), seen
            finally:
                http.shutdown()
                thread.join()
