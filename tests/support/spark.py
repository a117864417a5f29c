"""Run a Spark cluster on this computer."""

from __future__ import annotations

import importlib.util
import os
import shutil
import signal
import socket
import subprocess
import time
from contextlib import suppress
from pathlib import Path

import pytest

from tests.support.processes import children, command

# A JVM that runs for only a minute takes half of the CPU time with the faster one of its compilers.
QUICK = "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC"
QUICK_JVM = f"--driver-java-options '{QUICK}' --conf 'spark.executor.extraJavaOptions={QUICK}' pyspark-shell"
needs_spark = pytest.mark.skipif(
    importlib.util.find_spec("pyspark") is None or not (os.environ.get("JAVA_HOME") or shutil.which("java")),
    reason="Java 17 or PySpark is not installed (pip install stance-corpus[spark])",
)


class Standalone:
    """A standalone Spark cluster on this computer: a master, and workers with one core each."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = free_port()
        self.address = f"spark://127.0.0.1:{self.port}"
        self._started: list[subprocess.Popen[bytes]] = []
        self.workers: list[subprocess.Popen[bytes]] = []
        self._start("master.Master", "--port", str(self.port))
        until = time.monotonic() + 60
        # The master ignores an application that registers earlier, which then tries again only after 20 s.
        while b"New state: ALIVE" not in (folder / "0.log").read_bytes():
            assert time.monotonic() < until, "the master does not start"
            time.sleep(0.1)

    def worker(self) -> None:
        arguments = ("--cores", "1", "--memory", "1g", "--work-dir", str(self.folder / "work"), self.address)
        self.workers.append(self._start("worker.Worker", *arguments))

    def executors(self) -> list[int]:
        """The process ids of the workers' executors."""
        return [pid for worker in self.workers for pid in children(worker.pid) if b"ExecutorBackend" in command(pid)]

    def kill_worker(self) -> None:
        """Kill a worker with all that it started, as when a computer of the cluster fails."""
        worker = self.workers.pop()
        os.killpg(worker.pid, signal.SIGKILL)
        worker.wait()

    def stop(self) -> None:
        for process in reversed(self._started):
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()

    def _start(self, name: str, *arguments: str) -> subprocess.Popen[bytes]:
        import pyspark

        home = Path(pyspark.__file__).parent
        environment = os.environ | {
            "SPARK_LOCAL_IP": "127.0.0.1",
            "SPARK_DAEMON_MEMORY": "256m",
            "SPARK_DAEMON_JAVA_OPTS": QUICK,
        }
        with (self.folder / f"{len(self._started)}.log").open("wb") as log:
            run = [str(home / "bin" / "spark-class"), f"org.apache.spark.deploy.{name}", "--host", "127.0.0.1"]
            process = subprocess.Popen(
                [*run, "--webui-port", "0", *arguments],
                env=environment,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self._started.append(process)
        return process


def free_port() -> int:
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        port: int = server.getsockname()[1]
        return port
