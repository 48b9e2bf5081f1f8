"""Stub libraries for what libmesos was linked with and Debian no longer has.

Their functions do nothing and return 0. What Mesos does with them is off in the lab: TLS, and downloads by libcurl.
"""

from __future__ import annotations

import re
import tempfile
from pathlib import Path

from lab.mesos.toolchain import BuildError, run

STUBBED = ("libssl.so.1.0.0", "libcrypto.so.1.0.0", "libcurl.so.4")
# libprocess and libevent look at these while they start
RETURNED = {"RAND_poll": 1, "RAND_status": 1, "SSL_library_init": 1, "CRYPTO_num_locks": 41}

Symbols = dict[str, dict[str, list[str]]]


def make(library: Path) -> None:
    """Write a stub for every library in STUBBED beside the library that needs them."""
    versions = parse_version_needs(run(["readelf", "-VW", str(library)], "reading the library's version needs"))
    symbols = run(["readelf", "--dyn-syms", "-W", str(library)], "reading the library's symbols")
    for soname, wanted in parse_undefined(symbols, versions).items():
        compile_stub(library.parent, soname, wanted)


def parse_version_needs(listing: str) -> dict[int, tuple[str, str]]:
    """Map the number of each needed symbol version to (library, version)."""
    needs: dict[int, tuple[str, str]] = {}
    soname = ""
    for line in listing.splitlines():
        if found := re.search(r"Version: 1\s+File: (\S+)", line):
            soname = found[1]
        elif soname and (found := re.search(r"Name: (\S+)\s+Flags: \S+\s+Version: (\d+)", line)):
            needs[int(found[2])] = (soname, found[1])
    return needs


def parse_undefined(listing: str, versions: dict[int, tuple[str, str]]) -> Symbols:
    """Sort the undefined symbols of the stubbed libraries by library and version."""
    result: Symbols = {soname: {} for soname in STUBBED}
    for line in listing.splitlines():
        fields = line.split()
        if len(fields) < 9 or fields[6] != "UND" or "@" not in fields[7]:
            continue
        soname, version = versions.get(int(fields[8].strip("()")), ("", ""))
        if soname not in result:
            continue
        if fields[3] not in ("FUNC", "NOTYPE"):
            raise BuildError(f"no stub is possible for {fields[7]}: it is not a function")
        result[soname].setdefault(version, []).append(fields[7].split("@")[0])
    return result


def compile_stub(lib_dir: Path, soname: str, versions: dict[str, list[str]]) -> None:
    names = sorted({name for group in versions.values() for name in group})
    with tempfile.TemporaryDirectory(dir=lib_dir.parent) as scratch:
        source, script, output = Path(scratch, "stub.c"), Path(scratch, "stub.map"), Path(scratch, soname)
        source.write_text("".join(f"long {name}(void) {{ return {RETURNED.get(name, 0)}; }}\n" for name in names))
        script.write_text(
            "".join(f"{version} {{ global: {'; '.join(group)}; local: *; }};\n" for version, group in versions.items())
        )
        run(
            ["gcc", "-shared", "-fPIC", "-O1", "-fno-builtin", "-w", f"-Wl,-soname,{soname}"]
            + [f"-Wl,--version-script={script}", str(source), "-o", str(output)],
            f"compiling the stub of {soname}",
        )
        output.replace(lib_dir / soname)
