"""Whatever changes the platform takes one lock, before it does anything else."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from ansible_collections.mesos_scaleio.platform.plugins.module_utils._controller.lock import acquire, owner_of
from lab import paths, playbook

PLAYBOOKS = paths.CHECKOUT / "playbooks"
# These only read, only check, or change no host of the platform.
WITHOUT = {"lock", "target", "in_turn", "preflight", "verify"}
WITHOUT |= {"awx_job_templates", "schedule_remediation", "remediation_iam_policy"}
WITHOUT |= {"demo_app"}  # runs an application, which changes nothing of the platform
OWN_WAY = {"remediate", "drill"}  # end well when they find the lock held


@pytest.fixture
def inventory(tmp_path: Path) -> Path:
    hosts = {
        "all": {
            "hosts": {"one": {"ansible_host": "192.0.2.1"}, "two": {"ansible_host": "192.0.2.2"}},
            "vars": {"platform_lock_file": str(tmp_path / "platform.lock"), "platform_lock_purpose": "a test"},
        }
    }
    (tmp_path / "hosts.yml").write_text(yaml.safe_dump(hosts))
    return tmp_path / "hosts.yml"


@pytest.fixture
def held(tmp_path: Path) -> Iterator[None]:
    holder = subprocess.Popen(["sleep", "120"])
    assert acquire(tmp_path / "platform.lock", owner_of(holder.pid), "an upgrade") is None
    yield
    holder.kill()
    holder.wait()


@pytest.mark.parametrize("name", sorted({file.stem for file in PLAYBOOKS.glob("*.yml")} - WITHOUT - OWN_WAY))
def test_the_first_thing_a_playbook_does_is_take_the_lock(name: str) -> None:
    first = yaml.safe_load((PLAYBOOKS / f"{name}.yml").read_text())[0]
    assert first.get("ansible.builtin.import_playbook") == "lock.yml"
    assert first["vars"]["platform_lock_purpose"]


def test_a_run_on_a_part_of_the_hosts_finds_it_held(inventory: Path, held: None) -> None:
    run = playbook.run(inventory, "playbooks/lock.yml", "--limit", "two")
    assert run.status == 2
    assert "an upgrade (process " in run.output
    assert "Nothing was read or changed. Run again when it is over." in " ".join(run.output.split())


def test_check_mode_does_not_need_it(inventory: Path, held: None) -> None:
    assert playbook.run(inventory, "playbooks/lock.yml", "--check").status == 0


def test_a_playbook_does_not_wait_for_the_one_that_imports_it(inventory: Path, tmp_path: Path) -> None:
    outer = tmp_path / "outer.yml"
    lock = {"ansible.builtin.import_playbook": str(PLAYBOOKS / "lock.yml")}
    outer.write_text(yaml.safe_dump([lock, lock], sort_keys=False))
    run = playbook.run(inventory, str(outer))
    assert run.status == 0, run.output
    assert run.changed == {}
