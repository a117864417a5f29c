"""Send requests to the real Label Studio server."""

from __future__ import annotations

from typing import Any

import httpx

from labeling.studio.connection import Server


def call(server: Server, method: str, path: str, **json: Any) -> Any:
    answer = httpx.request(
        method, f"{server.url}{path}", json=json, headers={"Authorization": f"Token {server.api_key}"}, timeout=60
    )
    assert answer.status_code < 300, answer.text
    return answer.json() if answer.content else None
