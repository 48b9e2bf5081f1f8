"""Looks for known secrets where nobody may see them: in processes and temporary files at all times, in all files after.

Lab hosts are containers of this machine, so its /proc shows their processes, and /proc/PID/root their files.
"""

from __future__ import annotations

import os
import subprocess
import tempfile
import threading
from collections.abc import Iterable, Mapping
from pathlib import Path

TEMPORARY = ("tmp", "var/tmp", "dev/shm", "root/.ansible", "home/ops/.ansible")
SMALL = 4 << 20


class Watch:
    """Between `with` and its end: who had a secret (by name) on a command line, and which readable file held one."""

    def __init__(self, secrets: Mapping[str, str], roots: Mapping[str, Path], folders: Iterable[Path]) -> None:
        self._secrets = {name: value.encode() for name, value in secrets.items()}
        self._folders = {str(folder): folder for folder in folders}
        self._folders |= {f"{host}:/{part}": root / part for host, root in roots.items() for part in TEMPORARY}
        self._end = threading.Event()
        self._threads: list[threading.Thread] = []
        self.rounds = 0
        self.processes: set[tuple[str, str]] = set()  # (secret's name, command line without its value)
        self.files: set[tuple[str, str]] = set()  # (secret's name, file)

    def __enter__(self) -> Watch:
        self._end.clear()
        self._threads = [threading.Thread(target=loop, daemon=True) for loop in (self._processes, self._files)]
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_exc: object) -> None:
        self._end.set()
        for thread in self._threads:
            thread.join(30)

    def _processes(self) -> None:
        while not self._end.wait(0.02):
            for pid in filter(str.isdigit, os.listdir("/proc")):
                try:
                    line = Path("/proc", pid, "cmdline").read_bytes()
                except OSError:
                    continue
                for name in self._found(line):
                    self.processes.add((name, self._masked(line)))
            self.rounds += 1

    def _masked(self, line: bytes) -> str:
        for name, value in self._secrets.items():
            line = line.replace(value, f"<{name}>".encode())
        return line.replace(b"\0", b" ").decode(errors="replace").strip()

    def _found(self, data: bytes) -> list[str]:
        return [name for name, value in self._secrets.items() if value in data]

    def _files(self) -> None:
        while not self._end.wait(0.5):
            for label, folder in self._folders.items():
                for path in readable(folder):
                    try:
                        found = self._found(path.read_bytes())
                    except OSError:
                        continue
                    self.files |= {(name, f"{label}/{path.relative_to(folder)}") for name in found}


def readable(folder: Path) -> list[Path]:
    """Small files below that others than their owner can reach and read."""
    found: list[Path] = []
    for top, folders, files in os.walk(folder):
        folders[:] = [name for name in folders if _mode(Path(top, name)) & 0o055]
        found += [path for name in files if _mode(path := Path(top, name)) & 0o044 and path.lstat().st_size < SMALL]
    return found


def _mode(path: Path) -> int:
    try:
        return 0 if path.is_symlink() else path.stat().st_mode
    except OSError:
        return 0


def files_with(secrets: Mapping[str, str], root: Path) -> dict[str, tuple[int, set[str]]]:
    """Every file below that holds a secret, whoever may read it: path -> (mode, names of the secrets)."""
    with tempfile.NamedTemporaryFile("w") as patterns:  # mode 0600, and not on grep's command line
        patterns.write("\n".join(secrets.values()) + "\n")
        patterns.flush()
        skipped = [f"--exclude-dir={name}" for name in ("proc", "sys", "dev")]
        command = ["grep", "-rlaF", *skipped, "-f", patterns.name, f"{root}/."]
        done = subprocess.run(command, capture_output=True, text=True)
    found = {}
    for line in done.stdout.splitlines():
        path, data = Path(line), Path(line).read_bytes()
        names = {name for name, value in secrets.items() if value.encode() in data}
        found["/" + str(path.relative_to(root))] = (path.stat().st_mode & 0o777, names)
    return found
