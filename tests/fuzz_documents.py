"""Fuzzing of documents, spreadsheets and exports by mutation: python tests/fuzz_documents.py SECONDS [KIND ...].

Sound files of each kind are cut, changed and put together at random, and so are the parts inside packages (zip). The
result is read as `stance build` reads it: it gives articles whose characters are each covered once, or faults, in
bounded time and memory; a spreadsheet gives rows, or one known error. Without KIND every kind has its share of the
time; a kind is that of a document or a spreadsheet, or the name of a layout of a database's export. The program stops
with the input at the first claim that breaks.
"""

from __future__ import annotations

import random
import resource
import sys
import tempfile
import time
import warnings
import zipfile
from io import BytesIO
from pathlib import Path

import msgspec

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parent.parent))

from corpus.errors import SourceError
from corpus.reading.articles import in_file, read
from corpus.reading.tables.data_files import parts_of_file
from corpus.reading.tables.spreadsheets import SPREADSHEETS
from corpus.records import CorpusSettings, Unit
from tests.support.covered import check_covered
from tests.support.database_layouts import PAGES, STORIES, TEXTS
from tests.support.documents import PORT, RAIN, SAMPLES, zipped
from tests.support.spreadsheets import Cell, xls, xlsx

MEMORY = 2_000_000_000
"""Bytes of address space that the process may take."""
LONGEST = 20.0
"""Seconds of CPU time that one file may take."""
TABLE: list[list[Cell]] = [["id", "text", "published"], ["a", RAIN, (40617.5, "yyyy-mm-dd")], [7.0, PORT, 1.5]]
PACKAGES = ("docx", "odt", "epub", "zip", "xlsx")


def samples() -> dict[str, tuple[str, bytes]]:
    """For each name the kind of the file, and a sound one."""
    found = {kind: (kind, data) for kind, data in SAMPLES.items()}
    found |= {kind: (kind, make({"News": TABLE, "More": TABLE})) for kind, make in (("xlsx", xlsx), ("xls", xls))}
    found |= {name: ("txt", render(STORIES).encode()) for name, render in TEXTS.items()}
    return found | {f"{name}, page": ("html", render(STORIES).encode()) for name, render in PAGES.items()}


def changed(chance: random.Random, data: bytes, others: list[bytes]) -> bytes:
    """Bytes that were changed at a few places."""
    found = bytearray(data)
    for _ in range(chance.choice([1, 2, 5, 40])):
        place = chance.randrange(len(found) + 1)
        length = chance.choice([1, 3, 20, 200])
        match chance.randrange(7):
            case 0:
                found[place : place + 1] = bytes([chance.randrange(256)])
            case 1:
                del found[place : place + length]
            case 2:
                found[place:place] = found[max(0, place - length) : place] * chance.choice([1, 2, 30])
            case 3:
                found[place:place] = bytes(chance.randrange(256) for _ in range(length))
            case 4:
                other = chance.choice(others)
                start = chance.randrange(len(other) + 1)
                found[place:place] = other[start : start + length]
            case 5:
                end = chance.randrange(len(found) + 1)
                found[place : place + length], found[end : end + length] = (
                    found[end : end + length],
                    found[place : place + length],
                )
            case _:
                found = found[:place] if chance.random() < 0.1 else found
    return bytes(found[:200_000])


def mutated(chance: random.Random, name: str, data: bytes, others: list[bytes]) -> bytes:
    """A changed file; of a package its parts are changed as often as its bytes."""
    if name in PACKAGES and chance.random() < 0.7:
        with zipfile.ZipFile(BytesIO(data)) as package:
            parts = {part: package.read(part) for part in package.namelist()}
        part = chance.choice(sorted(parts))
        parts[part] = changed(chance, parts[part], others)
        return zipped(parts)
    return changed(chance, data, others)


def check_sheets(kind: str, data: bytes) -> None:
    """Read a spreadsheet as `stance build` reads it and check what it gives."""
    with tempfile.NamedTemporaryFile(suffix=f".{kind}") as file:
        file.write(data)
        file.flush()
        unit = Unit(path=file.name, kind=kind, article_id="a", source="a", size=len(data))
        try:
            for part in parts_of_file(unit, CorpusSettings()):
                for item in read(part, CorpusSettings()):
                    msgspec.json.encode(item)
        except SourceError:
            pass


def check(kind: str, data: bytes) -> None:
    """Read a file and check what it gives."""
    began = time.process_time()
    if kind in SPREADSHEETS:
        check_sheets(kind, data)
        assert time.process_time() - began < LONGEST, "too slow"
        return
    articles = in_file(kind, data)
    assert articles, "neither an article nor a fault"
    for article in articles:
        if not article.fault and article.text.strip() and "\0" not in article.text:
            article.text.encode()
            if len(article.text) < 50_000:
                check_covered(article)
    assert time.process_time() - began < LONGEST, "too slow"


def main() -> None:
    """Fuzz until the time is over, or until something breaks a claim."""
    seconds, *names = sys.argv[1:]
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    warnings.simplefilter("ignore")
    everything = samples()
    others = [data for _, data in everything.values()]
    chosen = names or sorted(everything)
    for name in chosen:
        kind, sound = everything[name]
        chance = random.Random(f"{name} {time.time_ns()}")
        until, count = time.monotonic() + float(seconds) / len(chosen), 0
        while time.monotonic() < until:
            data = mutated(chance, name, sound, others)
            try:
                check(kind, data)
            except BaseException:
                Path(f"broken.{kind}").write_bytes(data)
                print(f"{name}: see broken.{kind}", flush=True)
                raise
            count += 1
        print(f"{name}: {count} files", flush=True)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e6
    print(f"peak {peak:.0f} MB")


if __name__ == "__main__":
    main()
