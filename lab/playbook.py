"""Run a playbook of this checkout against a lab, with what it prints kept in a file and a line per play shown."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

from lab import paths

RECAP = re.compile(
    r"^(?P<host>\S+)\s+: ok=(?P<ok>\d+)\s+changed=(?P<changed>\d+)\s+unreachable=(?P<unreachable>\d+)\s+"
    r"failed=(?P<failed>\d+)\s+skipped=(?P<skipped>\d+)",
    re.M,
)


@dataclass(frozen=True)
class Run:
    """What a playbook run came to: exit status, seconds, all it printed, counts by host."""

    status: int
    seconds: float
    output: str
    recap: dict[str, dict[str, int]] = field(default_factory=dict)

    @property
    def changed(self) -> dict[str, int]:
        """Hosts on which something changed, with how much."""
        return {host: counts["changed"] for host, counts in self.recap.items() if counts["changed"]}


def run(
    inventory: Path | str | None,
    playbook: str,
    *arguments: str,
    log: Path | None = None,
    extra_vars: dict[str, object] | None = None,
    environment: dict[str, str] | None = None,
    show_plays: bool = False,
) -> Run:
    command = [str(paths.CHECKOUT / ".venv" / "bin" / "ansible-playbook"), playbook, *arguments]
    if inventory:
        command += ["-i", str(inventory)]
    if extra_vars:
        command += ["-e", json.dumps(extra_vars)]
    variables = {
        **os.environ,
        "ANSIBLE_CONFIG": str(paths.CHECKOUT / "ansible.cfg"),
        "ANSIBLE_NOCOLOR": "1",
        "ANSIBLE_FORCE_COLOR": "0",
        "PATH": f"{paths.CHECKOUT / '.venv' / 'bin'}:{os.environ['PATH']}",
        **(environment or {}),
    }
    start = time.monotonic()
    lines = []
    with subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        cwd=paths.CHECKOUT, env=variables,
    ) as process:  # fmt: skip
        for line in process.stdout or ():
            lines.append(line)
            if show_plays and line.startswith("PLAY ["):
                name = line[6 : line.index("]")]
                print(f"    {time.monotonic() - start:5.0f} s  {name}", file=sys.stderr, flush=True)
    output = "".join(lines)
    if log:
        log.parent.mkdir(parents=True, exist_ok=True)
        log.write_text(output)
    recap = {
        found["host"]: {key: int(value) for key, value in found.groupdict().items() if key != "host"}
        for found in RECAP.finditer(output)
    }
    return Run(process.returncode, round(time.monotonic() - start, 1), output, recap)
