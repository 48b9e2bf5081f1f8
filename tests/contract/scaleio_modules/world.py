"""A running system, and modules that talk to it."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any
from unittest.mock import patch

import pytest
from ansible.module_utils.testing import patch_module_args

from lab.scaleio.emulator import Emulator

READS = ("querySelectedStatistics", "queryMdmCluster", "/rest/auth/login", "/rest/auth/logout")
# For what does not depend on the version.
in_one_version = pytest.mark.parametrize("world", ["3.6"], indirect=True)
Main = Callable[[], None]
Result = dict[str, Any]


class World:
    def __init__(self, emulator: Emulator, capsys: pytest.CaptureFixture[str]) -> None:
        self.emulator = emulator
        self.system = emulator.system
        self.profile = emulator.system.profile.name
        self.media_types = emulator.system.profile.media_types
        self._capsys = capsys

    def run(self, main: Main, check: bool = False, **arguments: Any) -> Result:
        facts = self.emulator.facts
        connection = {
            "gateway_host": facts["host"],
            "gateway_port": facts["port"],
            "gateway_password": facts["password"],
            "use_tls": False,
        }
        given = {**connection, **arguments, "_ansible_check_mode": check, "_ansible_diff": True}
        # Another test in this process may have loaded the controller's side of Ansible, which keeps warnings to itself.
        with patch("ansible.module_utils._internal.is_controller", False), patch_module_args(given):
            with pytest.raises(SystemExit):
                main()
        result: Result = json.loads(self._capsys.readouterr().out)
        return result

    def done(self, main: Main, **arguments: Any) -> Result:
        """A run that must succeed."""
        result = self.run(main, **arguments)
        assert not result.get("failed"), result["msg"]
        return result

    def refused(self, main: Main, **arguments: Any) -> Result:
        """Bad arguments: one message, and nothing was written."""
        self.emulator.gateway.journal.reset()
        result = self.run(main, **arguments)
        assert result.get("failed"), result
        assert self.writes() == []
        return result

    def beats(self, main: Main, actions: list[str], reads: int = 1, **arguments: Any) -> Result:
        """Check mode predicts and writes nothing, the real run does just that, and a second one nothing."""
        journal = self.emulator.gateway.journal
        journal.reset()
        predicted = self.run(main, check=True, **arguments)
        assert [step["action"] for step in predicted.get("steps", [])] == actions, predicted
        assert (predicted["changed"], self.writes()) == (True, [])
        journal.reset()
        real = self.done(main, **arguments)
        assert (real["changed"], real["steps"], real["diff"]) == (True, predicted["steps"], predicted["diff"])
        assert len(self.writes()) == len(actions)
        assert self.sessions() == 1
        journal.reset()
        again = self.done(main, **arguments)
        assert (again["changed"], again["steps"], again["calls"], self.writes()) == (False, [], reads, [])
        return real

    def writes(self) -> list[str]:
        requests = [f"{entry['method']} {entry['path']}" for entry in self.emulator.gateway.journal.log()]
        return [request for request in requests if request.startswith("POST") and not request.endswith(READS)]

    def sessions(self) -> int:
        """Sessions that did the work; a login that only tells the version is not one."""
        bearer = self.emulator.system.profile.bearer_login
        route = "/rest/auth/login" if bearer else "/api/login"
        return len([entry for entry in self.emulator.gateway.journal.log() if entry["path"] == route])

    def object(self, kind: str, name: str) -> dict[str, Any]:
        """As the system itself has it."""
        (found,) = [item for item in self.system.objects(kind).values() if item["name"] == name]
        return found

    def post(self, kind: str, **body: Any) -> str:
        answer = self._rest(f"/api/types/{kind}/instances", body)
        return str(answer["id"])

    def act(self, kind: str, object_id: str, action: str, **body: Any) -> None:
        self._rest(f"/api/instances/{kind}::{object_id}/action/{action}", body)

    def _rest(self, path: str, body: dict[str, Any]) -> Any:
        status, answer = self.system.rest("POST", path, {}, body)
        assert status == 200, answer
        return answer

    def domain(self, name: str = "default") -> str:
        return self.post("ProtectionDomain", name=name)

    def pool(self, domain: str, name: str = "default", **body: Any) -> str:
        media = {"mediaType": "HDD"} if self.media_types else {}
        return self.post(
            "StoragePool", protectionDomainId=domain, name=name, **{"sparePercentage": 34, **media, **body}
        )

    def servers(self, count: int = 3, devices: int = 1, pool: str | None = None) -> str:
        """Servers agent1, agent2, ... with disks in a pool; returns the pool's id."""
        domain = self.domain()
        pool_id = self.pool(domain)
        for number in range(1, count + 1):
            addresses = [{"ip": f"198.51.100.{number}", "role": "all"}]
            sds = self.post("Sds", protectionDomainId=domain, name=f"agent{number}", sdsIpList=addresses)
            for disk in range(devices):
                path = f"/dev/sd{'bcdefgh'[disk]}"
                self.post("Device", sdsId=sds, storagePoolId=pool_id, deviceCurrentPathname=path, testMode="noTest")
        return pool_id

    def client(self, name: str | None, number: int, connected: bool = True) -> str:
        guid = f"5D9E4F2C-0000-4000-8000-00000000000{number}"
        self.system.sdc_seen(guid, f"198.51.100.{number}", connected=connected, name=name)
        (found,) = [item for item in self.system.objects("Sdc").values() if item["sdcGuid"] == guid]
        return str(found["id"])
