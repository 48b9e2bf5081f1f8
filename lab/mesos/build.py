"""Build real Mesos 1.11.0 daemons around the library in the Python package mesos.scheduler.

The result lies in LAB_HOME/mesos: bin/ (daemons and the helpers that an agent starts) and lib/ (the library and stubs
for the ones that Debian no longer has). A second build with the same inputs does nothing.
"""

from __future__ import annotations

import argparse
import contextlib
import fcntl
import hashlib
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from lab import paths
from lab.mesos import egg, stubs
from lab.mesos.toolchain import BuildError, require_libraries, run

HERE = Path(__file__).resolve().parent
PROGRAMS = ("mesos-master", "mesos-agent", "mesos-local", "mesos-containerizer")
HELPERS = {
    "mesos-executor": "executor.py",
    "mesos-default-executor": "default_executor.py",
    "mesos-fetcher": "fetcher.py",
    "executor_api.py": "executor_api.py",
}
EXPORTS = "{ global: PyExc_Exception; PyExc_TypeError; _Py_NoneStruct; local: *; };\n"


def root() -> Path:
    """The folder of the build."""
    return paths.home() / "mesos"


def build(force: bool = False) -> Path:
    """Bring the build up to date and return its folder; what is slow is reported on stderr."""
    target = root()
    target.mkdir(parents=True, exist_ok=True)
    with exclusive(target / ".lock"):
        stamp, wanted = target / "STAMP", digest()
        if not force and stamp.exists() and stamp.read_text() == wanted:
            return target
        if os.uname().machine != "x86_64":
            raise BuildError("the library of Mesos exists for x86_64 only")
        stamp.unlink(missing_ok=True)
        with phase("Mesos library"):
            library = egg.library(target / "lib")
        with phase("Mesos launchers"):
            stubs.make(library)
            require_libraries(library)
            for name in PROGRAMS:
                compile_program(name, library, target / "bin")
            install_helpers(target / "bin")
        stamp.write_text(wanted)
    return target


def digest() -> str:
    """One value for everything that goes into the build."""
    total = hashlib.sha256(egg.SHA256.encode())
    for path in sorted([*HERE.glob("native/*"), *HERE.glob("helpers/*.py"), *HERE.glob("*.py")]):
        if path.parent != HERE or path.stem in ("build", "egg", "stubs", "toolchain"):
            total.update(path.name.encode() + b"\0" + path.read_bytes())
    return total.hexdigest()


@contextlib.contextmanager
def exclusive(path: Path) -> Iterator[None]:
    """Let one build at a time work on a folder; others wait and then find it up to date."""
    with path.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


@contextlib.contextmanager
def phase(name: str) -> Iterator[None]:
    started = time.monotonic()
    yield
    print(f"{name}: {time.monotonic() - started:.1f} s", file=sys.stderr)


def compile_program(name: str, library: Path, bin_dir: Path) -> None:
    """Compile one launcher; it replaces the old one at once, so a running daemon keeps its own file."""
    bin_dir.mkdir(exist_ok=True)
    source = HERE / "native" / (name.replace("-", "_") + ".cpp")
    with tempfile.TemporaryDirectory(dir=bin_dir.parent) as scratch:
        exports, output = Path(scratch, "exports.map"), Path(scratch, name)
        # nothing else is exported: our instances of inline templates must not replace the library's
        exports.write_text(EXPORTS)
        run(
            ["g++", "-std=c++17", "-O1", "-Wall", str(source), "-o", str(output), "-pthread", "-rdynamic"]
            + [f"-L{library.parent}", f"-l:{library.name}"]
            + ["-Wl,-rpath,$ORIGIN/../lib", f"-Wl,-rpath-link,{library.parent}", "-Wl,--disable-new-dtags"]
            + ["-Wl,--allow-shlib-undefined", f"-Wl,--version-script={exports}"],
            f"compiling {source.name}",
        )
        output.replace(bin_dir / name)


def install_helpers(bin_dir: Path) -> None:
    for name, source in HELPERS.items():
        part = bin_dir / (name + ".part")
        part.write_bytes((HERE / "helpers" / source).read_bytes())
        part.chmod(0o755)
        part.replace(bin_dir / name)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m lab.mesos.build", description=__doc__)
    parser.add_argument("--force", action="store_true", help="build even when nothing changed")
    options = parser.parse_args()
    started = time.monotonic()
    try:
        target = build(options.force)
    except (BuildError, OSError, subprocess.SubprocessError) as error:
        print(f"mesos build: {error}", file=sys.stderr)
        return 1
    print(f"Mesos 1.11.0 in {target} ({time.monotonic() - started:.1f} s)")
    return 0


if __name__ == "__main__":
    sys.exit(main())
