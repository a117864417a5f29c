"""Uploading to a strict Hub on loopback, with the real clients in processes of their own."""

from __future__ import annotations

import hashlib
import io
import json
import os
import re
import shutil
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from itertools import product
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import msgspec
import pyarrow.parquet as pq
import pytest
import yaml

from corpus.store import write_bytes
from labeling.statistics.intervals import Estimate, shown
from release.card.model_card import model_card
from release.contents.manifest import FILE, Digest, read_manifest, to_json
from release.hub.client import asking
from tests.conftest import REPO
from tests.support.hub import Account, Hub, running
from tests.support.releases import publish_release
from train.examples.load import load_examples
from train.records import ModelCard, read_record
from train.settings import PublishSettings

TOKEN = "hf_Sesame0pen"
DRIVER = """
import json, os, sys, time, traceback
from pathlib import Path
time.sleep = lambda seconds: None
from corpus.errors import StanceError
from release.hub import upload as hub
from release.hub import client
from train.settings import PublishSettings
for line in sys.stdin:
    job = json.loads(line)
    os.environ.pop("HF_TOKEN", None)
    os.environ.update(job.pop("env"))
    client.PATIENCE = job.pop("patience", 20)
    upload = getattr(hub, "upload_" + job.pop("kind"))
    if "settings" in job:
        job["settings"] = PublishSettings(**job["settings"])
    try:
        done = upload(Path(job.pop("folder")), job.pop("repo"), **job)
        answer = {"url": done.url, "commit": done.commit, "changed": done.changed}
    except StanceError as error:
        answer = {"error": str(error), "trace": traceback.format_exc()}
    print(json.dumps(answer), flush=True)
"""


class Client:
    """A process that uploads for us: the endpoint is read when huggingface_hub is imported, so it has its own."""

    def __init__(self, url: str, home: Path, **more: str) -> None:
        self.home = home
        quiet = ["-W", "error", "-W", "ignore:Use 'content:DeprecationWarning"]  # huggingface_hub's own
        self.process = subprocess.Popen(
            [sys.executable, *quiet, "-c", DRIVER],
            env=environment(url, home) | more,
            cwd=REPO,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def __call__(self, folder: Path, repo: str = "org/corpus", **job: Any) -> dict[str, Any]:
        wish = {"kind": "dataset", "private": False, "tag": None, "force": False, "env": {"HF_TOKEN": TOKEN}, **job}
        assert self.process.stdin
        assert self.process.stdout
        self.process.stdin.write(json.dumps({"folder": str(folder), "repo": repo, **wish}) + "\n")
        self.process.stdin.flush()
        answer: dict[str, Any] = json.loads(self.process.stdout.readline())
        assert TOKEN not in json.dumps(answer)
        return answer

    def close(self) -> None:
        self.process.communicate(timeout=20)
        assert self.process.returncode == 0


def environment(url: str, home: Path) -> dict[str, str]:
    mine = {name: value for name, value in os.environ.items() if not name.startswith(("HF_", "HUGGING"))}
    hub = {"HF_ENDPOINT": url, "HF_HOME": str(home), "HF_HUB_DISABLE_XET": "1", "HF_HUB_DISABLE_TELEMETRY": "1"}
    return {**mine, **hub, "PYTHONPATH": str(REPO), "HF_HUB_DISABLE_PROGRESS_BARS": "1"}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hub]:
    with running() as hub:
        hub.accounts[TOKEN] = Account("ann", ("org",))
        hub.accounts["hf_reads"] = Account("bob", ("org",), writes=False)
        yield hub


@pytest.fixture(scope="module")
def client(server: Hub, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    client = Client(server.url, tmp_path_factory.mktemp("home"))
    yield client
    client.close()


@pytest.fixture
def hub(server: Hub) -> Iterator[Hub]:
    """An empty Hub that works; what it has to complain of fails the test."""
    server.restart()
    server.repos.clear()
    yield server
    complaints = list(server.complaints)
    server.complaints.clear()
    assert not complaints


@pytest.fixture(scope="module")
def published(finished: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("release") / "dataset"
    publish_release(finished, folder)
    return folder


@pytest.fixture
def release(published: Path, tmp_path: Path) -> Path:
    """A finished dataset that a test may change."""
    return shutil.copytree(published, tmp_path / "dataset")


def change(folder: Path, path: str, data: bytes | None) -> None:
    """Another release, with one file more, less or other than before."""
    record = read_manifest(folder)
    files = {name: digest for name, digest in record.files.items() if name != path}
    if data is None:
        (folder / path).unlink()
    else:
        write_bytes(folder / path, data)
        files[path] = Digest(sha256=hashlib.sha256(data).hexdigest(), bytes=len(data))
    write_bytes(folder / FILE, to_json(msgspec.structs.replace(record, files=files)))


def sliced(path: Path) -> bytes:
    """A table without its first row."""
    sink = io.BytesIO()
    pq.write_table(pq.read_table(path).slice(1), sink)
    return sink.getvalue()


def there(hub: Hub, name: str = "org/corpus", kind: str = "dataset", commit: int = -1) -> dict[str, bytes]:
    """The content of every file at the Hub but the Hub's own."""
    files = hub.repos[kind, name].commits[commit].files
    return {path: data for path, (data, _) in files.items() if path != ".gitattributes"}


def here(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def writes(hub: Hub) -> list[str]:
    return [line for line in hub.log if not line.startswith("GET ")]


# --- create, publish, publish again, publish a change


def test_a_release_goes_up_whole_in_one_commit_with_its_card(hub: Hub, client: Client, release: Path) -> None:
    done = client(release, tag="v1.0.0")
    repo = hub.repos["dataset", "org/corpus"]
    assert done == {"url": f"{hub.url}/datasets/org/corpus", "commit": repo.commits[-1].id, "changed": True}
    assert [row.title for row in repo.commits] == ["initial commit", "Publish v1.0.0"]
    assert there(hub) == here(release)
    assert all(lfs for path, (_, lfs) in repo.commits[-1].files.items() if path.endswith(".parquet"))
    front = yaml.safe_load(there(hub)["README.md"].decode().split("---\n")[1])
    assert [entry["config_name"] for entry in front["configs"]] == ["gold", "annotations"]
    assert [entry["config_name"] for entry in front["dataset_info"]] == ["gold", "annotations"]
    assert repo.tags == {"v1.0.0": done["commit"]}
    assert not repo.private


def test_nothing_is_written_when_nothing_changed(hub: Hub, client: Client, release: Path) -> None:
    client(release, tag="v1.0.0")
    hub.restart()
    assert client(release, tag="v1.0.0") == {"url": f"{hub.url}/datasets/org/corpus", "commit": None, "changed": False}
    assert writes(hub) == []
    assert len(hub.repos["dataset", "org/corpus"].commits) == 2


def test_a_change_is_one_commit_that_removes_our_stale_files_and_leaves_those_of_others(
    hub: Hub, client: Client, release: Path
) -> None:
    change(release, "extra.md", b"1.0.0\n")
    client(release)
    hub.edit("dataset", "org/corpus", {"notes.txt": b"by hand", "gold/figure.png": b"x"})
    change(release, "extra.md", None)
    change(release, "codebook.md", b"# Codebook\n\nVersion 2.0\n")
    done = client(release)
    repo = hub.repos["dataset", "org/corpus"]
    assert (len(repo.commits), repo.commits[-1].id) == (4, done["commit"])
    assert there(hub) == {**here(release), "notes.txt": b"by hand", "gold/figure.png": b"x"}


def test_a_tag_is_set_once_and_never_moved(hub: Hub, client: Client, release: Path) -> None:
    client(release, tag="v1.0.0")
    repo = hub.repos["dataset", "org/corpus"]
    hub.edit("dataset", "org/corpus", {"notes.txt": b"by hand"})
    assert client(release, tag="v1.0.0")["changed"] is False
    change(release, "codebook.md", b"# Codebook\n\nVersion 2.0\n")
    error = client(release, tag="v1.0.0")["error"]
    assert f"the tag v1.0.0 is there already, on commit {repo.tags['v1.0.0'][:8]}" in error
    assert "raise [publish] version" in error
    assert len(repo.commits) == 3, "nothing is written where the tag cannot be set"
    done = client(release, tag="v1.1.0")
    assert repo.tags["v1.1.0"] == done["commit"]
    assert client(release, tag="v1.2.0") == {"url": done["url"], "commit": None, "changed": True}
    assert repo.tags["v1.2.0"] == done["commit"]


def test_private_makes_a_private_repository_and_refuses_a_public_one(hub: Hub, client: Client, release: Path) -> None:
    client(release, private=True)
    assert hub.repos["dataset", "org/corpus"].private
    client(release, "org/open")
    change(release, "codebook.md", b"# Codebook\n\nVersion 2.0\n")
    assert "exists already and is public" in client(release, "org/open", private=True)["error"]
    assert len(hub.repos["dataset", "org/open"].commits) == 2
    assert client(release)["changed"], "without --private, a private one is used as it is"
    assert hub.repos["dataset", "org/corpus"].private


# --- then anyone opens it


GOLD = """
import json, sys
from datasets import load_dataset
kind = sys.argv[1]
if kind == "whole":
    gold, votes = load_dataset("org/corpus", "gold"), load_dataset("org/corpus", "annotations")
    assert set(load_dataset("org/corpus")) == set(gold)
    rows = {name: list(part["sentence_id"]) for name, part in gold.items()}
    print(json.dumps([rows, votes["train"].num_rows, gold["train"].features["label"].names]))
elif kind == "streaming":
    gold = load_dataset("org/corpus", "gold", streaming=True)
    print(json.dumps({name: [row["sentence_id"] for row in part] for name, part in gold.items()}))
elif kind == "tag":
    try:
        load_dataset("org/closed", "gold")
    except Exception as error:
        assert type(error).__name__ == "DatasetNotFoundError"
        print(json.dumps(load_dataset("org/corpus", "gold", revision="v1.0.0")["test"].num_rows))
elif kind == "private":
    print(json.dumps(load_dataset("org/closed", "gold")["test"].num_rows))
elif kind == "examples":
    from train.examples.load import load_examples
    print(json.dumps([row.sentence_id for row in load_examples("org/corpus")]))
"""


@pytest.mark.slow
def test_anyone_opens_it_whole_streaming_by_tag_and_as_examples(
    hub: Hub, client: Client, release: Path, tmp_path: Path
) -> None:
    client(release, tag="v1.0.0")
    client(release, "org/closed", private=True)
    expected = {
        name: pq.read_table(release / "gold" / f"{name}-00000-of-00001.parquet").column("sentence_id").to_pylist()
        for name in ("train", "validation", "test")
    }
    # The next version has one row less in test; the tag must still give the first.
    path = "gold/test-00000-of-00001.parquet"
    change(release, path, sliced(release / path))
    front = (release / "README.md").read_text("utf-8")
    count = len(expected["test"])
    front = re.sub(rf"(name: test\n +num_bytes: \d+\n +num_examples: ){count}\b", rf"\g<1>{count - 1}", front)
    change(release, "README.md", front.encode())
    assert client(release, tag="v2.0.0")["changed"]
    kinds = ["whole", "streaming", "tag", "private", "examples"]
    started = [
        subprocess.Popen(
            [sys.executable, "-c", GOLD, kind],
            env=environment(hub.url, tmp_path / kind) | ({"HF_TOKEN": TOKEN} if kind == "private" else {}),
            cwd=tmp_path,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for kind in kinds
    ]
    outcomes = [process.communicate(timeout=300) for process in started]
    codes = [process.returncode for process in started]
    assert codes == [0] * 5, "\n".join(error for _, error in outcomes)
    whole, streamed, tagged, private, examples = (json.loads(out) for out, _ in outcomes)
    now = {**expected, "test": expected["test"][1:]}
    assert (whole[0], whole[2]) == (now, ["favor", "against", "none"])
    assert whole[1] == pq.read_table(release / "annotations" / "train-00000-of-00001.parquet").num_rows
    assert streamed == now
    assert (tagged, private) == (count, count)
    assert examples == [row.sentence_id for row in load_examples(release)]


# --- what others did there


def test_a_card_edited_at_the_hub_is_not_overwritten_unless_forced(hub: Hub, client: Client, release: Path) -> None:
    client(release)
    card = (release / "README.md").read_bytes() + b"\nBy hand.\n"
    edit = hub.edit("dataset", "org/corpus", {"README.md": card}, title="Say more", by="eve")
    change(release, "codebook.md", b"# Codebook\n\nVersion 2.0\n")
    error = client(release)["error"]
    assert f"others changed README.md since stance last published there: commit {edit[:8]} “Say more” by eve." in error
    assert "--force overwrites the change" in error
    assert f"save it as {release / 'README.md'}" in error
    assert hub.repos["dataset", "org/corpus"].commits[-1].id == edit
    assert client(release, force=True)["changed"]
    assert there(hub) == here(release)


def test_a_table_put_among_ours_is_never_published_with_ours(hub: Hub, client: Client, release: Path) -> None:
    client(release)
    hub.edit("dataset", "org/corpus", {"gold/train-more.parquet": b"PAR1"}, by="eve")
    assert "others changed gold/train-more.parquet" in client(release)["error"]
    assert client(release, force=True)["changed"]
    assert there(hub) == here(release)


@pytest.mark.parametrize("deleted", [True, False])
def test_a_file_of_ours_that_others_deleted_or_made_is_theirs(
    hub: Hub, client: Client, release: Path, deleted: bool
) -> None:
    client(release)
    path = "codebook.md" if deleted else "extra.md"
    hub.edit("dataset", "org/corpus", {path: None if deleted else b"by hand"}, by="eve")
    change(release, path, b"1.0.0\n")
    assert f"others changed {path}" in client(release)["error"]
    assert client(release, force=True)["changed"]


def test_a_repository_with_files_that_stance_never_put_there_is_refused(
    hub: Hub, client: Client, release: Path
) -> None:
    hub.create("dataset", "org/corpus")
    hub.edit("dataset", "org/corpus", {"README.md": b"---\nlicense: mit\n---\n", "LICENSE.txt": b"MIT"}, by="eve")
    assert "others changed README.md and stance never published there" in client(release)["error"]
    assert client(release, force=True)["changed"]
    assert there(hub) == {**here(release), "LICENSE.txt": b"MIT"}


def test_an_empty_repository_made_by_hand_is_used(hub: Hub, client: Client, release: Path) -> None:
    hub.create("dataset", "org/corpus")
    assert client(release)["changed"]
    assert there(hub) == here(release)


def test_a_repository_that_is_made_just_before_us_is_used(hub: Hub, client: Client, release: Path) -> None:
    def before(number: int) -> int:
        if "/repos/create" in hub.log[-1]:
            hub.create("dataset", "org/corpus")
        return 200

    hub.restart(before)
    assert client(release)["changed"]
    assert there(hub) == here(release)


def test_a_gitignore_that_would_tear_the_commit_is_refused(hub: Hub, client: Client, release: Path) -> None:
    hub.create("dataset", "org/corpus")
    hub.edit("dataset", "org/corpus", {".gitignore": b"*.parquet\n"})
    assert "the repository has a .gitignore" in client(release, force=True)["error"]
    assert len(hub.repos["dataset", "org/corpus"].commits) == 2


# --- messages


def test_the_token_is_the_one_that_huggingface_hub_keeps(hub: Hub, client: Client, release: Path) -> None:
    assert "there is no token for the Hub: store one with `hf auth login`" in client(release, env={})["error"]
    assert hub.log == []
    stored = client.home / "token"
    stored.write_text(TOKEN)
    assert client(release, env={})["changed"]
    stored.write_text("hf_old")
    assert "doesn't accept the token that `hf auth login` stored" in client(release, env={})["error"]
    stored.unlink()


@pytest.mark.parametrize("token", ["hf_wrong", "hf_wrong words", "hf_wröng"])
def test_a_wrong_token_is_named_by_its_place_and_never_quoted(
    hub: Hub, client: Client, release: Path, token: str
) -> None:
    answer = client(release, env={"HF_TOKEN": token})
    assert "doesn't accept the token in HF_TOKEN" in answer["error"] or "token for the Hub holds" in answer["error"]
    assert token not in json.dumps(answer, ensure_ascii=False)
    assert hub.repos == {}


@pytest.mark.parametrize(("token", "repo"), [("hf_reads", "org/corpus"), (TOKEN, "other/corpus")])
def test_no_write_permission(hub: Hub, client: Client, release: Path, token: str, repo: str) -> None:
    hub.create("dataset", "org/corpus")
    who = "bob" if token == "hf_reads" else "ann"
    answer = client(release, repo, env={"HF_TOKEN": token})
    assert f"doesn't let the account {who} do that" in answer["error"]
    assert "You don't have the rights" in answer["error"]
    assert token not in json.dumps(answer), "the loopback Hub's refusal quotes it"


@pytest.mark.parametrize("error", [ValueError("seven"), RuntimeError("eight"), KeyError("nine")])
def test_a_fault_of_our_own_is_not_taken_for_the_hubs(error: Exception) -> None:
    api = SimpleNamespace(endpoint="https://hub.example", token="hf_secret")
    with pytest.raises(type(error)) as found, asking(api, "uploading"):  # type: ignore[arg-type]
        raise error
    assert found.value is error


@pytest.mark.parametrize("repo", ["corpus", "a/b/c", "org/-x", "org/a b", "org/..", "", "http://x.org/datasets/a/b"])
def test_a_malformed_name_is_refused_before_anything_is_asked(
    hub: Hub, client: Client, release: Path, repo: str
) -> None:
    assert "cannot be a repository's name: expected ORG/NAME" in client(release, repo)["error"]
    assert hub.log == []


def test_the_name_of_a_model_is_no_name_for_a_dataset(hub: Hub, client: Client, release: Path) -> None:
    hub.create("model", "org/corpus")
    assert "org/corpus is the repository of a model" in client(release)["error"]
    assert ("dataset", "org/corpus") not in hub.repos
    assert client(release, force=True)["changed"]


def test_a_repository_that_the_account_may_not_see(hub: Hub, client: Client, release: Path) -> None:
    hub.create("dataset", "org/corpus").hidden = True
    assert "org/corpus exists, but the account ann may not see it" in client(release)["error"]
    assert there(hub) == {}


def test_a_hub_that_cannot_be_reached(release: Path, tmp_path: Path) -> None:
    clients = Client("http://127.0.0.1:9", tmp_path), Client("http://127.0.0.1:9", tmp_path, HF_HUB_OFFLINE="1")
    errors = [client(release)["error"] for client in clients]
    for client in clients:
        client.close()
    assert "logging in: http://127.0.0.1:9 cannot be reached" in errors[0]
    assert "HF_HUB_OFFLINE is set" in errors[1]


@pytest.mark.parametrize(
    ("status", "told"), [(429, "too many requests"), (503, "answered 503, which is a fault of the Hub")]
)
def test_a_busy_hub_is_asked_again_a_bounded_number_of_times(
    hub: Hub, client: Client, release: Path, status: int, told: str
) -> None:
    hub.restart(lambda number: status)
    assert told in client(release)["error"]
    assert len(hub.log) == 3
    hub.restart(lambda number: status if "preupload" in hub.log[-1] else 200)
    assert told in client(release)["error"]
    assert sum("preupload" in line for line in hub.log) <= 18
    assert there(hub) == {}
    hub.restart(lambda number: status if number in {1, 4, 9} else 200)
    assert client(release)["changed"]
    assert there(hub) == here(release)


def test_a_hub_that_says_nothing_is_given_up(hub: Hub, client: Client, release: Path) -> None:
    released = threading.Event()

    def before(number: int) -> int:
        released.wait(60)
        return 200

    hub.restart(before)
    error = client(release, patience=0.1)["error"]
    released.set()
    assert "timed out" in error
    given_up = time.monotonic() + 10
    while hub.count < 3 and time.monotonic() < given_up:  # of the three tries, those that waited for their turn
        time.sleep(0.01)


def test_nonsense_in_front_of_the_hub_is_named(hub: Hub, client: Client, release: Path) -> None:
    hub.restart(lambda number: 404)
    assert "answered 404" in client(release)["error"]


def test_somebody_pushing_in_between_is_seen_and_met_once(hub: Hub, client: Client, release: Path) -> None:
    client(release)
    change(release, "codebook.md", b"# Codebook\n\nVersion 2.0\n")

    def pushing(path: str, times: int) -> Callable[[int], int]:
        def before(number: int) -> int:
            if "/commit/" in hub.log[-1] and sum("/commit/" in line for line in hub.log) <= times:
                hub.edit("dataset", "org/corpus", {path: f"by hand {number}".encode()}, by="eve")
            return 200

        return before

    hub.restart(pushing("notes.txt", 1))
    assert client(release)["changed"]
    assert there(hub) == {**here(release), "notes.txt": there(hub)["notes.txt"]}
    change(release, "codebook.md", b"# Codebook\n\nVersion 3.0\n")
    hub.restart(pushing("notes.txt", 9))
    assert "Somebody else is pushing there at this moment" in client(release)["error"]
    hub.restart(pushing("README.md", 1))
    assert "others changed README.md" in client(release)["error"]
    assert there(hub)["codebook.md"].endswith(b"2.0\n")


def test_a_folder_that_is_no_release_is_refused_before_anything_is_asked(
    hub: Hub, client: Client, release: Path, tmp_path: Path
) -> None:
    assert "manifest.json" in client(tmp_path)["error"]
    (release / "articles.csv").write_text("private")
    assert "not part of the release: articles.csv" in client(release)["error"]
    (release / "articles.csv").unlink()
    (release / ".README.md.x1").write_text("left by a crash")
    card = (release / "README.md").read_bytes()
    for wrong in (card.replace(b"dataset_info:", b"other:"), card.replace(b"configs:", b"configs: [", 1), b"# Card"):
        change(release, "README.md", wrong)
        assert "expected YAML between two lines of --- with `configs` and" in client(release)["error"]
    change(release, "README.md", card)
    (release / "gold" / "test-00000-of-00001.parquet").unlink()
    (release / "codebook.md").write_text("other")
    assert "codebook.md, gold/test-00000-of-00001.parquet changed or missing" in client(release)["error"]
    assert hub.log == []


def test_a_card_that_the_hub_refuses_leaves_the_repository_as_it_was(hub: Hub, client: Client, release: Path) -> None:
    card = (release / "README.md").read_bytes()
    change(release, "README.md", card.replace(b"license: cc-by-4.0", b"license: my own"))
    assert '"license" must be one of' in client(release)["error"]
    assert there(hub) == {}


# --- broken off


def _series(hub: Hub, client: Client, old: Path | None, new: Path, verdict: int, *, lasting: bool) -> int:
    """Break off at each request in turn, and then publish again; the number of requests."""
    for number in range(1, 100):
        hub.restart()
        hub.repos.clear()
        before: list[dict[str, bytes]] = [{}]
        if old is not None:
            assert client(old, tag="v1")["changed"]
            before.append(there(hub))
        start = len(hub.repos["dataset", "org/corpus"].commits) if old else 1
        hub.restart(lambda n, k=number: verdict if (n >= k if lasting else n == k) else 200)  # type: ignore[misc]
        answer = client(new, tag="v2")
        asked = hub.count
        if ("dataset", "org/corpus") in hub.repos:
            assert there(hub) in (before[-1], here(new)), f"half-updated at request {number}"
        if not lasting:
            assert answer.get("changed"), f"request {number}: {answer}"
        else:
            assert "error" in answer or asked < number or (verdict == -1 and asked == number), f"{number}: {answer}"
        hub.restart()
        again = client(new, tag="v2")
        assert "error" not in again, f"request {number}: {again}"
        repo = hub.repos["dataset", "org/corpus"]
        assert there(hub) == here(new)
        assert len(repo.commits) == start + 1, f"request {number}: {[row.title for row in repo.commits]}"
        assert repo.tags["v2"] == repo.commits[-1].id
        if asked < number:
            return number
    raise AssertionError("the series has no end")


@pytest.fixture
def newer(release: Path, tmp_path: Path) -> Path:
    """The next version: a table and a text changed, one file gone, one new."""
    folder = shutil.copytree(release, tmp_path / "newer")
    change(release, "old.md", b"1")
    change(folder, "new.md", b"2")
    change(folder, "codebook.md", b"# Codebook\n\nVersion 2.0\n")
    path = "annotations/train-00000-of-00001.parquet"
    change(folder, path, sliced(folder / path))
    return folder


# Those that find most run always; all of them take ten seconds.
@pytest.mark.parametrize(
    ("new", "verdict", "lasting"),
    [
        pytest.param(*case, marks=[] if case in {(False, -1, True), (True, 0, False)} else pytest.mark.slow)
        for case in product([True, False], [0, -1, 500], [True, False])
    ],
)
def test_broken_off_at_any_request_nothing_is_half_and_the_next_publish_ends_right(
    hub: Hub, client: Client, release: Path, newer: Path, new: bool, verdict: int, lasting: bool
) -> None:
    assert _series(hub, client, None if new else release, newer, verdict, lasting=lasting) > 12


# --- models


@pytest.mark.slow
def test_a_model_goes_up_with_its_card_and_opens_as_the_card_says(
    hub: Hub, client: Client, finished: Path, tmp_path: Path
) -> None:
    folder = shutil.copytree(finished / "work" / "model", tmp_path / "model")
    job: dict[str, Any] = {"kind": "model", "settings": {"licence": "cc-by-4.0", "authors": ["Ann Author"]}}
    done = client(folder, "org/model", tag="v1.0.0", dataset="org/corpus", **job)
    files = there(hub, "org/model", "model")
    assert set(files) == {"README.md", "model.skops", "model.joblib", "model.json", "metrics.json"}
    assert all(files[name] == (folder / name).read_bytes() for name in files if name != "README.md")
    assert done["url"] == f"{hub.url}/org/model"
    again = client(folder, "org/model", tag="v1.0.0", dataset="org/corpus", **job)
    assert (again["commit"], again["changed"]) == (None, False)
    card = files["README.md"].decode()
    front = yaml.safe_load(card.split("---\n")[1])
    assert (front["library_name"], front["license"], front["datasets"]) == ("sklearn", "cc-by-4.0", ["org/corpus"])
    metrics = json.loads((folder / "metrics.json").read_bytes())
    own, majority = metrics["test"]["f_avg"], metrics["test"]["majority"]["f_avg"]
    assert front["model-index"][0]["results"][0]["metrics"][0]["value"] == own["value"]
    for score in (own, majority):
        assert shown(Estimate(**score)) in card
    for heading in ("Intended use", "How to load it", "Training data", "Scores", "Limits", "Licence"):
        assert f"## {heading}\n" in card
    assert r"*a target \<b\>*" in card
    assert "Ann Author" in card
    assert (folder / "README.md").read_bytes() == files["README.md"]
    # What is written by hand stays; what was written at the Hub is not overwritten.
    (folder / "README.md").write_text(card + "\nWhat we think of it.\n", "utf-8")
    assert client(folder, "org/model", tag="v1.1.0", dataset="org/corpus", **job)["changed"]
    assert there(hub, "org/model", "model")["README.md"].decode() == card + "\nWhat we think of it.\n"
    hub.edit("model", "org/model", {"README.md": b"---\nlicense: mit\nlibrary_name: x\n---\n"}, by="eve")
    assert "others changed README.md" in client(folder, "org/model", dataset="org/corpus", **job)["error"]
    (code,) = re.findall(r"```python\n(.*?)```", card, re.S)
    opened = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code],
        env=environment(hub.url, tmp_path),
        capture_output=True,
        text=True,
        check=True,
    )
    assert opened.stdout.startswith("['against' 'favor' 'none'] [[")


def test_a_card_of_several_targets_says_how_to_choose_one(finished: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(finished / "work" / "model", tmp_path / "model")
    record = read_record(folder / "model.json", ModelCard)
    several = msgspec.structs.replace(record, targets=["a `b`", "c*d"], masked=True)
    (folder / "model.json").write_bytes(msgspec.json.encode(several))
    card = model_card(folder, PublishSettings(), "org/model").decode()
    assert r"one of 2 targets: a \`b\`; c\*d." in card
    assert '\nmodel = model["a `b`"]  # a dict' in card
    assert "masked as `train.model.mask.masked` does it" in card
    assert "which `pip install .` installs in a copy of its source code.\n" in card
    asked = model_card(folder, PublishSettings(contact="x"), "org/model").decode()
    assert "source code; ask the contact at the end of this card where it is.\n" in asked
    front = yaml.safe_load(card.split("---\n")[1])
    assert front["license"] == "unknown"
    assert not front.keys() & {"datasets", "model-index"}, "the Hub takes scores with a dataset's name only"


def test_what_people_wrote_between_lines_in_a_models_card_is_kept(finished: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(finished / "work" / "model", tmp_path / "model")
    (folder / "README.md").write_text("# Ours\n\n---\nTried on speeches too.\n---\nThe end.\n")
    first = model_card(folder, PublishSettings(), "org/model")
    assert b"---\nTried on speeches too.\n---\n" in first
    (folder / "README.md").write_bytes(first.replace(b"\n", b"\r\n"))
    assert model_card(folder, PublishSettings(), "org/model") == first


def test_a_model_folder_without_scores_is_refused(hub: Hub, client: Client, finished: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(finished / "work" / "model", tmp_path / "model")
    (folder / "metrics.json").unlink()
    assert "run `stance train` first" in client(folder, "org/model", kind="model", settings={})["error"]
    assert hub.log == []


# --- the loopback Hub itself is strict


@pytest.mark.parametrize(
    ("method", "path", "body", "complaint"),
    [
        ("GET", "/api/datasets/org/corpus/discussions", None, "unknown route"),
        ("PUT", f"/storage/dataset/org/corpus/{'0' * 64}?size=1&signature=s", b"x", "whose digest is another"),
        ("PUT", f"/storage/dataset/org/corpus/{'0' * 64}?size=2&signature=s", b"x", "of 1 bytes"),
        (
            "POST",
            "/api/datasets/org/corpus/commit/main",
            b'{"key": "header", "value": {"summary": "s", "description": ""}}',
            "names no parent",
        ),
    ],
)
def test_the_loopback_hub_complains_of_what_a_client_may_not_do(
    method: str, path: str, body: bytes | None, complaint: str
) -> None:
    with ExitStack() as stack:
        hub = stack.enter_context(running())
        hub.accounts[TOKEN] = Account("ann", ("org",))
        hub.create("dataset", "org/corpus")
        headers = {} if method == "PUT" else {"Authorization": f"Bearer {TOKEN}"}
        asked = urllib.request.Request(hub.url + path, data=body, headers=headers, method=method)
        with pytest.raises(urllib.error.HTTPError, match="501"):
            urllib.request.urlopen(asked)
        with pytest.raises(AssertionError, match=complaint):
            stack.close()
