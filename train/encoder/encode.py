"""Run an encoder on texts, on the CPU, with the library onnxruntime."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from corpus.errors import ExamplesError
from train.encoder.find_encoder import EncoderFiles

Floats = NDArray[np.float32]
CHUNK = 256
"""Number of texts after which progress is told."""
TYPES = {"tensor(int64)": np.int64, "tensor(int32)": np.int32}


class _Opened(msgspec.Struct, frozen=True):
    """A loaded network with its tokenizer; `inputs` are its inputs' names and types, `output` the output to read."""

    session: Any
    tokenizer: Any
    inputs: dict[str, Any]
    output: str


def encode(
    files: EncoderFiles,
    texts: Sequence[str],
    threads: int = 1,
    progress: Callable[[int, int], None] = lambda *_: None,
) -> Floats:
    """The vectors of some texts, each of length 1.

    Every text is run on its own, in one thread, without padding: so its vector depends on nothing else, neither on the
    other texts (which quantised networks would scale together) nor on the number of threads.

    Args:
        files: the encoder.
        texts: texts to encode; of each, the first tokens are read, as many as the encoder takes.
        threads: number of texts that are run at the same time.
        progress: function that is called with the number of texts that were just encoded, and of all.

    Returns:
        The vectors, shape (texts, width).

    Raises:
        ExamplesError: a library is missing, or the network or the tokenizer cannot be used.
    """
    opened = _open(files.network, files.tokenizer, files.tokens)
    rows: list[Floats] = []
    with ThreadPoolExecutor(threads) as pool:
        for start in range(0, len(texts), CHUNK):
            asked = opened.tokenizer.encode_batch(list(texts[start : start + CHUNK]))
            rows += pool.map(lambda one: _vector(opened, files, one.ids), asked)
            progress(len(asked), len(texts))
    return np.stack(rows) if rows else np.zeros((0, 0), np.float32)


def _vector(opened: _Opened, files: EncoderFiles, ids: Sequence[int]) -> Floats:
    tokens = list(ids) or [0]  # of an empty text, a tokenizer without marks for beginning and end makes nothing
    given = {"input_ids": [tokens], "attention_mask": [[1] * len(tokens)], "token_type_ids": [[0] * len(tokens)]}
    try:
        (found,) = opened.session.run(
            [opened.output], {name: np.array(given[name], kind) for name, kind in opened.inputs.items()}
        )
    except Exception as error:  # the library's own errors have no common class
        raise ExamplesError(f"{files.network} cannot encode a text of {len(ids)} tokens: {error}") from error
    vector = found[0].astype(np.float32)
    if vector.ndim == 2:
        vector = vector[0] if files.pooling == "cls" else vector.mean(axis=0)
    length = float(np.linalg.norm(vector))
    if vector.ndim != 1 or not np.isfinite(length):
        raise ExamplesError(f"{files.network}: expected numbers for each token; found the shape {found.shape}")
    unit: Floats = vector / max(length, 1e-12)
    return unit


@lru_cache(1)
def _open(network: Path, tokenizer: Path, tokens: int) -> _Opened:
    try:
        import onnxruntime
        from tokenizers import Tokenizer
    except ImportError as error:
        raise ExamplesError(
            "sentence vectors need the libraries onnxruntime and tokenizers: install them with "
            "`pip install 'stance-corpus[embeddings]'`"
        ) from error
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 3
    try:
        session = onnxruntime.InferenceSession(str(network), options, providers=["CPUExecutionProvider"])
    except Exception as error:  # the library's own errors have no common class
        raise ExamplesError(f"{network} cannot be opened as an ONNX file: {error}") from error
    try:
        reader = Tokenizer.from_file(str(tokenizer))
    except Exception as error:  # the library raises nothing more specific
        raise ExamplesError(f"{tokenizer} cannot be opened as a tokenizer: {error}") from error
    reader.no_padding()
    reader.enable_truncation(tokens)
    inputs = {one.name: TYPES.get(one.type) for one in session.get_inputs()}
    known = ("input_ids", "attention_mask", "token_type_ids")
    if wrong := [name for name, kind in inputs.items() if name not in known or kind is None]:
        raise ExamplesError(
            f"{network}: expected the inputs {', '.join(known)}, or some of them, as integers; found "
            f"{', '.join(wrong)}: this is no encoder of texts in the usual layout"
        )
    return _Opened(session=session, tokenizer=reader, inputs=inputs, output=session.get_outputs()[0].name)
