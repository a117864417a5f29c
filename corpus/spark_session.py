"""Start a Spark session whose executors have stance's code, or say in one message why that is impossible.

`local[N]` and a standalone cluster (`spark://…`) whose machines share the file system are tested; other addresses
are passed on to Spark. Memory and cores of executors are Spark's own settings (`spark-defaults.conf`).
"""

from __future__ import annotations

import os
import platform
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import zipfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from corpus.digests import ROOT, modules_behind
from corpus.errors import StanceError

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

JAVA = 17
"""The oldest Java that PySpark 4 runs on."""
ANSWER = 5.0
"""Seconds that a master has to accept a connection."""
EXECUTORS = 60.0
"""Seconds that a cluster has to give the first executor; starting one took 3 s on a busy machine."""
PARTITIONS = 2
"""Partitions of a shuffle for each core, unless the caller knows the size of the data and sets another number."""
ON_EXECUTORS = "corpus.spark_engine"
"""The module whose functions executors run in a build."""
PACKAGES = (
    "charset-normalizer",
    "fastwarc",
    "joblib",
    "msgspec",
    "numpy",
    "py3langid",
    "pyarrow",
    "rapidfuzz",
    "scikit-learn",
    "scipy",
    "skops",
    "trafilatura",
)
"""Packages that executors must have in the driver's versions: otherwise a row would depend on where it was made."""
_OWN_ERROR = re.compile(
    rf"^(?:pyspark\S*: )?{re.escape(StanceError.__module__)}\.(\w+): (.*?)(?=\n\s*\n|\n\s+at |\Z)",
    re.MULTILINE | re.DOTALL,
)


@contextmanager
def session(address: str, *modules: str) -> Iterator[SparkSession]:
    """A Spark session, stopped at the end of the block.

    Executors are sent the modules of stance that they run. The packages that these modules need must be installed
    there, as must the Python that runs this (`PYSPARK_PYTHON`, if set, says where it is on a cluster's machines).
    If a function raises a StanceError on an executor, the block raises the same error.

    Args:
        address: `local[N]`, or the address of a cluster, `spark://host:port`.
        modules: full names of modules whose functions executors run, besides those of the build.

    Yields:
        The session, once a first task has run.

    Raises:
        StanceError: PySpark or Java 17 is missing, nothing answers at the address, there is no executor within a
            minute, an executor's Python or packages differ from the driver's, or another session is open; or a job in
            the block failed.
    """
    _check_installed()
    local = address.partition("[")[0] == "local"
    if address.startswith("spark://"):
        _check_answers(address)
    from py4j.protocol import Py4JError  # type: ignore[import-untyped]
    from pyspark import SparkContext
    from pyspark.errors import PySparkException

    if SparkContext._active_spark_context is not None:
        raise StanceError("a Spark session is already open in this process; stop it first (`spark.stop()`)")
    with tempfile.TemporaryDirectory(prefix="stance-spark-") as folder, _environment(local):
        try:
            with _started(address, Path(folder), local, modules) as spark:
                _check_executors(spark, address, local)
                yield spark
        except (PySparkException, Py4JError) as error:
            _explain(error, address)


def _check_installed() -> None:
    try:
        import pyspark  # noqa: F401
    except ImportError as error:
        raise StanceError("--engine spark needs PySpark: pip install 'stance-corpus[spark]'") from error
    home = os.environ.get("JAVA_HOME")
    java = str(Path(home) / "bin" / "java") if home else shutil.which("java")
    wanted = f"--engine spark needs Java {JAVA} or newer (Debian: apt-get install openjdk-{JAVA}-jre-headless)"
    if java is None:
        raise StanceError(f"{wanted}; found none on PATH, and JAVA_HOME is not set")
    try:
        said = subprocess.run([java, "-version"], capture_output=True, text=True, timeout=60, check=False).stderr
    except OSError as error:
        raise StanceError(f"{wanted}; {java} cannot be run: {error.strerror}") from error
    match = re.search(r'version "(?:1\.)?(\d+)[^"]*"', said)
    if match is None or int(match[1]) < JAVA:
        raise StanceError(f"{wanted}; {java} is {match[0] if match else 'none'}")


def _check_answers(address: str) -> None:
    """Check that one of the masters accepts a connection: Spark itself would try for a minute."""
    reasons = []
    for place in address.removeprefix("spark://").split(","):
        host, _, port = place.rpartition(":")
        try:
            with socket.create_connection((host, int(port)), timeout=ANSWER):
                return
        except (OSError, ValueError, OverflowError) as error:
            reasons.append(f"{place}: {getattr(error, 'strerror', None) or error}")
    raise StanceError(
        f"{address}: no Spark master answers ({'; '.join(reasons)}); expected spark://HOST:PORT as the master's log "
        "gives it, or local[N] for this machine"
    )


@contextmanager
def _environment(local: bool) -> Iterator[None]:
    """Set what PySpark reads from the environment only, and restore the environment afterwards."""
    before = dict(os.environ)
    if local or not os.environ.get("PYSPARK_PYTHON"):
        os.environ["PYSPARK_PYTHON"] = sys.executable
    if local:
        os.environ["SPARK_LOCAL_IP"] = "127.0.0.1"
    try:
        yield
    finally:
        for name in ("PYSPARK_PYTHON", "SPARK_LOCAL_IP"):
            os.environ.pop(name, None)
            if name in before:
                os.environ[name] = before[name]


@contextmanager
def _started(address: str, folder: Path, local: bool, modules: Sequence[str]) -> Iterator[SparkSession]:
    from pyspark import SparkConf, SparkContext
    from pyspark.errors import PySparkRuntimeError
    from pyspark.java_gateway import launch_gateway
    from pyspark.sql import SparkSession

    settings = {
        "spark.master": address,
        "spark.app.name": "stance",
        "spark.ui.enabled": "false",
        "spark.ui.showConsoleProgress": "false",
        "spark.log.level": "ERROR",
        # Without it a `train.py` in the working folder would be imported in place of stance's package `train`.
        "spark.executorEnv.PYTHONSAFEPATH": "1",
        "spark.sql.warehouse.dir": str(folder / "warehouse"),
    }
    if local or address.removeprefix("spark://").startswith(("127.", "localhost:")):
        settings |= {"spark.driver.host": "127.0.0.1", "spark.driver.bindAddress": "127.0.0.1"}
    conf = SparkConf(loadDefaults=False)
    for name, value in settings.items():
        conf.set(name, value)
    with tempfile.TemporaryFile() as log:
        try:
            if SparkContext._gateway is None:
                # Java's own warnings go into the same file as Spark's log: neither is for the terminal.
                gateway = launch_gateway(conf, {"stdout": log, "stderr": log})  # type: ignore[no-untyped-call]
                SparkContext._ensure_initialized(gateway=gateway)
        except PySparkRuntimeError as error:
            log.seek(0)
            said = re.findall(r"^.*(?:Error|Exception).*$", log.read().decode("utf-8", "replace"), re.MULTILINE)
            raise StanceError(f"{address}: Spark did not start: {said[0] if said else error}") from error
    # As the JVM is running, this also reads spark-defaults.conf and PYSPARK_SUBMIT_ARGS.
    conf = SparkConf()
    for name, value in settings.items():
        conf.set(name, value)
    spark = SparkSession.builder.config(conf=conf).getOrCreate()
    try:
        spark.sparkContext.addPyFile(str(_package(folder, modules)))
        yield spark
    finally:
        with suppress(Exception):  # the cluster may be gone; the error that matters is already being raised
            spark.stop()


def _package(folder: Path, modules: Sequence[str]) -> Path:
    """A zip of the modules of stance that executors run; it goes before anything that is installed there."""
    path = folder / "stance-package.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for file in modules_behind(ON_EXECUTORS, *modules).values():
            archive.write(file, file.relative_to(ROOT).as_posix())
    return path


def _check_executors(spark: SparkSession, address: str, local: bool) -> None:
    """Check that an executor starts within a minute, and that the package works there."""
    context = spark.sparkContext
    if not local:
        until = time.monotonic() + EXECUTORS
        tracker: Any = context._jsc.sc().statusTracker()
        while len(tracker.getExecutorInfos()) < 2:  # the driver is one of them
            if time.monotonic() > until:
                raise StanceError(
                    f"{address}: no executor after {EXECUTORS:.0f} s: the cluster has no worker, or all its cores or "
                    "memory are taken (spark.executor.memory, spark.cores.max)"
                )
            time.sleep(0.1)
    tasks = context.defaultParallelism
    spark.conf.set("spark.sql.shuffle.partitions", PARTITIONS * tasks)
    wanted = _versions()

    def others(_: int) -> list[str]:
        # Sent by value and with the standard library only, as the package may not be importable there.
        import importlib.metadata
        import socket

        differing = []
        for name, here in wanted.items():
            try:
                there = importlib.metadata.version(name)
            except importlib.metadata.PackageNotFoundError:
                there = ""
            if there != here:
                differing.append(f"{name} {there or 'is missing'} (here {here})")
        return [f"{socket.gethostname()}: {', '.join(differing)}"] if differing else []

    if unlike := context.parallelize(range(tasks), tasks).flatMap(others).collect():
        raise StanceError(
            f"{address}: executors need the same packages as here, in the same versions: {sorted(unlike)[0]}; install "
            "them in the Python that PYSPARK_PYTHON names"
        )


def _versions() -> dict[str, str]:
    versions = {}
    for name in PACKAGES:
        with suppress(PackageNotFoundError):
            versions[name] = version(name)
    return versions


def _explain(error: Exception, address: str) -> NoReturn:
    """Raise a StanceError with the informative part of Spark's pages of text."""
    text = str(error)
    if own := _OWN_ERROR.search(text):
        kind = getattr(sys.modules[StanceError.__module__], own[1], StanceError)
        raise kind(own[2].strip()) from error
    here = platform.python_version()
    if other := re.search(r"PYTHON_VERSION_MISMATCH\].*?version[: ]+(\S+?)[,;. ]*\s", text):
        raise StanceError(
            f"{address}: executors run Python {other[1]}, this is {here}; set PYSPARK_PYTHON to a Python "
            f"{'.'.join(here.split('.')[:2])} that they have"
        ) from error
    if missing := re.search(r'Cannot run program "([^"]+)"', text):
        raise StanceError(
            f"{address}: executors have no {missing[1]}; set PYSPARK_PYTHON to a Python {here} that they have"
        ) from error
    if re.search("Could not parse Master URL|masters are unresponsive|stopped SparkContext", text):
        raise StanceError(
            f"{address}: no Spark cluster of the version {version('pyspark')} is there, or it went away; expected "
            "local[N] or spark://HOST:PORT"
        ) from error
    told = re.findall(r"^[ :]*(\S*(?:Error|Exception)\b.*:.*)$", text, re.MULTILINE) or text.strip().splitlines()
    raise StanceError(f"{address}: Spark failed: {told[-1][:500]}; run it again") from error
