"""One purchase in this process, with the same code as in the module, for whoever disturbs it."""

from __future__ import annotations

import itertools
import time
from typing import Any

from ansible_collections.mesos_scaleio.platform.plugins.module_utils._ebs.batch import BatchRun, read_volumes
from ansible_collections.mesos_scaleio.platform.plugins.module_utils._ebs.client import Ec2, connect
from ansible_collections.mesos_scaleio.platform.plugins.module_utils._ebs.release import Release, read_chosen
from ansible_collections.mesos_scaleio.platform.plugins.module_utils._planning.ebs_batch import match, place
from ansible_collections.mesos_scaleio.platform.plugins.module_utils._planning.ebs_model import WantedVolume
from ansible_collections.mesos_scaleio.platform.plugins.module_utils._planning.ebs_reattach import hidden
from lab.ec2.process import EmulatorProcess

CLUSTER = "1a2b3c4d5e6f7081"
RUNNER = "runner"
SIZES = [100, 200]
TRANSACTIONS = (f"{number:016x}" for number in itertools.count(0xABC0000))


def wanted(emulator: EmulatorProcess, **changes: Any) -> WantedVolume:
    volume = {
        "cluster": CLUSTER,
        "pool": "5f0a9b1c00000000",
        "txn": next(TRANSACTIONS),
        "sds": "sds-1",
        "slot": 0,
        "name": "default-agent1",
        "size_gib": SIZES[0],
        "instance_id": emulator.instance_ids[0],
        **changes,
    }
    return WantedVolume(**volume)


def as_runner(emulator: EmulatorProcess) -> Ec2:
    return connect(
        {**emulator.connection, "access_key": RUNNER, "secret_key": "x", "session_token": None, "profile": None}
    )


def given_up(emulator: EmulatorProcess, ids: list[str], state: str = "absent") -> list[str]:
    """What ends the life of bought volumes, with the same code as in the module; the steps done."""
    asked = {
        "state": state,
        "reason": "test",
        "ids": ids,
        "cluster": CLUSTER,
        "detach_timeout_seconds": 30,
        "orphans": False,
    }
    run = Release(as_runner(emulator), asked, sleep=lambda seconds: time.sleep(seconds / 20))
    run.run()
    return [step["action"] for step in run.done]


def attached_anew(emulator: EmulatorProcess, volume_id: str) -> list[str]:
    """What is done for a volume that its host does not show, with the same code as in the module; the steps done."""
    ec2 = as_runner(emulator)
    batch = hidden(read_chosen(ec2, [volume_id], CLUSTER, "reattached"))
    run = BatchRun(ec2, batch, 1.0, sleep=lambda seconds: time.sleep(seconds / 20))
    run.reattach()
    return [step["action"] for step in run.done]


def whole_run(emulator: EmulatorProcess, want: WantedVolume, troubles: bool = True) -> list[str]:
    """Everything that a run does in EC2, the troubles included that make it delete and detach; the steps done."""
    if troubles:
        emulator.fault("CreateVolume", "fails_later")
        emulator.fault("AttachVolume", "stuck")
    return whole_set(emulator, [want])


def whole_set(emulator: EmulatorProcess, wants: list[WantedVolume]) -> list[str]:
    ec2 = as_runner(emulator)
    batch = match(wants, read_volumes(ec2, wants))
    ids = {want.instance_id for want in wants}
    batch = place(batch, {own.id: own for own in ec2.describe_instances(ids=ids)})
    run = BatchRun(ec2, batch, 1.0, sleep=lambda seconds: time.sleep(seconds / 20))
    assert all(slot.attached for slot in run.run())
    return [step["action"] for step in run.done]
