"""A real web server on a loopback address that speaks the chat protocol, and answers as a test scripts it."""

from __future__ import annotations

import json
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from http.server import BaseHTTPRequestHandler
from typing import Any

from tests.support.loopback import Loopback

Body = Mapping[str, Any]
Labeller = Callable[[str, int], str]
"""Gives the answer to a sentence; the number says which sample it is."""


def sentence_in(body: Body) -> str:
    """The marked sentence of a request."""
    text: str = body["messages"][-1]["content"]
    return text.split("The marked sentence: ", 1)[1].split("\n\nAfter the marked sentence:", 1)[0]


def choice(content: str | None, **more: Any) -> dict[str, Any]:
    """The body of an answer with this content."""
    message = {"role": "assistant", "content": content, **more}
    return {
        "id": "chat-1",
        "object": "chat.completion",
        "created": 1,
        "model": "scripted-1",
        "choices": [{"index": 0, "message": message, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 100, "completion_tokens": 10, "total_tokens": 110},
    }


class Asked(BaseHTTPRequestHandler):
    """A request to the server."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # or the body waits 40 ms for the client to acknowledge the headers
    server: ChatServerForTests

    def do_GET(self) -> None:
        self.send(200, {"object": "list", "data": [{"id": name, "object": "model"} for name in self.server.models]})

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        server = self.server
        with server.lock:
            server.busy += 1
            server.most_at_once = max(server.most_at_once, server.busy)
            server.asked.append(body)
            server.keys.add(self.headers.get("Authorization", ""))
            key = json.dumps(body["messages"][1:]) + str(body["seed"])
            server.tries[key] += 1
            number = server.tries[key]
        try:
            if server.script(self, body, number):
                return
            content = json.dumps({"stance": server.label(sentence_in(body), body["seed"])})
            self.send(200, choice(content))
            with server.lock:
                server.answered[key] += 1
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True
        finally:
            with server.lock:
                server.busy -= 1

    def send(self, status: int, body: Any, **headers: str) -> None:
        """Answer with JSON, or with bytes as they are."""
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.send_response(status)
        given = {"content_type": "application/json", "content_length": str(len(data))} | headers
        for name, value in given.items():
            self.send_header(name.replace("_", "-").title(), value)
        self.end_headers()
        self.wfile.write(data)

    def fail(self, status: int, message: str, code: str | None = None, **headers: str) -> None:
        """Answer with an error as such servers give it."""
        self.send(status, {"error": {"message": message, "type": "invalid_request_error", "code": code}}, **headers)

    def cut(self) -> None:
        """Break the connection off in the middle of the answer."""
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", "1000")
        self.end_headers()
        self.wfile.write(b'{"id": ')
        self.wfile.flush()
        self.close_connection = True

    def log_message(self, *_: object) -> None:
        """Print nothing."""


Script = Callable[[Asked, Body, int], bool]
"""Answers a request, of which the number says how often it has come; False leaves the answer to the server."""


class ChatServerForTests(Loopback):
    """A server that labels sentences by a function, unless a script answers in its place."""

    def __init__(
        self,
        label: Labeller = lambda text, sample: "favor",
        script: Script = lambda asked, body, number: False,
        models: Sequence[str] = ("scripted",),
    ) -> None:
        super().__init__(("127.0.0.1", 0), Asked)
        self.label, self.script, self.models = label, script, list(models)
        self.lock = threading.Lock()
        self.busy = self.most_at_once = 0
        self.asked: list[Body] = []
        self.keys: set[str] = set()
        self.tries: Counter[str] = Counter()
        self.answered: Counter[str] = Counter()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/v1"

    def handle_error(self, *_: object) -> None:
        """Print nothing where a client went away."""


def wait_until(condition: Callable[[], bool], seconds: float = 120) -> None:
    """Wait until a condition holds."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it took too long"
        time.sleep(0.01)
