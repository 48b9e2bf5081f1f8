"""A small site: ScaleIO and EC2 emulators on loopback, and three hosts that are folders, reached locally."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from lab.ec2.process import EmulatorProcess
from lab.paths import CHECKOUT
from lab.scaleio.emulator import Emulator
from lab.scaleio.system import Pace
from tests.contract.remediation import host_disks

QUICK = "create=0.05,attach=0.1,detach=0.05,delete=0.05"


@dataclass
class Run:
    status: int
    output: str
    report: Mapping[str, Any] = field(default_factory=dict)
    changed: int = 0


class Site:
    def __init__(
        self, folder: Path, disks: Path, scaleio: Emulator, ec2: EmulatorProcess, pools: Sequence[str] = ("default",)
    ) -> None:
        self.folder = folder
        self.addresses = addresses_of(pools)
        self.disks = disks
        self.reports = folder / "reports"
        self.scaleio = scaleio
        self.ec2 = ec2

    @property
    def scaleio_connection(self) -> dict[str, Any]:
        facts = self.scaleio.facts
        return {
            "gateway_host": facts["host"],
            "gateway_port": facts["port"],
            "gateway_password": facts["password"],
            "ca_path": facts["ca_file"],
        }

    def policy(self, **rules: Any) -> dict[str, Any]:
        volume = {"sizes_gib": [180], **rules.pop("volume", {})}
        pool = {"storage_pool": "default", "max_step_percent": 100, "volume": volume}
        return {"budget": {"monthly_usd": rules.pop("monthly_usd", 100)}, "pools": [{**pool, **rules}]}

    def write_inventory(self, **of_hosts: Any) -> None:
        host = {
            "ansible_host": "127.0.0.1",
            "ansible_connection": "local",
            "ansible_become": False,
            "ansible_python_interpreter": sys.executable,
            "remediation_dev_root": f"{self.disks}/{{{{ inventory_hostname }}}}/dev",
            "remediation_sysfs_root": f"{self.disks}/{{{{ inventory_hostname }}}}/sys",
            "remediation_device_timeout_seconds": 2,
            **of_hosts,
        }
        hosts = {name: {"cluster_address": address, **host} for name, address in self.addresses.items()}
        shared = {
            "ansible_become": True,
            "scaleio_connection": self.scaleio_connection,
            "ebs_connection": self.ec2.connection,
            "remediation_policy": self.policy(),
            "remediation_report_directory": str(self.reports),
            "platform_lock_file": str(self.folder / "platform.lock"),
            "remediation_second_look_seconds": 1,
            "remediation_verify_retries": 20,
            "remediation_verify_delay_seconds": 1,
        }
        groups = {"scaleio_sds": {"hosts": hosts}}
        inventory = {"all": {"vars": shared, "children": groups}}
        (self.folder / "hosts.yml").write_text(yaml.safe_dump(inventory))

    def command(self, *arguments: str, playbook: str = "playbooks/remediate.yml", **variables: Any) -> list[str]:
        """What cron runs; `variables` win over the inventory's."""
        command = ["ansible-playbook", "-i", str(self.folder / "hosts.yml"), playbook, *arguments]
        return [*command, "-e", json.dumps(variables)] if variables else command

    def surroundings(self) -> dict[str, Any]:
        """Where a run starts, as options of subprocess."""
        path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
        # Controllers live by the time of their place, so a moment taken from local time for one of UTC shows.
        return {"cwd": CHECKOUT, "env": {**os.environ, "PATH": path, "ANSIBLE_NOCOLOR": "1", "TZ": "PLACE-5:30"}}

    def play(self, *arguments: str, playbook: str = "playbooks/remediate.yml", **variables: Any) -> Run:
        done = subprocess.run(
            self.command(*arguments, playbook=playbook, **variables),
            **self.surroundings(),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=180,
        )
        latest = self.reports / "latest.json"
        recap = done.stdout.partition("PLAY RECAP")[2]
        changed = sum(int(word.partition("=")[2]) for word in recap.split() if word.startswith("changed="))
        report = json.loads(latest.read_text()) if latest.exists() else {}
        return Run(done.returncode, done.stdout, report, changed)

    def module(self, name: str, *, connected: bool = True, **params: Any) -> dict[str, Any]:
        """One of our modules as Ansible runs it, against this site."""
        connection = self.ec2.connection if name.startswith("ebs_") else self.scaleio_connection
        connection = connection if connected else {}
        done = subprocess.run(
            [sys.executable, "-m", f"ansible_collections.mesos_scaleio.platform.plugins.modules.{name}"],
            input=json.dumps({"ANSIBLE_MODULE_ARGS": {**connection, **params}}),
            env={**os.environ, "PYTHONPATH": str(CHECKOUT / "collections")},
            capture_output=True,
            text=True,
            timeout=60,
        )
        result = json.loads(done.stdout)
        assert not result.get("failed"), result["msg"]
        return dict(result)

    def fill(self, used_percent: float, pool: str = "default") -> None:
        self.scaleio.system.advance()
        self.control("fill", {"pool": pool, "used_percent": used_percent})

    def control(self, path: str, body: Any) -> None:
        url = f"{self.scaleio.facts['control_url']}/{path}"
        urllib.request.urlopen(urllib.request.Request(url, data=json.dumps(body).encode()), timeout=10).read()

    def pool(self, name: str = "default") -> dict[str, Any]:
        return next(dict(own) for own in self.module("scaleio_info")["storage_pools"] if own["name"] == name)

    def bought(self) -> list[dict[str, Any]]:
        return list(self.module("ebs_volumes_info")["volumes"])


SESSION_PATHS = ("/api/login", "/api/version", "/api/logout", "/rest/auth/login", "/rest/auth/logout")


def gateway_requests(scaleio: Emulator) -> list[tuple[str, str]]:
    """Method and path of all requests since the last reset, without those of sessions."""
    log = [(entry["method"], entry["path"]) for entry in scaleio.gateway.journal.log()]
    return [(method, path) for method, path in log if path not in SESSION_PATHS]


def without_polls(requests: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """Without looks at devices that are still being tested: how many there are depends on how long the test takes."""
    return [request for request in requests if request != ("GET", "/api/types/Device/instances")]


def growing(volumes: int) -> dict[str, Any]:
    """Rules by which this site's pool, 85 % full, grows by just so many volumes of 100 GiB."""
    now_gib = 3 * 180
    return {
        "target_percent": round(85 * now_gib / (now_gib + (volumes - 0.5) * 100), 2),
        "max_step_percent": 1000,
        "volume": {"sizes_gib": [100]},
        "monthly_usd": 10_000,
    }


def addresses_of(pools: Sequence[str]) -> dict[str, str]:
    """Each pool has three servers of its own; those of the first are agent1 to agent3."""
    return {f"agent{number}": f"198.18.0.{13 + number}" for number in range(1, 3 * len(pools) + 1)}


ADDRESSES = addresses_of(["default"])


@contextmanager
def site(
    folder: Path,
    ec2_arguments: Sequence[str] = ("--state-seconds", QUICK),
    pools: Sequence[str] = ("default",),
    without_instance: str = "",
) -> Iterator[Site]:
    # ScaleIO takes only paths below /dev, and this part of it is a plain folder.
    disks = Path(tempfile.mkdtemp(dir="/dev/shm", prefix="remediation-"))
    instances = [
        {"name": name, "private_ip": address, "type": "m5.large", "az": f"us-east-1{zone}"}
        for (name, address), zone in zip(addresses_of(pools).items(), "abc" * len(pools), strict=True)
        if name != without_instance
    ]
    for name in addresses_of(pools):
        host_disks.boot(disks, name)
    (folder / "instances.json").write_text(json.dumps(instances))
    scaleio = Emulator(pace=Pace(join_seconds=0, device_test_seconds=0.2))
    scaleio.start()
    ec2 = None
    try:
        ec2 = EmulatorProcess(
            [
                *("--instances", str(folder / "instances.json"), *ec2_arguments),
                *("--devices-command", f"{sys.executable} {host_disks.__file__} {disks}"),
            ]
        )
        made = Site(folder, disks, scaleio, ec2, pools)
        made.write_inventory()
        made.module("scaleio_topology", topology=topology(pools))
        yield made
    finally:
        scaleio.stop()
        if ec2 is not None:
            ec2.stop()
        shutil.rmtree(disks)


def topology(pools: Sequence[str]) -> dict[str, Any]:
    servers = list(addresses_of(pools).items())
    return {
        "protection_domains": [
            {
                "name": "default",
                "storage_pools": [{"name": pool, "spare_percentage": 34} for pool in pools],
                "sds": [
                    {
                        "name": name,
                        "ips": [address],
                        "devices": [{"path": "/dev/sdb", "storage_pool": pools[place // 3]}],
                    }
                    for place, (name, address) in enumerate(servers)
                ],
            }
        ]
    }
