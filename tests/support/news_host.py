"""A real web server on a loopback address, whose pages a test scripts, and which notes who asks for what, and when."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler

from tests.support.loopback import Loopback

LINES = (
    "The minister of Brennia visited the port of Ostrel on Monday morning.",
    "She spoke with the dockers for an hour, and nobody else was let in.",
)


def article(name: str) -> bytes:
    """A page with two sentences, and a third one that holds a name."""
    prose = "".join(
        f"<p>{line}</p>" for line in (*LINES, f"The opposition called the visit to {name} a waste of money.")
    )
    return f"<html><head><title>A visit</title></head><body><article>{prose}</article></body></html>".encode()


class Asked(BaseHTTPRequestHandler):
    """A request; a page is a function that answers it."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # or the body waits 40 ms for the client to acknowledge the headers
    server: NewsHost

    def do_GET(self) -> None:
        host = self.server
        with host.lock:
            host.busy += 1
            host.most_at_once = max(host.most_at_once, host.busy)
            host.asked.append(self.path)
            host.times.append(time.monotonic())
            host.agents.add(self.headers.get("User-Agent", ""))
        try:
            host.answer(self)
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True
        finally:
            with host.lock:
                host.busy -= 1

    def send(self, body: bytes = b"", status: int = 200, **headers: str) -> None:
        """Answer; `content_type` and the like name headers."""
        self.send_response(status)
        given = {"content_type": "text/html; charset=utf-8", "content_length": str(len(body))} | headers
        for name, value in given.items():
            if value:
                self.send_header(name.replace("_", "-").title(), value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Print nothing."""


Page = Callable[[Asked], None]


class NewsHost(Loopback):
    """A host whose pages are in `pages`; every other page is an article, and robots.txt is missing."""

    def __init__(self, address: str = "127.0.0.1", pages: dict[str, Page] | None = None) -> None:
        super().__init__((address, 0), Asked)
        self.pages = {"/robots.txt": lambda asked: asked.send(status=404)} | (pages or {})
        self.lock = threading.Lock()
        self.busy = self.most_at_once = 0
        self.asked: list[str] = []
        self.times: list[float] = []
        self.agents: set[str] = set()

    def answer(self, asked: Asked) -> None:
        page = self.pages.get(asked.path)
        if page:
            page(asked)
        else:
            asked.send(article(asked.path))

    def url(self, path: str = "/") -> str:
        return f"http://{self.server_address[0]!s}:{self.server_port}{path}"

    def count(self, path: str) -> int:
        """How often a page was asked for."""
        return self.asked.count(path)
