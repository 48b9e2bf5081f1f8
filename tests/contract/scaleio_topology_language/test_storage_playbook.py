"""playbooks/storage.yml with a rule for blank disks: hosts are looked at, a plan is kept, applied, and pruned after.

The servers are this machine three times, their disks plain files with a sysfs tree beside them.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.contract.scaleio_modules.world import World, in_one_version

ROOT = Path(__file__).resolve().parents[3]
SERVERS = ("agent1", "agent2", "agent3", "agent4")
Play = Callable[..., str]


def make_disk(folder: Path, name: str, size_gib: int) -> None:
    """A blank disk as a kernel shows it."""
    block = folder / "sys/block" / name
    for part in ("device", "holders", "queue"):
        (block / part).mkdir(parents=True)
    (block / "size").write_text(f"{size_gib << 21}\n")
    (block / "queue/rotational").write_text("1\n")
    node = folder / "dev" / name
    node.parent.mkdir(exist_ok=True)
    with open(node, "wb") as sparse:
        sparse.truncate(size_gib << 30)


@pytest.fixture
def folder() -> Iterator[Path]:
    """ScaleIO takes only devices below /dev."""
    with tempfile.TemporaryDirectory(dir="/dev/shm") as name:
        yield Path(name)


@pytest.fixture
def play(world: World, folder: Path, tmp_path: Path) -> Play:
    facts = world.emulator.facts
    hosts = {}
    for number, name in enumerate(SERVERS, 1):
        make_disk(folder / name, "sdb", 180)
        make_disk(folder / name, "sdc", 50)
        hosts[name] = {
            "ansible_host": f"198.51.100.{number}",
            "scaleio_storage_dev_root": f"{folder}/{name}/dev",
            "scaleio_storage_sysfs_root": f"{folder}/{name}/sys",
        }
    connection = {
        "gateway_host": [facts["host"]],
        "gateway_port": facts["port"],
        "gateway_password": facts["password"],
        "use_tls": False,
    }
    values = {
        "scaleio_connection": connection,
        "scaleio_sds_devices": [{"blank_disks": {"at_least_gib": 150}}],
        "ansible_connection": "local",
        "ansible_python_interpreter": sys.executable,
        "ansible_become": False,
        "scaleio_lia_token": "Not-used-1",
        "scaleio_admin_password": "Not-used-1",
    }
    inventory = tmp_path / "hosts.json"

    def run(*arguments: str, servers: tuple[str, ...] = SERVERS[:3], **more: Any) -> str:
        group = {"hosts": {name: hosts[name] for name in servers}}
        inventory.write_text(yaml.safe_dump({"all": {"children": {"scaleio_sds": group}, "vars": {**values, **more}}}))
        program = Path(sys.executable).with_name("ansible-playbook")
        environment = {**os.environ, "ANSIBLE_CONFIG": str(ROOT / "ansible.cfg"), "ANSIBLE_LOCAL_TEMP": str(tmp_path)}
        done = subprocess.run(
            [program, "-i", inventory, "--tags", "scaleio_storage", *arguments, ROOT / "playbooks/storage.yml"],
            capture_output=True, text=True, cwd=ROOT, env=environment, timeout=240,
        )  # fmt: skip
        output = done.stdout + done.stderr
        assert done.returncode == 0, output
        return output

    return run


def changed(output: str) -> int:
    return int(re.findall(r"localhost .*changed=(\d+)", output)[-1])


@pytest.mark.slow
@in_one_version
def test_blank_disks_of_the_hosts_become_devices_and_prune_takes_a_server_out(world: World, play: Play) -> None:
    output = play()
    assert changed(output) == 1
    assert "50 GiB are less than 150" in output
    paths = [device["deviceCurrentPathName"] for device in world.system.objects("Device").values()]
    assert [Path(path).name for path in paths] == ["sdb"] * 3
    assert changed(play()) == 0

    assert changed(play(servers=SERVERS)) == 1
    assert changed(play(servers=SERVERS[:3])) == 0
    assert len(world.system.objects("Sds")) == 4
    # Without EC2 nobody has to be asked what was bought.
    assert changed(play("-e", "scaleio_storage_prune=true", servers=SERVERS[:3])) == 1
    assert {sds["name"] for sds in world.system.objects("Sds").values()} == set(SERVERS[:3])


@pytest.mark.slow
@in_one_version
def test_a_plan_is_kept_first_and_applied_as_it_was_approved(world: World, play: Play, tmp_path: Path) -> None:
    file = tmp_path / "plan.json"
    assert changed(play("-e", f"scaleio_storage_plan_file={file}")) == 1
    assert not world.system.objects("Sds")
    kept = json.loads(file.read_text())
    assert [step["action"] for step in kept["steps"]].count("create_device") == 3
    apply = ("-e", f"scaleio_storage_plan_file={file}", "-e", "scaleio_storage_apply_plan=true")
    assert changed(play(*apply)) == 1
    assert len(world.system.objects("Device")) == 3
    assert changed(play(*apply)) == 0
