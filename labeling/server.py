"""A local Label Studio on SQLite: started, stopped, its data kept in the project, people signed up."""

from __future__ import annotations

import os
import re
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urljoin

import httpx
import msgspec

from corpus.records import StudioError
from corpus.store import private_folder, write_bytes
from labeling.connection import KEY_FILE, TIMEOUT, Server, read_key_file, speaking
from labeling.studio import Studio

FOLDER = Path(".stance") / "label-studio"
LOG = Path(".stance") / "label-studio.log"
START_WITHIN = 180.0
"""Seconds: the first start migrates the database, 19–27 s on two cores when measured, more when they are busy."""
OWNER = "owner@stance.example"


def executable() -> Path:
    """Where Label Studio is: in an environment of its own beside the project or this package, or on the PATH.

    Raises:
        StudioError: it is nowhere.
    """
    for folder in (Path.cwd(), Path(__file__).parent.parent):
        candidate = folder / ".venv-studio" / "bin" / "label-studio"
        if candidate.is_file():
            return candidate
    found = shutil.which("label-studio", path=f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
    if found is None:
        raise StudioError(
            "Label Studio is not installed: `python -m venv .venv-studio && "
            ".venv-studio/bin/pip install label-studio==1.23.2` in the project folder "
            "(its own environment: it needs other versions than stance)"
        )
    return Path(found)


@contextmanager
def running(project: Path) -> Iterator[Server]:
    """A local Label Studio for as long as the block runs; the one that runs already, where there is one.

    It listens on loopback only, calls no outside host, and keeps its data and its log in the project's
    `.stance` folder, its key in a file there that only the owner can read.

    Raises:
        StudioError: it is not installed, or did not start.
    """
    server = read_key_file(project)
    if server is not None and _answers(server):
        yield server
        return
    program = executable()
    port = _free_port(server.port if server else 0)
    server = Server(
        url=f"http://127.0.0.1:{port}",
        api_key=server.api_key if server else secrets.token_hex(20),
        username=OWNER,
        password=server.password if server else secrets.token_urlsafe(18),
        port=port,
    )
    private_folder(project)
    (project / FOLDER).mkdir(exist_ok=True)
    write_bytes(project / KEY_FILE, msgspec.json.encode(server), mode=0o600)
    process = _start(program, project, server)
    try:
        _wait(process, server, project)
        yield server
    finally:
        _stop(process)


def _answers(server: Server) -> bool:
    """Whether this very server, known by its key, answers at its address."""
    try:
        answer = httpx.get(
            f"{server.url}/api/current-user/whoami",
            headers={"Authorization": f"Token {server.api_key}"},
            timeout=10,
        )
        return answer.status_code == 200 and answer.json().get("email") == server.username
    except (httpx.HTTPError, ValueError):
        return False


def _free_port(wanted: int) -> int:
    for port in (wanted, 0):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return int(probe.getsockname()[1])
    raise StudioError("no free port on 127.0.0.1")


def _start(program: Path, project: Path, server: Server) -> subprocess.Popen[bytes]:
    folder = (project / FOLDER).resolve()
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("LABEL_STUDIO_")},
        "LABEL_STUDIO_BASE_DATA_DIR": str(folder),
        "LABEL_STUDIO_USERNAME": server.username,
        "LABEL_STUDIO_PASSWORD": server.password,
        "LABEL_STUDIO_USER_TOKEN": server.api_key,
        "LABEL_STUDIO_ENABLE_LEGACY_API_TOKEN": "true",
        "LABEL_STUDIO_DISABLE_SIGNUP_WITHOUT_LINK": "true",
        "LABEL_STUDIO_COLLECT_ANALYTICS": "false",
        "LABEL_STUDIO_LATEST_VERSION_CHECK": "false",
        "LABEL_STUDIO_SENTRY_DSN": "",
        "LABEL_STUDIO_FRONTEND_SENTRY_DSN": "",
    }
    command = [str(program), "start", "--no-browser", "--internal-host", "127.0.0.1"]
    command += ["--port", str(server.port), "--log-level", "ERROR"]
    with (project / LOG).open("wb") as log:
        # A session of its own: Ctrl-C reaches us alone, and we stop the whole group.
        return subprocess.Popen(
            command,
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )


def _wait(process: subprocess.Popen[bytes], server: Server, project: Path) -> None:
    deadline = time.monotonic() + START_WITHIN
    while not _answers(server):
        if process.poll() is not None:
            raise StudioError(
                f"Label Studio ended with status {process.returncode} while starting; see {project / LOG}"
            )
        if time.monotonic() > deadline:
            raise StudioError(
                f"Label Studio did not answer at {server.url} within {START_WITHIN:.0f} s; see {project / LOG}"
            )
        time.sleep(0.3)


def _stop(process: subprocess.Popen[bytes]) -> None:
    for sign in (signal.SIGTERM, signal.SIGKILL):
        try:
            os.killpg(process.pid, sign)
        except ProcessLookupError:
            break
        try:
            process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            continue
    process.wait()


def sign_up(server: Server, email: str, password: str) -> str:
    """Make an account that can log in, or log in to it, and give its token, on a server that `serve` made.

    An account made with the SDK's `users.create` has no password that works, so this walks the pages that a
    person would: the organisation's invitation, the sign-up form, and the (legacy) token, which unlike a
    personal access token can be read again when an interrupted run goes on.

    Raises:
        StudioError: the server refused the account or the token.
    """
    with (
        speaking(server.url, f"signing {email} up"),
        httpx.Client(timeout=TIMEOUT, follow_redirects=True) as web,
    ):
        page = urljoin(server.url, "/user/login/")
        with Studio(server) as owner:
            if email not in owner.accounts().values():
                page = urljoin(server.url, owner.invitation())
        token = _csrf(web, page)
        web.post(
            page,
            data={
                "email": email,
                "password": password,
                "csrfmiddlewaretoken": token,
                "allow_newsletters": "",
            },
            headers={"Referer": page},
        )
        answer = web.get(urljoin(server.url, "/api/current-user/token"))
        if answer.status_code >= 400:
            raise StudioError(f"{server.url} gave {email} no token (status {answer.status_code})")
        return str(answer.json()["token"])


def _csrf(web: httpx.Client, page: str) -> str:
    found = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', web.get(page).text)
    if not found:
        raise StudioError(f"{page} is no Label Studio form")
    return found.group(1)
