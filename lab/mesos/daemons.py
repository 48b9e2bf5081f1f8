"""Start and end daemons so that nothing is left behind: Mesos', ZooKeeper, and the tasks that agents leave running."""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

PR_SET_PDEATHSIG = 1
LIBC = ctypes.CDLL(None)
STOP_SIGNALS = (signal.SIGTERM, signal.SIGINT)


def die_with_parent() -> None:
    """Ask the kernel to end this process when the one that started it is gone, even by SIGKILL."""
    LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, STOP_SIGNALS)


@contextlib.contextmanager
def stop_held_back() -> Iterator[None]:
    """Have a request to stop wait, so that no daemon is started that nobody knows of."""
    signal.pthread_sigmask(signal.SIG_BLOCK, STOP_SIGNALS)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, STOP_SIGNALS)


class Daemon:
    """One daemon process with a log of its own."""

    def __init__(self, name: str, command: Sequence[str], log: Path, environment: Mapping[str, str]) -> None:
        self.name, self.command, self.log, self.environment = name, list(command), log, environment
        self.process = self._start()

    def _start(self) -> subprocess.Popen[bytes]:
        with self.log.open("ab") as sink:
            return subprocess.Popen(
                self.command,
                stdin=subprocess.DEVNULL,
                stdout=sink,
                stderr=subprocess.STDOUT,
                env=dict(self.environment),
                start_new_session=True,
                preexec_fn=die_with_parent,  # noqa: PLW1509 - the cluster has no threads
            )

    def restart_after_exit(self, killed: bool = False) -> bool:
        """Start the daemon again if it ended by itself, as systemd would; what was killed only if that is asked for."""
        if self.process.poll() is None or (self.process.returncode < 0 and not killed):
            return False
        self.process = self._start()
        return True

    def stop(self, timeout_seconds: float = 5) -> None:
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(timeout_seconds)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()

    def last_words(self, lines: int = 5) -> str:
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:])


def mesos_environment() -> dict[str, str]:
    """The caller's environment without what Mesos would take for flags."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("MESOS_", "LIBPROCESS_"))}
    return {**kept, "LIBPROCESS_NUM_WORKER_THREADS": "8"}


def end_tasks(work_dir: Path) -> None:
    """Kill executors and tasks with a sandbox under work_dir: they outlive their agent."""
    mark = f"MESOS_DIRECTORY={work_dir}/".encode()
    for folder in Path("/proc").iterdir():
        if not folder.name.isdigit() or int(folder.name) == os.getpid():
            continue
        try:
            if any(entry.startswith(mark) for entry in (folder / "environ").read_bytes().split(b"\0")):
                os.kill(int(folder.name), signal.SIGKILL)
        except OSError:
            continue
