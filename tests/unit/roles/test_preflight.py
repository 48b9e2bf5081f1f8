"""A wrong inventory stops site.yml with one message, before a host is touched and without a secret."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[3]
SECRET = "Very-Secret-4711"
VAULT = [f"vault_{name}={SECRET}-{name}" for name in ("scaleio_admin_password", "scaleio_gateway_admin_password")]
LIA = f"vault_scaleio_lia_token={SECRET}-lia"


def play(book: str, *arguments: str, inventory: str = "") -> subprocess.CompletedProcess[str]:
    command = [str(ROOT / ".venv/bin/ansible-playbook"), "-i", "inventories/example", f"playbooks/{book}.yml", "-vvv"]
    if inventory:
        command += ["-i", inventory]
    for argument in arguments:
        command += ["-e", argument]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60)


def test_the_example_passes() -> None:
    run = play("preflight", *VAULT, LIA)
    assert run.returncode == 0, run.stdout
    assert SECRET not in run.stdout + run.stderr


def test_the_example_buys_nothing_that_nobody_has_agreed_to() -> None:
    """Its budget is an example's, like its passwords, and those do not pass."""
    given = yaml.safe_load((ROOT / "inventories/example/group_vars/all/remediation.yml").read_text())
    assert given["remediation_approval"] == "approve"


@pytest.fixture
def wrong_hosts(tmp_path: Path) -> str:
    path = tmp_path / "more.yml"
    path.write_text("all: {hosts: {lonely: {}}, children: {zookeeper: {hosts: {extra: {}}}}}\n")
    return str(path)


def test_everything_that_is_wrong_is_said_at_once_and_no_host_is_touched(wrong_hosts: str) -> None:
    run = play("site", *VAULT, "scaleio_spare_percentage=120", inventory=wrong_hosts)
    assert run.returncode == 2
    output = " ".join(run.stdout.split())
    for words in (
        "Nothing was touched.",
        "Group zookeeper has 4 hosts",
        "Host lonely is in no group",
        "Variable scaleio_lia_token still is a placeholder",
        "scaleio_spare_percentage is 120",
    ):
        assert words in output
    assert "PLAY [ZooKeeper]" not in output
    assert "ESTABLISH SSH" not in output
    assert SECRET not in run.stdout + run.stderr
