"""Start and stop a local Label Studio server on SQLite, and create accounts there."""

from __future__ import annotations

import ctypes
import os
import re
import secrets
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urljoin

import httpx
import msgspec

from corpus.errors import StudioError
from corpus.store import private_folder, write_bytes
from labeling.studio.address import EVERY, LOOPBACK, free_port, is_loopback, reached_at, resolve
from labeling.studio.client import Studio
from labeling.studio.connection import KEY_FILE, TIMEOUT, Server, read_key_file, speaking
from labeling.studio.install import executable

FOLDER = Path(".stance") / "label-studio"
LOG = Path(".stance") / "label-studio.log"
PR_SET_PDEATHSIG = 1
"""Number of the request to Linux, from linux/prctl.h, to send a process a signal when its parent ends."""
START_WITHIN = 600.0
"""Seconds to wait: the first start migrates the database, in 19 to 27 s on two idle cores, over 180 s on busy ones."""
OWNER = "owner@stance.example"
OWN_COMPUTER = {
    "LABEL_STUDIO_USE_DEFAULT_BANNED_SUBNETS": "false",
    "LABEL_STUDIO_USER_ADDITIONAL_BANNED_SUBNETS": "0.0.0.0/8,10.0.0.0/8,100.64.0.0/10,169.254.0.0/16,172.16.0.0/12,"
    "192.168.0.0/16,fc00::/7,fe80::/10",
}
"""Lets a server call programs on its own computer, such as `stance backend`, and no other private address. Label Studio
refuses all of them by default: people with an account could reach through it what they cannot reach themselves. Where
only this computer can reach the server, they can.
"""


def answering(project: Path, host: str | None = None, port: int | None = None) -> Server | None:
    """The project's own Label Studio, if it is running; None if not.

    Args:
        project: the project folder.
        host: host at which it is asked to listen; None if any will do.
        port: port that it is asked to have; None if any will do.

    Raises:
        StudioError: it is running, but at another host or port than was asked for.
    """
    server = read_key_file(project)
    if server is None or not _answers(server):
        return None
    elsewhere = (host is not None and resolve(host) != server.host) or (port is not None and port != server.port)
    if elsewhere:
        raise StudioError(
            f"this project's Label Studio runs already, at {server.host}, port {server.port}: stop it first, "
            f"{how_to_stop(server)}"
        )
    return server


def how_to_stop(server: Server) -> str:
    """How the user stops a server that runs: also where the terminal that it was started in is closed."""
    process = next(filter(_lives, server.pids), 0)
    return "with Ctrl-C where it was started" + (f", or with `kill {process}` anywhere" if process else "")


def _lives(process: int) -> bool:
    try:
        os.kill(process, 0)
    except OSError:  # it has ended; or its number is that of another user's process now
        return False
    return True


@contextmanager
def running(project: Path, host: str | None = None, port: int | None = None) -> Iterator[Server]:
    """A local Label Studio for as long as the block runs, or the one that is already running.

    It listens on loopback only unless told otherwise, and calls no outside host. It keeps its data and its log in the
    project's `.stance` folder, and its key in a file there that only the owner can read.

    Args:
        project: the project folder.
        host: name or address of this computer at which to listen; None stands for loopback.
        port: port of the server; None stands for the one that it had before, or another if that is taken.

    Raises:
        StudioError: Label Studio is not installed or did not start, or the port that was asked for is taken.
    """
    server = answering(project, host, port)
    if server is not None:
        yield server
        return
    program = executable()
    server = read_key_file(project)
    address = resolve(host or LOOPBACK)
    free = free_port(address, port, server.port if server else 0)
    server = Server(
        url=f"http://{LOOPBACK if address == EVERY else address}:{free}",
        api_key=server.api_key if server else secrets.token_hex(20),
        username=OWNER,
        password=server.password if server else secrets.token_urlsafe(18),
        host=address,
        port=free,
    )
    private_folder(project)
    (project / FOLDER).mkdir(exist_ok=True)
    write_bytes(project / KEY_FILE, msgspec.json.encode(server), mode=0o600)
    process = _start(program, project, server)
    try:
        server = msgspec.structs.replace(server, pids=[os.getpid(), process.pid])
        write_bytes(project / KEY_FILE, msgspec.json.encode(server), mode=0o600)
        _wait(process, server, project)
        yield server
    finally:
        _stop(process)


def sign_up_page(server: Server) -> str:
    """The address at which colleagues reach the page for making an account.

    Raises:
        StudioError: the server refused to give it.
    """
    with Studio(server) as owner:
        return urljoin(f"http://{reached_at(server.host)}:{server.port}", owner.invitation())


def _answers(server: Server) -> bool:
    """Whether the server at this address is this one, which its key shows."""
    with httpx.Client(timeout=10) as web:
        return _knows_us(web, server)


def _knows_us(web: httpx.Client, server: Server) -> bool:
    try:
        answer = web.get(f"{server.url}/api/current-user/whoami", headers={"Authorization": f"Token {server.api_key}"})
        return answer.status_code == 200 and answer.json().get("email") == server.username
    except (httpx.HTTPError, ValueError):
        return False


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
        **(OWN_COMPUTER if is_loopback(server.host) else {}),
    }
    command = [str(program), "start", "--no-browser", "--internal-host", server.host]
    command += ["--port", str(server.port), "--log-level", "ERROR"]
    with (project / LOG).open("wb") as log:
        # The server gets its own session: so Ctrl-C reaches stance only, which then stops the whole process group.
        return subprocess.Popen(
            command,
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
            preexec_fn=_end_with_parent,
        )


def _end_with_parent() -> None:
    """Let Linux end this process when the one that started it ends, even if that is killed without a clean-up."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


def _wait(process: subprocess.Popen[bytes], server: Server, project: Path) -> None:
    deadline = time.monotonic() + START_WITHIN
    # One client serves all requests: making one takes longer than a request.
    with httpx.Client(timeout=10) as web:
        while not _knows_us(web, server):
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
    """Make an account that can log in, or log in to it, on a server that `serve` made, and return its token.

    An account made with the SDK's `users.create` has no password that works, so this walks the pages that a
    person would: the organisation's invitation, the sign-up form, and the (legacy) token, which, unlike
    a personal access token, can be read again when an interrupted run continues.

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
    match = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', web.get(page).text)
    if not match:
        raise StudioError(f"{page} is not a form of Label Studio")
    return match.group(1)
