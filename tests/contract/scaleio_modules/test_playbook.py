"""A playbook that builds, changes and removes a system one object at a time, as an operator would run it."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.contract.scaleio_modules.world import World, in_one_version

ROOT = Path(__file__).resolve().parents[3]
PREFIX = "mesos_scaleio.platform.scaleio_"
SERVERS = ["agent1", "agent2", "agent3"]


def task(module: str, loop: list[str] | None = None, **options: Any) -> dict[str, Any]:
    return {"name": f"Manage a {module}", PREFIX + module: options, **({"loop": loop} if loop else {})}


BUILD = [
    task("protection_domain", name="default", rebuild_limit_kbps=102400),
    task("fault_set", SERVERS, name="rack-{{ item }}", protection_domain="default"),
    task("storage_pool", name="bulk", protection_domain="default", media_type="HDD", rfcache=False),
    task(
        "sds",
        SERVERS,
        name="{{ item }}",
        protection_domain="default",
        fault_set="rack-{{ item }}",
        ips=[{"ip": "198.51.100.1{{ item[-1] }}"}],
    ),
    task("device", SERVERS, sds="{{ item }}", path="/dev/sdb", name="{{ item }}-b", storage_pool="bulk"),
    task("sdc", ip="198.51.100.1", new_name="client1"),
    task("volume", name="data", storage_pool="bulk", size_gib=16, map_to=[{"sdc": "{{ client }}"}]),
    task("snapshot", name="monday", volume="data"),
]
REMOVE = [
    task("snapshot", name="monday", state="absent"),
    task("volume", name="data", state="absent", unmap_first=True),
    task("device", SERVERS, sds="{{ item }}", name="{{ item }}-b", state="absent"),
    task("sds", SERVERS, name="{{ item }}", state="absent"),
    task("storage_pool", name="bulk", state="absent"),
    task("fault_set", SERVERS, name="rack-{{ item }}", state="absent"),
    task("protection_domain", name="default", state="absent"),
]


def play(world: World, folder: Path, tasks: list[dict[str, Any]], *arguments: str) -> str:
    facts = world.emulator.facts
    connection = {
        "gateway_host": facts["host"],
        "gateway_port": facts["port"],
        "gateway_password": facts["password"],
        "use_tls": False,
    }
    defaults = {"group/mesos_scaleio.platform.scaleio": "{{ scaleio_connection }}"}
    content = [{"hosts": "localhost", "gather_facts": False, "module_defaults": defaults, "tasks": tasks}]
    playbook, variables = folder / "play.yml", folder / "variables.json"
    playbook.write_text(yaml.safe_dump(content, sort_keys=False))
    values = {"scaleio_connection": connection, "ansible_python_interpreter": sys.executable, "client": "198.51.100.1"}
    variables.write_text(json.dumps(values))
    program = Path(sys.executable).with_name("ansible-playbook")
    environment = {**os.environ, "ANSIBLE_CONFIG": str(ROOT / "ansible.cfg"), "ANSIBLE_LOCAL_TEMP": str(folder / "t")}
    done = subprocess.run(
        [program, "-i", "localhost,", "-c", "local", "-e", f"@{variables}", *arguments, playbook],
        capture_output=True, text=True, cwd=ROOT, env=environment, timeout=240,
    )  # fmt: skip
    output = done.stdout + done.stderr
    assert done.returncode == 0, output
    assert str(facts["password"]) not in output
    return output


def changed(output: str) -> int:
    return int(re.findall(r"changed=(\d+)", output)[-1])


@pytest.mark.slow
@in_one_version
def test_a_system_is_built_once_and_taken_apart(world: World, tmp_path: Path) -> None:
    world.client(None, 1)
    built = play(world, tmp_path, BUILD, "--diff")
    assert changed(built) == len(BUILD)
    assert "+    rebuild_limit_kbps: 102400" in built
    counts = {kind: len(world.system.objects(kind)) for kind in ("FaultSet", "Sds", "Device", "Volume")}
    assert counts == {"FaultSet": 3, "Sds": 3, "Device": 3, "Volume": 2}

    world.emulator.gateway.journal.reset()
    assert changed(play(world, tmp_path, BUILD)) == 0
    assert world.writes() == []
    predicted = play(world, tmp_path, [task("volume", name="data", size_gib=32)], "--check", "--diff")
    assert "-    size_gib: 16" in predicted
    assert "+    size_gib: 32" in predicted
    assert world.writes() == []

    assert changed(play(world, tmp_path, REMOVE)) == len(REMOVE)
    assert not any(world.system.objects(kind) for kind in ("ProtectionDomain", "StoragePool", "Sds", "Device"))
