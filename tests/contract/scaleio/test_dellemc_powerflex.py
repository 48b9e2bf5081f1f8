"""The vendor's Ansible modules work against the emulator, and find nothing to change the second time."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from lab.scaleio import content
from lab.scaleio.emulator import Emulator

GUID = "5B6E7C1A-0000-4000-8000-00000000000A"
TASKS: list[dict[str, Any]] = [
    {"protection_domain": {
        "protection_domain_name": "default", "state": "present",
        "network_limits": {"rebuild_limit": 10, "overall_limit": 20, "bandwidth_unit": "MBps"},
    }},
    {"storagepool": {
        "protection_domain_name": "default", "storage_pool_name": "default", "media_type": "HDD", "state": "present",
        "cap_alert_thresholds": {"high_threshold": 70, "critical_threshold": 85},
        "parallel_rebuild_rebalance_limit": 3,
    }},
    {"sds": {
        "protection_domain_name": "default", "sds_name": "new", "sds_ip_list": [{"ip": "10.9.0.1", "role": "all"}],
        "sds_ip_state": "present-in-sds", "state": "present",
    }},
    {"device": {
        "protection_domain_name": "default", "storage_pool_name": "default", "sds_name": "new", "state": "present",
        "current_pathname": "/dev/sdb", "device_name": "d1", "media_type": "HDD",
    }},
    {"volume": {
        "vol_name": "v1", "storage_pool_name": "default", "protection_domain_name": "default", "size": 16,
        "vol_type": "THIN_PROVISIONED", "sdc": [{"sdc_ip": "10.0.0.1"}], "sdc_state": "mapped", "state": "present",
        "allow_multiple_mappings": True,
    }},
    {"mdm_cluster": {"state": "present"}},
    {"info": {"gather_subset": ["vol", "storage_pool", "protection_domain", "sdc", "sds", "device"]}},
]  # fmt: skip


def run(emulator: Emulator, folder: Path) -> dict[str, Any]:
    facts = emulator.facts
    connection = {
        "hostname": facts["host"], "port": facts["port"], "username": facts["username"],
        "password": facts["password"], "validate_certs": False,
    }  # fmt: skip
    tasks = [
        {f"dellemc.powerflex.{module}": {**connection, **options}} for task in TASKS for module, options in task.items()
    ]
    variables = {"ansible_python_interpreter": sys.executable, "ansible_connection": "local"}
    playbook = folder / "play.yml"
    playbook.write_text(
        yaml.safe_dump([{"hosts": "localhost", "gather_facts": False, "vars": variables, "tasks": tasks}])
    )
    environment = {**os.environ, "ANSIBLE_STDOUT_CALLBACK": "ansible.posix.json", "ANSIBLE_LOCALHOST_WARNING": "0"}
    command = [Path(sys.executable).parent / "ansible-playbook", "-i", "localhost,", playbook]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, cwd=folder)
    assert done.returncode == 0, done.stdout + done.stderr
    result: dict[str, Any] = json.loads(done.stdout)
    return result


@pytest.mark.parametrize("profile", ["3.6", "4.5"])
def test_modules_create_and_then_agree(profile: str, tmp_path: Path) -> None:
    emulator = Emulator(profile=profile)
    content.generate(emulator.system, 3, 1)
    emulator.system.sdc_seen(GUID, "10.0.0.1", connected=True)
    emulator.start()
    try:
        first = run(emulator, tmp_path)
        assert first["stats"]["localhost"]["changed"] == 5
        # The client leaves a session open for most of its calls: let them idle out before there are too many.
        emulator.clock.ahead_seconds += 601
        second = run(emulator, tmp_path)
        assert second["stats"]["localhost"]["changed"] == 0
    finally:
        emulator.stop()
    info = second["plays"][0]["tasks"][-1]["hosts"]["localhost"]
    assert [item["name"] for item in info["Volumes"]] == ["v1"]
    assert len(info["Devices"]) == 4
    (pool,) = info["Storage_Pools"]
    assert pool["capacityAlertHighThreshold"] == 70
    assert pool["statistics"]["maxCapacityInKb"] == 4 * (179 * 1024 - 1) * 1024
