"""One remediation run after the other, as fast as it can be repeated: a process that forks for every run.

What is real: every module of playbooks/remediate.yml, called through its own main() with the arguments that the role
gives it (remediation_plan, scaleio_info, scaleio_topology, ebs_volumes, ebs_volumes_info, ebs_instances_info,
ebs_device_info, remediation_report), the filters between them, the lock on the controller and its owner's death, the
files, HTTP to the Gateway and to EC2 with boto3.

What this replaces:
- Ansible between the tasks: order, conditions and rescues are written down here once more. test_kills.py holds them
  to the playbook: both have to make the same calls in the same order.
- The hosts: ebs_device_info runs on this machine, where a host's /dev and /sys are folders, as in all contract tests.
- Time: pauses and patience are a tenth of what they are, so that a wait of minutes is over in seconds.
- TLS between this and the Gateway, and the reading of boto3's tables before each run.
- Records kept on a host or in S3, drills, and approval: a run of this is without them.
- The turns of 15 seconds in which the playbook waits for new devices: here it is one.

Reads a line of JSON for each run and writes two: {pid}, and when it has ended {status, cpu_seconds, answer}.
"""
# ruff: noqa: E402 (time is changed before those are loaded that take it)

from __future__ import annotations

import concurrent.futures  # noqa: F401 (before time is made to run faster: what these wait for is real)
import contextlib
import gc
import io
import itertools
import json
import os
import signal
import subprocess  # noqa: F401
import sys
import threading  # noqa: F401
import time
from collections.abc import Callable, Collection, Iterator, Mapping
from pathlib import Path
from typing import Any

import botocore.loaders
import botocore.session

SPEED = 10
_sleep, _monotonic = time.sleep, time.monotonic
time.sleep = lambda seconds: _sleep(seconds / SPEED)  # type: ignore[assignment]
time.monotonic = lambda: _monotonic() * SPEED  # type: ignore[assignment]

from ansible.module_utils import basic

from ansible_collections.mesos_scaleio.platform.plugins.filter.remediation_preflight import remediation_preflight
from ansible_collections.mesos_scaleio.platform.plugins.filter.remediation_progress import remediation_progress
from ansible_collections.mesos_scaleio.platform.plugins.filter.remediation_proofs import remediation_proofs
from ansible_collections.mesos_scaleio.platform.plugins.filter.remediation_rollbacks import remediation_rollbacks
from ansible_collections.mesos_scaleio.platform.plugins.filter.remediation_topology import remediation_topology
from ansible_collections.mesos_scaleio.platform.plugins.filter.remediation_volumes import remediation_volumes
from ansible_collections.mesos_scaleio.platform.plugins.module_utils._controller import lock
from ansible_collections.mesos_scaleio.platform.plugins.module_utils._ebs import client as ebs_client
from ansible_collections.mesos_scaleio.platform.plugins.module_utils._scaleio import transport
from ansible_collections.mesos_scaleio.platform.plugins.modules import (
    ebs_device_info,
    ebs_instances_info,
    ebs_volumes,
    ebs_volumes_info,
    remediation_plan,
    remediation_report,
    scaleio_device,
    scaleio_info,
    scaleio_topology,
)

MODULES = {
    module.__name__.rpartition(".")[2]: module
    for module in (
        ebs_device_info,
        ebs_instances_info,
        ebs_volumes,
        ebs_volumes_info,
        remediation_plan,
        remediation_report,
        scaleio_device,
        scaleio_info,
        scaleio_topology,
    )
}
LOOK = ["protection_domains", "fault_sets", "storage_pools", "sds", "devices", "sdcs", "volumes"]
SHOWN: dict[str, Any] = {"storage_pools": [], "fault_units": {}}
Result = dict[str, Any]


class ModuleFailed(Exception):
    def __init__(self, name: str, result: Result) -> None:
        super().__init__(f"{name}: {result.get('msg')}")
        self.result = result


def module(name: str, **options: Any) -> Result:
    """What the module answers, or ModuleFailed with it."""
    basic._ANSIBLE_ARGS = json.dumps({"ANSIBLE_MODULE_ARGS": options}).encode()
    basic._ANSIBLE_PROFILE = "legacy"
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed), contextlib.suppress(SystemExit):
        MODULES[name].main()
    result: Result = json.loads(printed.getvalue().strip().splitlines()[-1])
    if result.get("failed"):
        raise ModuleFailed(name, result)
    return result


class Remediation:
    """playbooks/remediate.yml for one site; the names of the methods are those of the role's files."""

    def __init__(self, site: Mapping[str, Any]) -> None:
        self.site = site
        self.marks: list[dict[str, Any]] = []
        self.reads: list[Result] = []
        self.before: Result | None = None
        self.after: Result = {}
        self.decision: Result | None = None
        self.volumes: list[Result] = []
        self.surplus: list[str] = []
        self.orphans: list[Result] = []
        self.proofs: dict[str, list[Result]] = {}
        self.reasons: dict[str, str] = {}
        self.reattached: list[Result] = []
        self.not_reattached = ""
        self.verification: Result = {}
        self.failure: Result = {}
        self.unbought: Result = {}
        self.rolled_back: list[Result] = []
        self.remedy = ""

    def play(self) -> Result:
        if self._locked_by_another():
            return {"status": "locked"}
        with self._rescued():
            self.observe()
            self.decide()
        if self._actions and not self.failure and self.decision["approval"]["granted"]:
            ready, reasons = self.ask()
            with self._rescued():
                self._be_the_only_one_still()
                self.act_ebs(remediation_preflight(self._actions, ready, reasons)["refused"])
        judged: Mapping[str, Any] = {"spoiled": []}
        if self.volumes and not self.failure:
            self.prove({volume["host"] for volume in self.volumes})
            self.attach_anew()
            found = self._proved("devices")
            judged = remediation_proofs(self.volumes, found, self.reasons, self.reattached, self.not_reattached)
            with self._rescued():
                self._be_the_only_one_still()
                if any(not volume["in_pool"] for volume in judged["ready"]):
                    self.act_storage(judged)
                if judged["ready"]:
                    self.verify(judged["ready"])
                self.failure = judged["failure"] or self.failure
        if (self.decision or {}).get("rollbacks") or self.failure.get("step") in {"add", "verify"}:
            with self._rescued():
                self._be_the_only_one_still()
                self.roll_back()
        if judged["spoiled"] or (self.volumes and self.surplus):
            with self._rescued():
                self._be_the_only_one_still()
                self.put_aside({"not blank": judged["spoiled"], "one too many": self.surplus})
        if self.decision and (self.decision["orphans"] or self.decision["expired"]):
            with self._rescued():
                self.see_to_orphans()
        self.failure = self.failure or self.unbought
        return self.report()

    def observe(self) -> None:
        self._mark("observe")
        self.before = self._read("scaleio_info", gather_subset=[*LOOK, "fault_units", "gateway_user"], as_text=True)
        tags = {"mesos-scaleio:managed": "true", "mesos-scaleio:cluster": self.before["system"]["id"]}
        self.owned = self._read("ebs_volumes_info", tags=tags)

    def decide(self) -> None:
        self._mark("decide")
        looked = {
            "policy": self.site["policy"],
            "volumes": self.owned["volumes"],
            "gateway_user": self.before["gateway_user"],
            "clock_ahead_seconds": self.owned["clock_ahead_seconds"],
            "history_file": f"{self.site['reports']}/history.jsonl",
            "freeze_files": [f"{self.site['reports']}/freeze"],
        }
        latest = {**looked, "system": self.before["text"]}
        plan = module("remediation_plan", **latest)
        if plan["decision"]["needs_second_look"] and self.site["second_look_seconds"]:
            time.sleep(self.site["second_look_seconds"])
            again = self._read("scaleio_info", gather_subset=[*LOOK, "alerts", "fault_units"], as_text=True)
            latest = {
                **looked,
                "system": again["text"],
                "alerts": again["alerts"],
                "earlier_look": self.before["storage_pools"],
                "earlier_seconds": self.marks[-1]["at_seconds"],
            }
            plan = module("remediation_plan", **latest)
        if plan["addresses_wanted"]:
            self.machines = machines = self._read("ebs_instances_info", private_ips=plan["addresses_wanted"])
            hosts = self.site["hosts"]
            plan = module("remediation_plan", **latest, instances=machines["instances"], hosts=hosts)
        self.decision, self.wanted = plan["decision"], plan["wanted_volumes"]

    def ask(self) -> tuple[list[str], dict[str, str]]:
        """The hosts that could prove new volumes, and why others could not."""
        ready: list[str] = []
        reasons: dict[str, str] = {}
        for host in remediation_preflight(self._actions)["hosts"]:
            try:
                module("ebs_device_info", volume_ids=[], **self._trees(host))
                ready.append(host)
            except ModuleFailed as failed:
                reasons[host] = failed.result["msg"]
        return ready, reasons

    def act_ebs(self, refused: Mapping[str, str]) -> None:
        self._mark("buy")
        bought: list[Result] = []
        codes: list[str] = []
        if refused:
            message = " ".join(refused.values())
            self.unbought = {"message": message, "code": "host_not_ready", "remedy": "", "step": "buy"}
        pools = [pool for pool in dict.fromkeys(volume["pool"] for volume in self.wanted) if pool not in refused]
        refused_all = False
        for number, pool in enumerate(list(pools)):
            if refused_all:
                pools.remove(pool)
                continue
            mine = [volume for volume in self.wanted if volume["pool"] == pool]
            try:
                seen = {} if number else {"instances": self.machines["instances"]}
                answer = self._read("ebs_volumes", volumes=mine, attach_timeout_seconds=90, **seen)
                bought += answer["volumes"]
                self.surplus += [one for one in answer["quarantined"] if one not in self.decision["orphans"]]
            except ModuleFailed as failed:
                pools.remove(pool)
                self.unbought = self.unbought or self._failed(failed, "buy")
                codes.append((failed.result.get("failure") or {}).get("code", ""))
                refused_all = (failed.result.get("failure") or {}).get("no_right", False)
        if codes and not refused:
            self.unbought["code"] = " and ".join(dict.fromkeys(codes))
        self._mark("prove")
        self.volumes = remediation_volumes([one for one in self._actions if one["pool_id"] in pools], bought)

    def prove(self, hosts: Collection[str]) -> None:
        """What these hosts found, and why some found less than they should."""
        new = [volume for volume in self.volumes if not volume["in_pool"] and volume["host"] in hosts]
        for host, batch in _grouped(new, "host"):
            self.proofs[host], self.reasons[host] = [], ""
            for _txn, mine in _grouped(batch, "txn"):
                try:
                    proof = module(
                        "ebs_device_info",
                        volume_ids=[volume["volume_id"] for volume in mine],
                        size_gib=mine[0]["size_gib"],
                        require_blank=True,
                        timeout_seconds=self.site["device_timeout_seconds"],
                        **self._trees(host),
                    )
                except ModuleFailed as failed:
                    self.reasons[host] = failed.result["msg"]
                    proof = failed.result
                self.proofs[host].append(proof)

    def _proved(self, what: str) -> list[Any]:
        return [one for answers in self.proofs.values() for proof in answers for one in proof.get(what, [])]

    def attach_anew(self) -> None:
        """The play between the two that prove, and the second one of them."""
        if not (hidden := self._proved("absent")):
            return
        try:
            self._be_the_only_one_still()
            self.reattach(hidden)
        except ModuleFailed as failed:
            self.not_reattached = failed.result["msg"]
            return
        anew = {own["id"] for own in self.reattached if own["anew"] and not own["before"]}
        self.prove({volume["host"] for volume in self.volumes if volume["volume_id"] in anew})

    def reattach(self, hidden: list[str]) -> None:
        devices = {device["name"] for device in self._read("scaleio_info", gather_subset=["devices"])["devices"]}
        if ids := [ident for ident in hidden if ident not in devices]:
            given = {"cluster": self.before["system"]["id"], "ids": ids, "attach_timeout_seconds": 90}
            self.reattached = self._read("ebs_volumes", state="reattached", **given)["reattached"]

    def act_storage(self, judged: Mapping[str, Any]) -> None:
        self._mark("add")
        topology = remediation_topology(judged["ready"], judged["proofs"])
        self._read("scaleio_topology", topology=topology, wait_timeout_seconds=600)

    def roll_back(self) -> None:
        self._mark("roll back")
        cluster = self.before["system"]["id"]
        seen = self._read("scaleio_info", gather_subset=[*LOOK, "fault_units"], as_text=True)
        tags = {"mesos-scaleio:managed": "true", "mesos-scaleio:cluster": cluster}
        owned = self._read("ebs_volumes_info", tags=tags)["volumes"]
        pool_ids = [pool["id"] for pool in self.decision["pools"]]
        failed = remediation_rollbacks(json.loads(seen["text"]), owned, time.time(), pool_ids)
        if not failed:
            return
        given = {"cluster": cluster, "ids": [one["volume_id"] for one in failed], "reason": "device failed"}
        self._read("ebs_volumes", state="quarantined", **given)
        for one in failed:
            if one["device_id"]:
                self._read("scaleio_device", id=one["device_id"], state="absent", wait_timeout_seconds=600)
        time.sleep(self.site["second_look_seconds"])
        devices = {device["name"] for device in self._read("scaleio_info", gather_subset=["devices"])["devices"]}
        self.rolled_back = [one for one in failed if one["volume_id"] not in devices]
        if self.rolled_back:
            ids = [one["volume_id"] for one in self.rolled_back]
            self._read("ebs_volumes", **{**given, "state": "released", "ids": ids})

    def put_aside(self, aside: Mapping[str, list[str]]) -> None:
        time.sleep(self.site["second_look_seconds"])
        devices = {device["name"] for device in self._read("scaleio_info", gather_subset=["devices"])["devices"]}
        for reason, ids in aside.items():
            if left := [ident for ident in ids if ident not in devices]:
                cluster = self.before["system"]["id"]
                self._read("ebs_volumes", state="quarantined", cluster=cluster, ids=left, reason=reason)

    def see_to_orphans(self) -> None:
        self._be_the_only_one_still()
        cluster = self.before["system"]["id"]
        for state, ids in (("quarantined", self.decision["orphans"]), ("absent", self.decision["expired"])):
            if ids:
                answer = self._read("ebs_volumes", state=state, orphans=True, cluster=cluster, ids=ids)
                self.orphans += answer["steps"]

    def verify(self, ready: list[Result]) -> None:
        self._mark("verify")
        pools = [pool for pool in self.decision["pools"] if pool["id"] in {volume["pool_id"] for volume in ready}]
        for look in range(60):
            if look:
                time.sleep(5)
            try:
                self.after = self._read("scaleio_info", gather_subset=[*LOOK, "fault_units"], as_text=True)
                progress = remediation_progress(json.loads(self.after["text"]), pools, ready)
            except ModuleFailed as failed:
                progress = {"complete": False, "missing": [failed.result["msg"]]}
            if progress["complete"]:
                self.verification = progress
                return
        missing = "; ".join(progress["missing"])
        words = f"The expansion is not complete: {missing}. Look at these devices in ScaleIO; the next run looks again."
        raise ModuleFailed("verify", {"msg": words, "failure": {"remedy": "the next run looks again."}})

    def report(self) -> Result:
        self._mark("report")
        answer = module(
            "remediation_report",
            directory=self.site["reports"],
            metrics_file=self.site["metrics_file"],
            **({"decision": self.decision} if self.decision else {}),
            before={key: (self.before or {}).get(key, nothing) for key, nothing in SHOWN.items()},
            after={key: self.after.get(key, nothing) for key, nothing in SHOWN.items()},
            run={
                "started_seconds": self.marks[0]["at_seconds"],
                "marks": self.marks,
                "system": (self.before or {}).get("system", {}),
                "trigger": "",
                "failure": self.failure,
                "volumes": self.volumes,
                "orphans": self.orphans,
                "rolled_back": self.rolled_back,
                "reattached": self.reattached,
                "verification": self.verification,
                "api_calls": [read["api_calls"] for read in self.reads],
            },
        )
        report = answer["report"]
        return {
            "status": report["status"],
            "reason": "; ".join(pool["reason"] for pool in report["pools"]),
            "failure": report["failure"],
            "remedy": self.remedy or (report["failure"] or {}).get("remedy", ""),
            "text": answer["text"],
        }

    def _trees(self, host: str) -> dict[str, str]:
        """Where a host's devices are."""
        return {"dev_root": f"{self.site['disks']}/{host}/dev", "sysfs_root": f"{self.site['disks']}/{host}/sys"}

    @property
    def _actions(self) -> list[Result]:
        return list((self.decision or {}).get("actions", ()))

    def _mark(self, step: str) -> None:
        self.marks.append({"step": step, "at_seconds": time.time()})

    def _read(self, name: str, **options: Any) -> Result:
        connection = self.site["ebs_connection" if name.startswith("ebs_") else "scaleio_connection"]
        result = module(name, **connection, **options)
        self.reads.append(result)
        return result

    def _locked_by_another(self) -> bool:
        return lock.acquire(Path(self.site["lock_file"]), lock.owner_of(os.getpid()), "remediation") is not None

    def _be_the_only_one_still(self) -> None:
        if self._locked_by_another():
            raise ModuleFailed("platform_lock", {"msg": "the lock is another's"})

    @contextlib.contextmanager
    def _rescued(self) -> Iterator[None]:
        """The playbook's rescue, whose message is all that the report gets; `remedy` is for the tests."""
        try:
            yield
        except ModuleFailed as failed:
            self.failure = self.failure or self._failed(failed, self.marks[-1]["step"])

    def _failed(self, failed: ModuleFailed, step: str) -> Result:
        told = failed.result.get("failure") or {}
        self.remedy = told.get("remedy", "")
        return {"message": failed.result["msg"], "code": told.get("code", ""), "remedy": "", "step": step}


def _grouped(volumes: list[Result], key: str) -> Iterator[tuple[str, list[Result]]]:
    for value, group in itertools.groupby(sorted(volumes, key=lambda item: item[key]), key=lambda item: item[key]):
        yield value, list(group)


class FileStrike:
    """Counts what a run does to the files below a folder, and ends it at one of these; `torn`: with half a line."""

    def __init__(self, folder: str, at: int | None, torn: bool) -> None:
        self._folder, self._at, self._torn = folder, at, torn
        self.count = 0
        self._busy = False

    def __call__(self, event: str, arguments: tuple[Any, ...]) -> None:
        if self._busy or event not in {"open", "os.rename", "os.remove", "os.mkdir"}:
            return
        path = str(arguments[0])
        if not path.startswith(self._folder):
            return
        if event == "open" and not arguments[2] & (os.O_WRONLY | os.O_RDWR | os.O_CREAT):
            return
        self.count += 1
        if self.count == self._at:
            self._busy = True
            if self._torn and event == "open" and arguments[2] & os.O_APPEND:
                with open(path, "ab") as stream:
                    stream.write(b'{"at": "2026-')
            os.kill(os.getpid(), signal.SIGKILL)


def quick_clients() -> None:
    """Patience with a silent server is a tenth, and boto3's tables are read once for all runs."""
    loader = botocore.loaders.create_loader()
    loader.load_service_model("ec2", "service-2")
    botocore.session.create_loader = lambda _path=None: loader
    config, connect = ebs_client.Config, transport.Transport._connect

    def quick_config(**given: Any) -> Any:
        return config(**{**given, "read_timeout": given["read_timeout"] / SPEED})

    def quick_connect(self: Any) -> Any:
        link = connect(self)
        link.sock.settimeout(self._connection.timeout_seconds / SPEED)
        return link

    ebs_client.Config = quick_config
    transport.Transport._connect = quick_connect


def work(task: Mapping[str, Any]) -> Result:
    if "module" in task:
        return module(task["module"], **task["options"])
    if ahead_seconds := task.get("clock_ahead_seconds", 0):
        right = time.time
        time.time = lambda: right() + ahead_seconds  # type: ignore[assignment]
    strike = FileStrike(task["site"]["folder"], task.get("file_strike"), bool(task.get("torn")))
    sys.addaudithook(strike)
    return {**Remediation(task["site"]).play(), "file_effects": strike.count}


def forked(do: Callable[[], Result], writable: int) -> None:
    """In the new process."""
    gc.disable()
    os.dup2(2, 1)
    try:
        answer = do()
    except Exception as error:
        answer = {"crash": f"{type(error).__name__}: {error}"}
    with os.fdopen(writable, "w") as pipe:
        json.dump(answer, pipe)
    os._exit(0)


def main() -> None:
    quick_clients()
    for line in sys.stdin:
        task = json.loads(line)
        if "warm" in task:
            # In this process itself: what is loaded when it is first needed is there for all runs after it.
            say({"pid": os.getpid()})
            say({"status": 0, "cpu_seconds": 0.0, "answer": Remediation(task["warm"]).play()})
            # What is never collected is never copied for a child either.
            gc.collect()
            gc.freeze()
            continue
        readable, writable = os.pipe()
        pid = os.fork()
        if pid == 0:
            os.close(readable)
            forked(lambda: work(task), writable)  # noqa: B023 (it does not come back)
        os.close(writable)
        say({"pid": pid})
        with os.fdopen(readable) as pipe:
            answer = pipe.read()
        _pid, status, usage = os.wait4(pid, 0)
        exit_status = os.waitstatus_to_exitcode(status)
        say(
            {
                "status": exit_status,
                "cpu_seconds": usage.ru_utime + usage.ru_stime,
                "answer": json.loads(answer) if exit_status == 0 else None,
            }
        )


def say(what: Mapping[str, Any]) -> None:
    sys.stdout.write(json.dumps(what) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
