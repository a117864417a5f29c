"""A strict Hub on this computer, which answers what huggingface_hub and datasets request, and refuses wrong requests.

It keeps commits, tags and LFS objects, and checks tokens, digests, parents and cards. A request that it does not know
is a complaint, which fails the test. Files are uploaded by LFS, as Xet would need another server.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from fnmatch import fnmatch
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlencode, urlsplit

import yaml

LICENCES = {"cc-by-4.0", "cc0-1.0", "cc-by-sa-4.0", "apache-2.0", "mit", "other", "unknown"}
PAGE = 8


@dataclass(frozen=True)
class Account:
    name: str
    organisations: tuple[str, ...] = ()
    writes: bool = True


@dataclass(frozen=True)
class Commit:
    id: str
    title: str
    message: str
    author: str
    files: dict[str, tuple[bytes, bool]]
    """The content of each path, and whether it is stored in LFS."""


@dataclass
class Repo:
    private: bool
    commits: list[Commit]
    hidden: bool = False
    tags: dict[str, str] = field(default_factory=dict)
    objects: dict[str, bytes] = field(default_factory=dict)

    def at(self, revision: str) -> Commit:
        wanted = self.commits[-1].id if revision == "main" else self.tags.get(revision, revision)
        found = next((row for row in self.commits if row.id == wanted), None)
        if found is None:
            raise Refusal(404, f"Invalid rev id: {revision}", "RevisionNotFound")
        return found


class Refusal(Exception):
    """An error that the real Hub too returns to a client with a wrong request."""

    def __init__(self, status: int, message: str, code: str = "") -> None:
        super().__init__(message)
        self.status, self.code = status, code


class Hub:
    """The state of the Hub, which tests can read and edit; they can also cut connections."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.accounts: dict[str, Account] = {}
        self.repos: dict[tuple[str, str], Repo] = {}
        self.complaints: list[str] = []
        self.log: list[str] = []
        self.lock = threading.RLock()
        self.count = 0
        self.before: Callable[[int], int] = lambda number: 200
        """What to do with a request, by its number: 200 to answer it, 0 to close the connection, -1 to close it after
        the request was carried out, or the status of an error."""

    def restart(self, before: Callable[[int], int] = lambda number: 200) -> None:
        """Count requests from 1 again."""
        self.count, self.before = 0, before
        self.log.clear()

    def edit(self, kind: str, name: str, changes: dict[str, bytes | None], title: str = "Edit", by: str = "eve") -> str:
        """Commit changes as another user would; None deletes a file."""
        repo = self.repos[kind, name]
        files = {**repo.commits[-1].files, **{path: (data or b"", False) for path, data in changes.items()}}
        files = {path: file for path, file in files.items() if changes.get(path, b"") is not None}
        return self.add(repo, title, "", by, files)

    def create(self, kind: str, name: str, *, private: bool = False) -> Repo:
        repo = self.repos[kind, name] = Repo(private=private, commits=[])
        rules = b"*.parquet filter=lfs diff=lfs merge=lfs -text\n*.joblib filter=lfs diff=lfs merge=lfs -text\n"
        self.add(repo, "initial commit", "", name.split("/")[0], {".gitattributes": (rules, False)})
        return repo

    def add(self, repo: Repo, title: str, message: str, author: str, files: dict[str, tuple[bytes, bool]]) -> str:
        listing = {path: [hashlib.sha256(data).hexdigest(), lfs] for path, (data, lfs) in files.items()}
        parent = repo.commits[-1].id if repo.commits else ""
        key = hashlib.sha1(json.dumps([parent, title, message, author, listing], sort_keys=True).encode()).hexdigest()
        repo.commits.append(Commit(key, title, message, author, files))
        return key

    def complaint(self, what: str) -> Refusal:
        self.complaints.append(what)
        return Refusal(501, f"the loopback Hub: {what}")

    def expect(self, right: object, what: str) -> None:
        if not right:
            raise self.complaint(what)


def blob(data: bytes) -> str:
    return hashlib.sha1(b"blob %d\0" % len(data) + data).hexdigest()


def entry(path: str, data: bytes, lfs: bool) -> dict[str, Any]:
    if not lfs:
        return {"type": "file", "path": path, "size": len(data), "oid": blob(data)}
    digest = hashlib.sha256(data).hexdigest()
    pointer = f"version https://git-lfs.github.com/spec/v1\noid sha256:{digest}\nsize {len(data)}\n".encode()
    big = {"oid": digest, "size": len(data), "pointerSize": len(pointer)}
    return {"type": "file", "path": path, "size": len(data), "oid": blob(pointer), "lfs": big}


def card_errors(text: str, kind: str, paths: set[str] | None = None) -> list[str]:
    """The errors in a card's YAML; with `paths`, also the files that it names and that do not exist."""
    parts = re.match(r"---\r?\n(.*?)\r?\n---\r?\n", text, re.S)
    try:
        front = yaml.safe_load(parts.group(1)) if parts else None
    except yaml.YAMLError as error:
        return [f"the YAML cannot be read: {error}"]
    if not isinstance(front, dict):
        return ["the card has no YAML"]
    found = [] if front.get("license", "other") in LICENCES else [f'"license" must be one of {sorted(LICENCES)}']
    found += [f'"language" {code!r}' for code in front.get("language", []) if not re.fullmatch("[a-z]{2,3}", code)]
    if kind == "model":
        return found + ([] if front.get("library_name") else ["no library_name"])
    names = [config["config_name"] for config in front.get("configs", [])]
    if not names or sorted(names) != sorted(info["config_name"] for info in front.get("dataset_info", [])):
        found.append("configs and dataset_info name different configs, or none")
    for feature in [feature for info in front.get("dataset_info", []) for feature in info["features"]]:
        if isinstance(kinds := feature.get("dtype"), dict):
            ids = kinds["class_label"]["names"]
            found += [] if all(isinstance(key, str) for key in ids) else [f"{feature['name']}: class ids are unquoted"]
    globs = [part["path"] for config in front.get("configs", []) for part in config["data_files"]]
    found += [f"no file for {glob}" for glob in globs if paths is not None and not any(fnmatch(p, glob) for p in paths)]
    return found


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    # Otherwise an answer is sent in two packets, and the second waits 40 ms for the first one's confirmation.
    wbufsize = 1 << 16
    hub: Hub

    def log_message(self, format: str, *args: object) -> None:
        pass

    def do(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        with self.hub.lock:
            self.hub.count += 1
            self.hub.log.append(f"{self.command} {self.path}")
            verdict = self.hub.before(self.hub.count)
            try:
                if verdict == 0:
                    self.close_connection = True
                    return
                if verdict not in (200, -1):
                    raise Refusal(verdict, "out of order")
                status, headers, data = self.route(body)
            except Refusal as error:
                headers = {"X-Error-Message": str(error)} | ({"X-Error-Code": error.code} if error.code else {})
                status, data = error.status, json.dumps({"error": str(error)}).encode()
            except Exception as error:  # an error in this file, or a request that it cannot read; both fail the test
                self.hub.complaints.append(f"{self.command} {self.path}: {error!r}")
                status, headers, data = 500, {}, b"{}"
            if verdict == -1:
                self.close_connection = True
                return
        self.send_response(status)
        for name, value in {"Content-Type": "application/json", "Content-Length": str(len(data)), **headers}.items():
            self.send_header(name, value)
        with suppress(ConnectionError):  # the client may have given up
            self.end_headers()
            self.wfile.write(data if self.command != "HEAD" else b"")
            self.wfile.flush()

    do_GET = do_POST = do_PUT = do_HEAD = do_DELETE = do

    def account(self) -> Account | None:
        given = self.headers.get("Authorization")
        if given is None:
            return None
        account = self.hub.accounts.get(given.removeprefix("Bearer "))
        if account is None:
            raise Refusal(401, "Invalid credentials in Authorization header")
        return account

    def writer(self, name: str) -> Account:
        account = self.account()
        if account is None:
            raise Refusal(401, "Invalid username or password.")
        if not account.writes or name.split("/")[0] not in (account.name, *account.organisations):
            given = self.headers["Authorization"]
            raise Refusal(403, f"You don't have the rights to write to {name} with {given}")
        return account

    def repo(self, kind: str, name: str) -> Repo:
        account, repo = self.account(), self.hub.repos.get((kind, name))
        member = account is not None and name.split("/")[0] in (account.name, *account.organisations)
        if repo is None or repo.hidden or (repo.private and not member):
            raise Refusal(404 if account else 401, "Repository not found", "RepoNotFound")
        return repo

    def route(self, body: bytes) -> tuple[int, dict[str, str], bytes]:
        address = urlsplit(self.path)
        query = parse_qs(address.query)
        for method, pattern, name in ROUTES:
            found = re.fullmatch(pattern, address.path)
            if found and self.command in method.split("|"):
                groups = {key: unquote(value or "") for key, value in found.groupdict().items()}
                if "kind" in groups:
                    groups["kind"] = groups["kind"].strip("/").removesuffix("s") or "model"
                answer = getattr(self, name)(body=body, query=query, **groups)
                return answer if isinstance(answer, tuple) else (200, {}, json.dumps(answer).encode())
        raise self.hub.complaint(f"unknown route {self.command} {self.path}")

    def whoami(self, body: bytes, query: Any) -> Any:
        account = self.account()
        if account is None:
            raise Refusal(401, "Invalid username or password.")
        return {"name": account.name, "type": "user", "orgs": [{"name": name} for name in account.organisations]}

    def create(self, body: bytes, query: Any) -> Any:
        asked = json.loads(body)
        name = f"{asked['organization']}/{asked['name']}"
        self.writer(name)
        kind = asked.get("type", "model")
        if (kind, name) in self.hub.repos:
            raise Refusal(409, f"You already created this {kind} repo")
        self.hub.create(kind, name, private=asked.get("visibility") == "private" or bool(asked.get("private")))
        return {"url": f"{self.hub.url}/{'datasets/' if kind == 'dataset' else ''}{name}"}

    def validate(self, body: bytes, query: Any) -> Any:
        asked = json.loads(body)
        if errors := card_errors(asked["content"], asked["repoType"]):
            return 400, {}, json.dumps({"errors": [{"message": text} for text in errors]}).encode()
        return {"errors": [], "warnings": []}

    def info(self, kind: str, name: str, body: bytes, query: Any, revision: str = "main") -> Any:
        repo = self.repo(kind, name)
        commit = repo.at(revision)
        files = [{"rfilename": path} for path in sorted(commit.files)]
        return {"_id": "0", "id": name, "sha": commit.id, "private": repo.private, "siblings": files, "tags": []}

    def page(self, rows: list[Any], query: Any) -> Any:
        start = int(query.get("cursor", ["0"])[0])
        address = urlsplit(self.path)
        rest = urlencode({**{name: value[0] for name, value in query.items()}, "cursor": start + PAGE})
        link = f'<{self.hub.url}{address.path}?{rest}>; rel="next"'
        headers = {"Link": link} if start + PAGE < len(rows) else {}
        return 200, headers, json.dumps(rows[start : start + PAGE]).encode()

    def tree(self, kind: str, name: str, revision: str, path: str, body: bytes, query: Any) -> Any:
        commit = self.repo(kind, name).at(revision)
        inside = f"{path}/" if path else ""
        files = {p: file for p, file in sorted(commit.files.items()) if p.startswith(inside)}
        if path and not files:
            raise Refusal(404, f"{path} does not exist", "EntryNotFound")
        folders = {inside + p.removeprefix(inside).split("/")[0] for p in files if "/" in p.removeprefix(inside)}
        deep = query.get("recursive", ["false"])[0].lower() in ("true", "1")
        rows = [entry(p, *file) for p, file in files.items() if deep or "/" not in p.removeprefix(inside)]
        return self.page(
            [{"type": "directory", "path": p, "oid": "0" * 40, "size": 0} for p in sorted(folders)] + rows, query
        )

    def commits(self, kind: str, name: str, revision: str, body: bytes, query: Any) -> Any:
        repo = self.repo(kind, name)
        past = repo.commits[: repo.commits.index(repo.at(revision)) + 1][::-1]
        date = "2031-01-01T00:00:00.000Z"
        rows = [{"id": row.id, "title": row.title, "message": row.message, "date": date} for row in past]
        return self.page(
            [{**row, "authors": [{"user": old.author}]} for row, old in zip(rows, past, strict=True)], query
        )

    def refs(self, kind: str, name: str, body: bytes, query: Any) -> Any:
        repo = self.repo(kind, name)
        tags = [{"name": tag, "ref": f"refs/tags/{tag}", "targetCommit": at} for tag, at in repo.tags.items()]
        main = [{"name": "main", "ref": "refs/heads/main", "targetCommit": repo.commits[-1].id}]
        return {"branches": main, "converts": [], "tags": tags}

    def tag(self, kind: str, name: str, revision: str, body: bytes, query: Any) -> Any:
        self.writer(name)
        repo, tag = self.repo(kind, name), json.loads(body)["tag"]
        if tag in repo.tags:
            raise Refusal(409, f"Tag reference exists already: {tag}")
        self.hub.expect(re.fullmatch("[0-9a-f]{40}", revision), f"tag {tag} on {revision}, which moves")
        repo.tags[tag] = repo.at(revision).id
        return {}

    def preupload(self, kind: str, name: str, revision: str, body: bytes, query: Any) -> Any:
        self.writer(name)
        commit = self.repo(kind, name).at(revision)
        text = {path: data.decode("utf-8", "replace").split("\n") for path, (data, _) in commit.files.items()}
        rules = [line.split()[0] for line in text.get(".gitattributes", []) if "filter=lfs" in line]
        ignored = [line for line in text.get(".gitignore", []) if line]
        files = []
        for asked in json.loads(body)["files"]:
            path, sample = asked["path"], base64.b64decode(asked["sample"])
            lfs = b"\0" in sample or any(fnmatch(path, rule) for rule in rules)
            skip = any(fnmatch(path, rule) for rule in ignored)
            files.append({"path": path, "uploadMode": "lfs" if lfs else "regular", "shouldIgnore": skip})
            if path in commit.files:
                row = entry(path, *commit.files[path])
                files[-1]["oid"] = row["lfs"]["oid"] if "lfs" in row else row["oid"]
        return {"files": files}

    def batch(self, kind: str, name: str, body: bytes, query: Any) -> Any:
        self.writer(name)
        asked, repo = json.loads(body), self.repo(kind, name)
        self.hub.expect(asked["operation"] == "upload" and asked["hash_algo"] == "sha256", "an odd LFS batch")
        rows = [{"oid": row["oid"], "size": row["size"]} for row in asked["objects"]]
        for row in rows:
            if row["oid"] not in repo.objects:
                href = f"{self.hub.url}/storage/{kind}/{name}/{row['oid']}?size={row['size']}&signature=s"
                row["actions"] = {"upload": {"href": href}}
        return {"transfer": "basic", "objects": rows}

    def store(self, kind: str, name: str, oid: str, body: bytes, query: Any) -> Any:
        self.hub.expect("Authorization" not in self.headers, "the token went to the storage, a third party's")
        self.hub.expect(query.get("signature") == ["s"], "an upload to an address that was not given")
        self.hub.expect(
            query["size"] == [str(len(body))], f"an object of {len(body)} bytes, announced as {query['size']}"
        )
        self.hub.expect(hashlib.sha256(body).hexdigest() == oid, "an object whose digest is another")
        self.hub.repos[kind, name].objects[oid] = body
        return {}

    def commit(self, kind: str, name: str, revision: str, body: bytes, query: Any) -> Any:
        account, repo = self.writer(name), self.repo(kind, name)
        head, *lines = [json.loads(line) for line in body.splitlines()]
        self.hub.expect(revision == "main" and head["key"] == "header", "a commit without header, or not to main")
        asked = head["value"]
        self.hub.expect(asked.get("parentCommit"), "a commit that names no parent")
        if asked["parentCommit"] != repo.commits[-1].id:
            raise Refusal(412, "A commit has happened since. Please refresh and try again.")
        files = dict(repo.commits[-1].files)
        for key, value in ((line["key"], line["value"]) for line in lines):
            path = value["path"]
            if key == "file":
                self.hub.expect(value["encoding"] == "base64", "an odd encoding")
                files[path] = (base64.b64decode(value["content"], validate=True), False)
                self.hub.expect(b"\0" not in files[path][0], f"{path} is binary, and was sent as text")
            elif key == "lfsFile":
                self.hub.expect(value["algo"] == "sha256" and value["oid"] in repo.objects, f"{path} was not uploaded")
                self.hub.expect(len(repo.objects[value["oid"]]) == value["size"], f"{path} has another size")
                files[path] = (repo.objects[value["oid"]], True)
            elif key == "deletedFile" and path in files:
                del files[path]
            else:
                raise self.hub.complaint(f"{key} {path}")
        self.hub.expect(files != repo.commits[-1].files, "a commit that changes nothing")
        if errors := card_errors(files.get("README.md", (b"", False))[0].decode(), kind, set(files)):
            raise self.hub.complaint(f"a commit whose card is wrong: {errors}")
        made = self.hub.add(repo, asked["summary"], asked["description"], account.name, files)
        prefix = "datasets/" if kind == "dataset" else ""
        return {"success": True, "commitOid": made, "commitUrl": f"{self.hub.url}/{prefix}{name}/commit/{made}"}

    def resolve(self, kind: str, name: str, revision: str, path: str, body: bytes, query: Any) -> Any:
        commit = self.repo(kind, name).at(revision)
        if path not in commit.files:
            raise Refusal(404, "Entry not found", "EntryNotFound")
        data, lfs = commit.files[path]
        row = entry(path, data, lfs)
        headers = {"X-Repo-Commit": commit.id, "ETag": f'"{row["oid"]}"', "Accept-Ranges": "bytes"}
        if lfs:
            headers |= {"X-Linked-Size": str(len(data)), "X-Linked-ETag": f'"{row["lfs"]["oid"]}"'}
        asked = re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range") or "")
        if not asked:
            return 200, {**headers, "Content-Type": "application/octet-stream"}, data
        start, end = int(asked[1]), min(int(asked[2] or len(data) - 1), len(data) - 1)
        headers["Content-Range"] = f"bytes {start}-{end}/{len(data)}"
        return 206, {**headers, "Content-Type": "application/octet-stream"}, data[start : end + 1]


API = r"/api/(?P<kind>datasets|models)/(?P<name>[^/]+/[^/]+)"
WEB = r"/(?P<kind>datasets/)?(?P<name>[^/]+/[^/]+)"
REVISION = r"(?P<revision>[^/]+)"
ROUTES = [
    ("GET", "/api/whoami-v2", "whoami"),
    ("POST", "/api/repos/create", "create"),
    ("POST", "/api/validate-yaml", "validate"),
    ("GET", API, "info"),
    ("GET", f"{API}/revision/{REVISION}", "info"),
    ("GET", f"{API}/tree/{REVISION}(?:/(?P<path>.+))?", "tree"),
    ("GET", f"{API}/commits/{REVISION}", "commits"),
    ("GET", f"{API}/refs", "refs"),
    ("POST", f"{API}/tag/{REVISION}", "tag"),
    ("POST", f"{API}/preupload/{REVISION}", "preupload"),
    ("POST", f"{API}/commit/{REVISION}", "commit"),
    ("POST", rf"{WEB}\.git/info/lfs/objects/batch", "batch"),
    ("PUT", r"/storage/(?P<kind>dataset|model)/(?P<name>[^/]+/[^/]+)/(?P<oid>[0-9a-f]{64})", "store"),
    ("GET|HEAD", f"{WEB}/resolve/{REVISION}/(?P<path>.+)", "resolve"),
]


@contextmanager
def running() -> Iterator[Hub]:
    """Run a Hub on a free port; at the end, any complaint is an error."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    hub = Handler.hub = Hub(f"http://127.0.0.1:{server.server_address[1]}")
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield hub
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
    assert not hub.complaints, hub.complaints
