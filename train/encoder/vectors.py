"""The vectors that a model reads: what the encoder is given, where it is found again, and what is kept."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec
import numpy as np
from joblib import effective_n_jobs
from numpy.typing import NDArray

from corpus.errors import ExamplesError
from corpus.store import read_json
from train.encoder.encode import CHUNK, encode
from train.encoder.find_encoder import EncoderFiles, find_encoder
from train.encoder.vector_cache import cache_file, keep, key_of, look_up
from train.model.joint import parted
from train.model.mask import without_sides
from train.records import Encoder

PLACE = "encoder.json"
"""The file of a model folder that says where the encoder is on this computer; it is never published."""
TOGETHER = 16 * CHUNK
"""Number of texts whose vectors are kept in one transaction; so much work is lost when a process is killed."""


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """`encoder.json`: the folder of the encoder, or its id and revision at the Hub."""

    source: str


class Vectors(msgspec.Struct, frozen=True, kw_only=True):
    """An encoder that is ready for texts; worker processes receive it as it is.

    Attributes:
        files: the encoder's files.
        width: number of numbers in a vector.
        jobs: number of threads, -1 for one per core; the vectors do not depend on it.
        kept: whether vectors are kept in the user's cache.
    """

    files: EncoderFiles
    width: int
    jobs: int = -1
    kept: bool = True

    @property
    def encoder(self) -> Encoder:
        """What a model says of its encoder."""
        files = self.files
        return Encoder(
            name=files.name,
            revision=files.revision,
            digest=files.digest,
            pooling=files.pooling,
            tokens=files.tokens,
            width=self.width,
        )

    def unkept(self) -> Vectors:
        """The same, but without the user's cache: for so many texts that their vectors would fill it."""
        return msgspec.structs.replace(self, kept=False)

    def of(self, texts: Sequence[str], progress: Callable[[int, int], None] = lambda *_: None) -> NDArray[np.float32]:
        """The vectors of texts as the n-grams read them, shape (texts, width); see `given`.

        Raises:
            ExamplesError: the encoder cannot be used, or the cache cannot be read or written.
        """
        keys = [key_of(given(text)) for text in texts]
        asked = dict(zip(keys, texts, strict=True))
        path = cache_file(self.files.digest)
        known = look_up(path, list(asked), self.width) if self.kept else {}
        missing = [key for key in asked if key not in known]
        for start in range(0, len(missing), TOGETHER):
            some = missing[start : start + TOGETHER]
            told = [given(asked[key]) for key in some]
            new = encode(self.files, told, effective_n_jobs(self.jobs), lambda n, _: progress(n, len(missing)))
            if self.kept:
                keep(path, some, new)
            known.update(zip(some, new, strict=True))
        return np.stack([known[key] for key in keys]) if keys else np.zeros((0, self.width), np.float32)


def given(text: str) -> str:
    """What the encoder is given of a text as the n-grams read it.

    That is the text; in a joint model the words of the target, a colon, and the text. Where mentions are masked the
    mask is in their place, but what else the n-grams get, words with their sides and pairs of words, is left out: it is
    no language.

    >>> from train.model.joint import joined
    >>> from train.model.mask import masked
    >>> given(joined("No more guns!", "gun laws"))
    'gun laws: No more guns!'
    >>> given(masked("They refuse [T]Macron[/T] any help"))
    'They refuse targetmention any help'
    """
    plain, target = parted(text)
    plain = without_sides(plain)
    return f"{target}: {plain}" if target else plain


def open_vectors(source: str, jobs: int = -1) -> Vectors:
    """Open an encoder by its folder or its id at the Hub, and try it.

    Raises:
        ExamplesError: there is no such encoder, it cannot be used, or the extra is not installed.
    """
    files = find_encoder(source)
    return Vectors(files=files, width=encode(files, [""]).shape[1], jobs=jobs)


def vectors_of_model(folder: Path, encoder: Encoder) -> Vectors:
    """Open the encoder that a model was trained with.

    Args:
        folder: folder of the model.
        encoder: what the model says of its encoder.

    Raises:
        ExamplesError: the encoder is not there, it is another one, or the extra is not installed.
    """
    path = folder / PLACE
    needed = f"the model {folder} needs the encoder {encoder.name} (digest {encoder.digest[:16]})"
    mend = f'write {{"source": "FOLDER"}} with the folder of this encoder to {path}, or run `stance train` again'
    if path.is_file():
        source = read_json(path, Place, ExamplesError, mend).source
    elif encoder.revision:
        source = f"{encoder.name}@{encoder.revision}"
    else:
        raise ExamplesError(f"{needed}, and nothing says where it is on this computer: {mend}")
    try:
        found = open_vectors(source)
    except ExamplesError as error:
        raise ExamplesError(f"{needed}: {error}. If it is elsewhere, {mend}") from error
    if found.files.digest != encoder.digest:
        raise ExamplesError(
            f"{needed}; found another encoder at {source}, with the digest {found.files.digest[:16]}: put the right "
            f"one there, {mend}"
        )
    return found
