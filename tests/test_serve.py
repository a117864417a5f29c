"""A Label Studio of one's own that colleagues can reach: where it is installed, where it listens, who is let in."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import click
import httpx
import pytest
from click.testing import CliRunner

from corpus.errors import StudioError
from labeling.studio import install
from labeling.studio.address import EVERY, LOOPBACK, free_port, is_loopback, reached_at, resolve
from labeling.studio.client import Studio
from labeling.studio.connection import Server, find_server, read_key_file
from labeling.studio.local_server import _csrf, answering, how_to_stop
from stance.command_line import cli
from stance.commands.serve_command import install_if_wanted
from tests.conftest import Run

STANCE = str(Path(sys.executable).with_name("stance"))
PROXY = "https://labels.example.org"


@contextmanager
def listening(address: str = LOOPBACK) -> Iterator[int]:
    """Another program on a port of this computer."""
    with socket.socket() as other:
        other.bind((address, 0))
        other.listen()
        yield other.getsockname()[1]


# --- where it is installed


def _program(folder: Path) -> Path:
    program = folder / "bin" / "label-studio"
    program.parent.mkdir(parents=True)
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    return program


def test_the_projects_own_installation_goes_first_then_the_clones_the_users_and_the_path(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(install, "ROOT", tmp_path / "clone")
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    monkeypatch.setenv("PATH", str(tmp_path / "path" / "bin"))
    assert install.find() is None
    with pytest.raises(StudioError, match=rf"python -m venv {tmp_path}/data/stance/label-studio && .* label-studio=="):
        install.executable()
    found = [
        _program(tmp_path / folder)
        for folder in ("path", "data/stance/label-studio", "clone/.venv-studio", ".venv-studio")
    ]
    for program in reversed(found):
        assert install.executable() == program
        program.unlink()
    monkeypatch.delenv("XDG_DATA_HOME")
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    assert install.user_folder() == tmp_path / "home" / ".local" / "share" / "stance" / "label-studio"


def test_an_installation_that_fails_says_which_step(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    monkeypatch.setattr("labeling.studio.install.sys.executable", "false")
    with pytest.raises(StudioError, match="installing Label Studio failed with status 1: `false -m venv"):
        install.install()


@click.command()
def installing() -> None:
    """Install as `stance serve --install` does, and end."""
    install_if_wanted(asked=True)


def test_the_installation_runs_in_the_users_folder_and_says_what_it_does(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(install, "ROOT", tmp_path / "clone")
    folder = tmp_path / "stance" / "label-studio"
    # A Python that makes an environment whose pip prints what the real one prints.
    pip = _script(
        tmp_path / "pip",
        'echo "$@" >> "$XDG_DATA_HOME/ran"; echo "Collecting django==5.2"; echo "  Using cached x"',
        'echo "Installing collected packages: django"; touch "$XDG_DATA_HOME/stance/label-studio/bin/label-studio"',
    )
    python = _script(
        tmp_path / "python",
        f'echo "$@" > "$XDG_DATA_HOME/ran"; mkdir -p "$3/bin"; cp "{pip}" "$3/bin/python"',
    )
    monkeypatch.setattr("labeling.studio.install.sys.executable", str(python))
    said: list[str] = []
    assert install.install(said.append) == folder / "bin" / "label-studio"
    made, fetched = (tmp_path / "ran").read_text("utf-8").splitlines()
    assert made == f"-m venv {folder}"
    assert fetched.endswith(f" label-studio=={install.VERSION}")
    assert said == ["Collecting django", "Installing collected packages"]
    # Where no bar is drawn, a line now and then says that it goes on.
    (folder / "bin" / "label-studio").unlink()
    monkeypatch.setenv("PATH", "/usr/bin:/bin")
    quiet = CliRunner().invoke(installing, [])
    assert "Collecting" not in quiet.output
    (folder / "bin" / "label-studio").unlink()
    monkeypatch.setattr("stance.commands.serve_command.EVERY", 0)
    assert "\n  after 0 s: Collecting django\n  after 0 s: Installing" in CliRunner().invoke(installing, []).output
    pinned = (Path(__file__).parent.parent / "requirements-studio.txt").read_text("utf-8")
    assert f"label-studio=={install.VERSION} " in pinned


def test_serve_installs_only_what_it_is_asked_to(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    monkeypatch.setenv("PATH", "")
    monkeypatch.setattr(install, "ROOT", tmp_path / "clone")
    monkeypatch.chdir(tmp_path)
    refused = CliRunner().invoke(cli, ["serve"])
    assert isinstance(refused.exception, StudioError)
    assert re.search(r"not installed: `stance serve --install` .*1\.0 GB, a few minutes", str(refused.exception))
    assert "starting Label Studio" not in refused.output
    assert "no project in this folder" not in refused.output, "nothing is started, so it does not matter where"
    assert not (tmp_path / "data").exists()
    monkeypatch.setattr("labeling.studio.install.sys.executable", "/bin/false")
    with pytest.raises(StudioError, match="installing Label Studio failed with status 1: `/bin/false -m venv"):
        Run(tmp_path)("serve", "--install")


def _script(path: Path, *lines: str) -> Path:
    path.write_text("\n".join(("#!/bin/sh", *lines, "")))
    path.chmod(0o755)
    return path


# --- where it listens


def test_a_port_that_is_asked_for_and_taken_is_an_error_and_not_another_port() -> None:
    with listening() as port:
        for address in (LOOPBACK, EVERY):
            with pytest.raises(StudioError, match=rf"can't listen on {address}, port {port}: another program listens"):
                free_port(address, port)
        assert free_port(LOOPBACK, None, port) != port
    assert free_port(LOOPBACK, port) == port
    assert free_port(LOOPBACK, None, port) == port


def test_an_address_that_this_computer_lacks_is_named() -> None:
    for wanted in (None, 8080):
        with pytest.raises(StudioError, match=r"can't listen on 192\.0\.2\.7.*: this computer has no such address"):
            free_port("192.0.2.7", wanted)
    with pytest.raises(StudioError, match="--host no such host: expected a name or an IPv4 address of this computer"):
        resolve("no such host")
    with pytest.raises(StudioError, match="--host ::: expected a name or an IPv4 address"):
        resolve("::")


def test_loopback_is_known_by_the_address_and_not_by_the_name() -> None:
    assert is_loopback(resolve("localhost"))
    assert is_loopback("127.0.1.1")
    assert not is_loopback(EVERY)
    assert reached_at(LOOPBACK) == LOOPBACK
    assert reached_at(EVERY) != EVERY


def _folder(server: Server, base: Path) -> Path:
    return next(path for path in base.glob("studio*") if read_key_file(path) == server)


def test_serve_beside_a_running_server_says_so_and_ends(
    server: Server, tmp_path_factory: pytest.TempPathFactory
) -> None:
    run = Run(_folder(server, tmp_path_factory.getbasetemp()))
    said = run("serve")
    assert f"Label Studio is at {server.url}" in said
    assert f"others make their account at {server.url}/user/signup/?token=" in said
    stopped = (
        f"It runs already, and stops with Ctrl-C where it was started, or with `kill {os.getpid()}` anywhere; labels"
    )
    assert stopped in said, "the tests are what started it"
    assert "Ctrl-C stops it" not in said
    assert run("serve", "--port", str(server.port), "--host", "localhost") == said
    for wish in (("--port", "1"), ("--host", EVERY)):
        with pytest.raises(StudioError, match=f"runs already, at 127.0.0.1, port {server.port}: stop it first"):
            run("serve", *wish)


def test_a_server_whose_starter_is_gone_is_stopped_by_its_own_process() -> None:
    with subprocess.Popen(["true"]) as ended:
        pass
    server = Server(url="http://127.0.0.1:8080", api_key="0" * 40, pids=[ended.pid, os.getpid()])
    assert how_to_stop(server) == f"with Ctrl-C where it was started, or with `kill {os.getpid()}` anywhere"
    of_an_earlier_version = Server(url="http://127.0.0.1:8080", api_key="0" * 40)
    assert how_to_stop(of_an_earlier_version) == "with Ctrl-C where it was started"


def test_serve_says_what_to_do_next_in_another_terminal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    running = Server(url="http://127.0.0.1:8080", api_key="0" * 40)
    monkeypatch.setattr("labeling.studio.local_server.answering", lambda *_: running)
    monkeypatch.setattr("labeling.studio.local_server.sign_up_page", lambda _: "")
    assert "next" not in Run(tmp_path)("serve")  # outside of a project
    Run(tmp_path)("init", "--target", "a new tunnel")
    said = "next, in another terminal: put your articles into the folder news, then `stance build news`\n"
    assert Run(tmp_path)("serve").endswith(said)
    (tmp_path / "stance.toml").write_text("[nothing]\n")
    assert "next" not in Run(tmp_path)("serve")


def test_a_server_that_is_not_running_names_serve(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert answering(tmp_path) is None
    monkeypatch.setattr("label_studio_sdk.core.http_client.INITIAL_RETRY_DELAY_SECONDS", 0.01)
    with listening() as port:
        pass
    url = f"http://127.0.0.1:{port}"
    with pytest.raises(
        StudioError, match=rf"no Label Studio answers at {url} .*; `stance serve` starts this project's"
    ):
        Studio(Server(url=url, api_key="0" * 40))


# --- colleagues


@pytest.mark.slow
def test_a_colleague_signs_up_by_the_link_that_serve_prints(tmp_path: Path) -> None:
    with listening() as port:
        pass
    (tmp_path / "stance.toml").touch()
    command = [STANCE, "-C", str(tmp_path), "serve", "--host", EVERY, "--port", str(port)]
    environment = {**os.environ, "CSRF_TRUSTED_ORIGINS": PROXY}
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    ) as serving:  # fmt: skip
        try:
            assert serving.stdout is not None
            assert serving.stderr is not None
            login, link = serving.stdout.readline(), serving.stdout.readline().split()[-1]
            assert f"Label Studio is at http://127.0.0.1:{port} " in login
            assert urlsplit(link).netloc == f"{reached_at(EVERY)}:{port}"
            assert serving.stderr.readline().startswith("starting Label Studio; the first time takes")
            assert serving.stderr.readline().startswith("warning: it listens at 0.0.0.0, without encryption")
            assert serving.stdout.readline() == "Ctrl-C stops it; labels are kept.\n"
            next_ = "next, in another terminal: `stance build FOLDER`, with the folder of your articles\n"
            assert serving.stdout.readline() == next_
            _another_project_is_refused_the_port(tmp_path / "other", port)
            _sign_up(link, "kim@colleagues.example", {})
            _sign_up(link, "lee@colleagues.example", {"Origin": PROXY, "Host": "labels.example.org"})
            with pytest.raises(httpx.HTTPStatusError, match="403"):
                _sign_up(link, "eve@colleagues.example", {"Origin": "https://elsewhere.example"})
            with pytest.raises(httpx.HTTPStatusError, match="403"):
                _sign_up(re.sub("token=.*", "token=guessed", link), "mal@colleagues.example", {})
            with Studio(find_server(tmp_path)) as owner:
                assert sorted(owner.accounts().values()) == [
                    "kim@colleagues.example", "lee@colleagues.example", "owner@stance.example"
                ]  # fmt: skip
        finally:
            serving.send_signal(signal.SIGINT)
            assert serving.wait(timeout=60) == 130
            assert serving.stdout is not None
            told = serving.stdout.read()
            assert re.search(r"^Label Studio has stopped; `stance serve .*` starts it again$", told, re.MULTILINE)
            assert "interrupted" not in told
    again = read_key_file(tmp_path)
    assert again is not None
    assert (again.host, again.port) == (EVERY, port)
    assert answering(tmp_path) is None


def _another_project_is_refused_the_port(folder: Path, port: int) -> None:
    folder.mkdir()
    start = time.monotonic()
    done = subprocess.run(
        [STANCE, "-C", str(folder), "serve", "--port", str(port)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert "there is no project in this folder: it has no stance.toml. " in done.stderr, "a server starts all the same"
    assert f"can't listen on 127.0.0.1, port {port}: another program listens there" in done.stderr
    assert time.monotonic() - start < 60
    assert not (folder / ".stance").exists()


def _sign_up(link: str, email: str, headers: dict[str, str]) -> None:
    """What a browser does with the link: the form, with the cookie and the token that come with it."""
    with httpx.Client(timeout=60) as web:
        token = _csrf(web, link)
        data = {"email": email, "password": "a-long-password", "csrfmiddlewaretoken": token, "allow_newsletters": ""}
        answer = web.post(link, data=data, headers={"Referer": link, **headers})
        if answer.status_code >= 400:
            raise httpx.HTTPStatusError(str(answer.status_code), request=answer.request, response=answer)
        assert answer.status_code == 302
        shown = web.get(re.sub("/user/signup.*", "/api/current-user/whoami", link))
        assert shown.json()["email"] == email
