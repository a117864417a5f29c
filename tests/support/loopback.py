"""An HTTP server on this computer that runs as long as a block."""

from __future__ import annotations

import threading
from http.server import ThreadingHTTPServer
from types import TracebackType
from typing import Self


class Loopback(ThreadingHTTPServer):
    """A server whose requests are answered in threads of their own, from the block's start to its end."""

    daemon_threads = True
    request_queue_size = 50

    def __enter__(self) -> Self:
        threading.Thread(target=self.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None = None,
        error: BaseException | None = None,
        trace: TracebackType | None = None,
    ) -> None:
        self.shutdown()
        self.server_close()
