"""Answer a Label Studio server over HTTP: `/health`, `/setup`, `/predict`, and what else it may ask a backend."""

from __future__ import annotations

import base64
import hmac
import sys
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Lock
from typing import Any
from urllib.parse import urlsplit

import msgspec

from train.backend.question import QuestionError
from train.backend.requests import Event, Predict, Setup, predict, set_up
from train.predict.judge import Judge

LARGEST = 250_000_000
"""Most bytes of a request: Label Studio's own limit for imports."""
NO_TRAINING = "this model learns by `stance train` alone: train it there, and start the backend again"


class Backend(ThreadingHTTPServer):
    """A server that answers for one model."""

    daemon_threads = True

    def __init__(
        self, address: tuple[str, int], judge: Judge, login: tuple[str, str] | None, say: Callable[[str], None]
    ) -> None:
        """Listen at an address.

        Args:
            address: host and port.
            judge: the model.
            login: user name and password that requests must have; None if any request is answered.
            say: function that is given a line for each request that is refused.
        """
        super().__init__(address, _Handler)
        self.judge, self.say = judge, say
        self.allowed = b"Basic " + base64.b64encode(":".join(login).encode()) if login else None
        self.lock = Lock()

    def handle_error(self, request: object, client_address: object) -> None:
        """Say in one line that a client went away; anything else is a fault of stance, with its traceback."""
        error = sys.exception()
        if isinstance(error, (ConnectionError, TimeoutError)):
            self.say(f"a request was broken off: {error}")
        else:
            super().handle_error(request, client_address)  # type: ignore[arg-type]


class _Refused(Exception):
    """A request that gets an error: its status, and the reason."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status = status


class _Handler(BaseHTTPRequestHandler):
    server: Backend
    protocol_version = "HTTP/1.1"
    timeout = 60
    disable_nagle_algorithm = True  # else the body waits 40 ms for the client to acknowledge the headers

    def do_GET(self) -> None:
        self._respond("GET")

    def do_POST(self) -> None:
        self._respond("POST")

    def log_message(self, format: str, *args: object) -> None:
        """Stay silent: requests hold articles' text, and `/setup` the key of the server."""

    def _respond(self, method: str) -> None:
        path = urlsplit(self.path).path.rstrip("/")
        try:
            body = self._body()
            self._check_login()
            self._send(200, "OK", self._answer(method, path, body))
        except (_Refused, QuestionError, msgspec.DecodeError, UnicodeDecodeError) as error:
            status = error.status if isinstance(error, _Refused) else 400
            self.server.say(f"{method} {path or '/'} refused ({status}): {error}")
            # Label Studio shows people nothing of an error but its status line.
            line = " ".join(str(error).split()).encode("ascii", "backslashreplace").decode()
            self._send(status, line[:2_000], {"error": str(error)})

    def _answer(self, method: str, path: str, body: bytes) -> dict[str, Any]:
        judge = self.server.judge
        match method, path:
            case "GET", "" | "/health":
                return {"status": "UP", "model_class": "stance", "model_version": judge.version}
            case "GET", "/versions":
                return {"versions": [judge.version]}
            case "POST", "/setup":
                return set_up(judge, msgspec.json.decode(body, type=Setup))
            case "POST", "/predict":
                asked = msgspec.json.decode(body, type=Predict)
                with self.server.lock:
                    return predict(judge, asked)
            case "POST", "/webhook":
                if msgspec.json.decode(body, type=Event).action == "START_TRAINING":
                    raise _Refused(409, NO_TRAINING)
                return {}
            case "POST", "/train":
                raise _Refused(409, NO_TRAINING)
        raise _Refused(404, f"{method} {path}: a backend of stance answers /health, /setup, /predict and /versions")

    def _body(self) -> bytes:
        length = self.headers.get("Content-Length", "0")
        if not length.isdecimal() or int(length) > LARGEST:
            self.close_connection = True
            raise _Refused(413, f"expected a request of up to {LARGEST} bytes, with its length; got {length}")
        return self.rfile.read(int(length))

    def _check_login(self) -> None:
        allowed = self.server.allowed
        given = self.headers.get("Authorization", "").encode("utf-8", "replace")
        if allowed is not None and not hmac.compare_digest(given, allowed):
            raise _Refused(401, "expected the user name and the password of this backend")

    def _send(self, status: int, reason: str, answer: dict[str, Any]) -> None:
        data = msgspec.json.encode(answer)
        self.send_response(status, reason)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        if status == 401:
            self.send_header("WWW-Authenticate", 'Basic realm="stance"')
        self.end_headers()
        self.wfile.write(data)
