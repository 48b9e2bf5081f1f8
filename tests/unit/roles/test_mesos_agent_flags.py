"""The flags that the role mesos_agent makes of its inputs, without a host."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[3]
ROLE = ROOT / "roles/mesos_agent"
SECRET = "hunter2-hunter2"
CASES: dict[str, dict[str, Any]] = {
    "plain": {"mesos_agent_isolation": ["posix/cpu", "posix/mem"], "mesos_agent_hosts_mdm": True},
    "docker_volume": {"mesos_agent_external_volumes": "docker_volume"},
    "dvdi": {
        "mesos_agent_external_volumes": "dvdi",
        "mesos_agent_dvdi_library": "/usr/lib/libmesos_dvdi_isolator-1.0.1.so",
        "mesos_agent_packaging": "mesosphere",
    },
    "secret": {
        "mesos_agent_credential": {"principal": "agents", "secret": SECRET},
        "mesos_agent_http_credentials": [{"principal": "ops", "secret": SECRET}],
        "mesos_agent_packaging": "clusterd",
    },
    "reserve": {"mesos_agent_storage_fencing": "reserve", "mesos_agent_attributes": {"rack": "r1", "zone": 3}},
}
SHOWN = ("flags", "files", "resources", "service", "directory", "cgroups", "uses_cgroups")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Any]]:
    folder = tmp_path_factory.mktemp("flags")
    names = ["__mesos_agent_flags", "__mesos_agent_files", "__mesos_agent_resources", "mesos_agent_service"]
    names += ["mesos_agent_configuration_directory", "mesos_agent_cgroup_versions", "__mesos_agent_uses_cgroups"]
    content = "{{ {" + ", ".join(f"'{key}': {name}" for key, name in zip(SHOWN, names, strict=True)) + "} | to_json }}"
    facts = {"processor_vcpus": 8, "memtotal_mb": 32_000}
    common = {"ansible_facts": facts, "mesos_agent_address": "192.0.2.14", "mesos_agent_zookeeper_url": "zk://h:2181/m"}
    play = {
        "hosts": "localhost",
        "gather_facts": False,
        "vars": {"ansible_python_interpreter": "{{ ansible_playbook_python }}"},
        "vars_files": [f"{ROLE}/{part}/main.yml" for part in ("defaults", "vars")],
        "tasks": [
            {"copy": {"content": content, "dest": f"{folder}/{name}.json", "mode": "0600"}, "vars": {**common, **case}}
            for name, case in CASES.items()
        ],
    }
    (folder / "play.yml").write_text(json.dumps([play]))
    command = [ROOT / ".venv/bin/ansible-playbook", "-i", "localhost,", "-c", "local", folder / "play.yml"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout
    return {name: json.loads((folder / f"{name}.json").read_text()) for name in CASES}


def test_the_storage_share_is_subtracted(made: dict[str, dict[str, Any]]) -> None:
    plain = made["plain"]
    assert plain["flags"]["resources"] == "cpus:6.5;mem:27904"  # 32000 - 1024 - 3072, in steps of 128
    assert plain["flags"]["isolation"] == ["posix/cpu", "posix/mem"]
    assert (plain["service"], plain["directory"], plain["cgroups"]) == ("mesos-agent", "/etc/mesos-agent", [1])
    assert set(plain["files"].values()) == {None}


def test_or_announced_whole_to_be_reserved(made: dict[str, dict[str, Any]]) -> None:
    assert made["reserve"]["flags"]["resources"] == "cpus:8;mem:30976"
    assert made["reserve"]["flags"]["attributes"] == "rack:r1;zone:3"


def test_the_isolator_for_volumes_brings_what_it_needs(made: dict[str, dict[str, Any]]) -> None:
    flags = made["docker_volume"]["flags"]
    wanted = ["posix/cpu", "posix/mem", "filesystem/linux", "docker/runtime", "docker/volume"]
    assert (flags["isolation"], flags["image_providers"]) == (wanted, ["docker"])
    assert made["docker_volume"]["uses_cgroups"] is True


def test_the_old_module_is_loaded_with_the_agents_folder(made: dict[str, dict[str, Any]]) -> None:
    dvdi = made["dvdi"]
    assert dvdi["flags"]["isolation"][-1] == "com_emccode_mesos_DockerVolumeDriverIsolator"
    assert dvdi["flags"]["modules"] == "file:///etc/mesos/agent-modules.json"
    (library,) = dvdi["files"]["/etc/mesos/agent-modules.json"]["libraries"]
    assert library["file"] == "/usr/lib/libmesos_dvdi_isolator-1.0.1.so"
    assert library["modules"][0]["parameters"] == [{"key": "work_dir", "value": "/var/lib/mesos/agent"}]
    assert (dvdi["service"], dvdi["directory"]) == ("mesos-slave", "/etc/mesos-slave")


def test_every_file_that_a_flag_points_to_is_written(made: dict[str, dict[str, Any]]) -> None:
    for case in made.values():
        pointed = {str(value).removeprefix("file://") for value in case["flags"].values() if "file://" in str(value)}
        assert pointed == {path for path, content in case["files"].items() if content is not None}


def test_secrets_go_into_files_and_not_into_flags(made: dict[str, dict[str, Any]]) -> None:
    secret = made["secret"]
    assert SECRET not in json.dumps(secret["flags"])
    assert secret["flags"]["credential"] == "file:///etc/mesos/agent-credential.json"
    assert secret["files"]["/etc/mesos/agent-http_credentials.json"] == {
        "credentials": [{"principal": "ops", "secret": SECRET}]
    }
    assert secret["flags"]["authenticate_http_readonly"] is True
    assert secret["cgroups"] == [2]
