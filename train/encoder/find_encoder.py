"""Find the files of an encoder, in a folder or at the Hub, and how its vectors are made."""

from __future__ import annotations

import hashlib
import json
import re
from pathlib import Path
from typing import Any, Literal

import msgspec

from corpus.errors import ExamplesError

Pooling = Literal["mean", "cls"]
NETWORKS = ("onnx/model.onnx", "model.onnx")
"""Where the network usually is. Hubs hold several variants beside it, so the first of these counts."""
TOKENIZER = "tokenizer.json"
POOLING = "1_Pooling/config.json"
LENGTHS = (("sentence_bert_config.json", "max_seq_length"), ("tokenizer_config.json", "model_max_length"))
"""The files that say how many tokens the encoder reads, with the key, most reliable first."""
AT_HUB = [*NETWORKS, *(f"{name}_data" for name in NETWORKS), TOKENIZER, POOLING, *(name for name, _ in LENGTHS)]
POOLINGS: dict[str, Pooling] = {
    **{"mean": "mean", "pooling_mode_mean_tokens": "mean"},
    **{"cls": "cls", "pooling_mode_cls_token": "cls"},
}
"""How the file names the ways of pooling that are known here."""
TOKENS = 512
"""Most tokens that are read where the encoder's files do not say it, which is the limit of most encoders."""
HUB_ID = re.compile(r"(?P<name>[\w.-]+/[\w.-]+)(?:@(?P<revision>[\w.-]+))?")
LAYOUT = (
    f"expected {NETWORKS[0]} or {NETWORKS[1]}, and {TOKENIZER}; {POOLING} is read where it exists. "
    "[train] encoder in stance.toml names the encoder"
)


class EncoderFiles(msgspec.Struct, frozen=True, kw_only=True):
    """The files of an encoder, and how its vectors are made.

    Attributes:
        name: its id at the Hub, or the name of its folder.
        revision: its commit at the Hub; "" for a folder.
        source: where it can be found again on this computer: the path of the folder, or the id with the revision.
        network: the ONNX file.
        tokenizer: the tokenizer's file.
        pooling: whether a text's vector is the mean of its tokens' vectors, or that of the first token.
        tokens: most tokens of a text that are read; what is beyond them is cut off.
        digest: SHA-256 of the two files and of pooling and tokens, so of everything that vectors depend on.
    """

    name: str
    revision: str
    source: str
    network: Path
    tokenizer: Path
    pooling: Pooling
    tokens: int
    digest: str


def find_encoder(source: str) -> EncoderFiles:
    """Find an encoder.

    Args:
        source: a folder, or an id at the Hub, `ORG/NAME` or `ORG/NAME@REVISION`. What exists as a folder is a folder.
            Files from the Hub are kept in its client library's cache.

    Raises:
        ExamplesError: there is no such encoder, the Hub cannot be reached, or the folder has another layout.
    """
    if Path(source).is_dir():
        folder = Path(source).resolve()
        return _files(folder, name=folder.name, revision="", source=str(folder))
    asked = HUB_ID.fullmatch(source)
    if not asked:
        raise ExamplesError(
            f"the encoder {source!r}: there is no such folder here, and an id at the Hub has the form ORG/NAME. In a "
            f"folder, {LAYOUT}"
        )
    folder = _download(asked["name"], asked["revision"])
    revision = folder.name  # the client library names the folder after the commit
    return _files(folder, name=asked["name"], revision=revision, source=f"{asked['name']}@{revision}")


def _download(name: str, revision: str | None) -> Path:
    from huggingface_hub import snapshot_download

    if revision:
        try:  # what is there already needs no network
            return Path(snapshot_download(name, revision=revision, allow_patterns=AT_HUB, local_files_only=True))
        except Exception:
            pass
    try:
        return Path(snapshot_download(name, revision=revision, allow_patterns=AT_HUB))
    except Exception as error:  # of the client library, of its HTTP library, or of the operating system
        said = str(error).strip().partition("\n")[0]
        raise ExamplesError(
            f"the encoder {name}{f'@{revision}' if revision else ''}: there is no such folder here, and the Hub did not"
            f" give it ({type(error).__name__}: {said}). Download it where there is a network, and name its folder in "
            "[train] encoder in stance.toml"
        ) from error


def _files(folder: Path, *, name: str, revision: str, source: str) -> EncoderFiles:
    network, tokenizer = _network(folder), folder / TOKENIZER
    if not tokenizer.is_file():
        raise ExamplesError(f"the encoder {folder} has no tokenizer: {tokenizer} is not there; {LAYOUT}")
    pooling, tokens = _pooling(folder), _tokens(folder)
    hashed = hashlib.sha256()
    # Networks of more than 2 GB keep their weights in a file beside them.
    for path in (network, *sorted(network.parent.glob(f"{network.name}_data*")), tokenizer):
        with path.open("rb") as file:
            hashed.update(hashlib.file_digest(file, "sha256").digest())
    hashed.update(f"{pooling} {tokens}".encode())
    return EncoderFiles(
        name=name,
        revision=revision,
        source=source,
        network=network,
        tokenizer=tokenizer,
        pooling=pooling,
        tokens=tokens,
        digest=hashed.hexdigest(),
    )


def _network(folder: Path) -> Path:
    for name in NETWORKS:
        if (folder / name).is_file():
            return folder / name
    others = sorted(path for place in (folder / "onnx", folder) for path in place.glob("*.onnx"))
    if len(others) == 1:
        return others[0]
    found = f"several: {', '.join(str(path.relative_to(folder)) for path in others)}" if others else "none"
    raise ExamplesError(f"the encoder {folder} has no ONNX file that can be chosen (found {found}); {LAYOUT}")


def _pooling(folder: Path) -> Pooling:
    """How the encoder's vectors are pooled; the mean where its files do not say it, as in most sentence encoders."""
    path = folder / POOLING
    if not path.is_file():
        return "mean"
    said = _json(path)
    ways = [key for key, value in said.items() if key.startswith("pooling_mode_") and value is True]
    found = str(said.get("pooling_mode") or " and ".join(ways))  # older files have a key for each way
    if found not in POOLINGS:
        raise ExamplesError(f"{path}: expected one of {', '.join(POOLINGS)}; found {found or 'none'}")
    return POOLINGS[found]


def _tokens(folder: Path) -> int:
    for name, key in LENGTHS:
        said = _json(folder / name).get(key) if (folder / name).is_file() else None
        if isinstance(said, int) and 2 < said <= 1 << 16:  # libraries write 1e30 where the limit is not known
            return said
    cut = _json(folder / TOKENIZER).get("truncation")
    said = cut.get("max_length") if isinstance(cut, dict) else None
    return said if isinstance(said, int) and said > 2 else TOKENS


def _json(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_bytes())
    except ValueError as error:
        raise ExamplesError(f"{path}: expected JSON: {error}; the encoder's files are damaged") from error
    if not isinstance(content, dict):
        raise ExamplesError(f"{path}: expected a JSON object; found {type(content).__name__}")
    return content
