"""What EC2 may do to a purchase, and that it ends with one attached volume all the same."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.mesos_scaleio.platform.plugins.module_utils._ebs.errors import EbsError
from lab.ec2.process import EmulatorProcess
from tests.contract.ec2.purchase import wanted, whole_run


@pytest.fixture
def calm(quick: EmulatorProcess) -> EmulatorProcess:
    quick.control("reset", {})
    return quick


def bought(emulator: EmulatorProcess, txn: str) -> list[Any]:
    asked = [{"Name": "tag:mesos-scaleio:txn", "Values": [txn]}]
    return [one for one in emulator.client().describe_volumes(Filters=asked)["Volumes"] if one["State"] != "deleting"]


@pytest.mark.parametrize(
    "faults",
    [
        pytest.param([{"action": "DetachVolume", "kind": "lost_answer"}], id="detach answer lost"),
        pytest.param([{"action": "DeleteVolume", "kind": "lost_answer"}], id="delete answer lost"),
        pytest.param([{"action": "AttachVolume", "kind": "lost_answer"}], id="attach answer lost"),
        pytest.param([{"action": "AttachVolume", "kind": "not_found", "times": 3}], id="volume not yet known"),
        pytest.param([{"action": "CreateVolume", "kind": "bad_gateway", "times": 2}], id="bad gateway"),
        pytest.param([{"action": "CreateVolume", "kind": "lost_request"}], id="create request lost"),
        pytest.param([{"action": "CreateVolume", "kind": "timeout", "seconds": 0.1}], id="create times out"),
        pytest.param(
            [{"action": "DescribeVolumes", "kind": "stale", "seconds": 0.1, "times": 10}], id="reads lag behind"
        ),
        pytest.param([{"action": "*", "kind": "throttle", "times": 2}], id="throttled"),
    ],
)
def test_a_purchase_survives(calm: EmulatorProcess, faults: list[dict[str, Any]]) -> None:
    want = wanted(calm)
    # With troubles there are also calls that detach and delete.
    troubles = any(fault["action"] in {"DetachVolume", "DeleteVolume"} for fault in faults)
    calm.control("fault", faults)
    whole_run(calm, want, troubles=troubles)
    (volume,) = bought(calm, want.txn)
    assert [own["State"] for own in volume["Attachments"]] == ["attached"]


@pytest.mark.parametrize(
    ("fault", "code", "remedy"),
    [
        ({"action": "CreateVolume", "kind": "limit"}, "VolumeLimitExceeded", "larger storage quota"),
        ({"action": "AttachVolume", "kind": "limit"}, "AttachmentLimitExceeded", "fewer, larger volumes"),
        ({"action": "DescribeInstances", "kind": "denied"}, "UnauthorizedOperation", "remediation_iam_policy"),
        ({"action": "CreateVolume", "kind": "error", "code": "OptInRequired"}, "OptInRequired", "Activate EC2"),
    ],
)
def test_what_cannot_be_helped_ends_at_once_with_the_remedy(
    calm: EmulatorProcess, fault: dict[str, Any], code: str, remedy: str
) -> None:
    want = wanted(calm)
    calm.control("fault", {**fault, "times": 50})
    with pytest.raises(EbsError) as caught:
        whole_run(calm, want, troubles=False)
    assert caught.value.code == code
    assert remedy in caught.value.remedy
    tried = [entry for entry in calm.control("log") if entry["action"] == fault["action"]]
    assert len([entry for entry in tried if "DryRun" not in entry["params"]]) == 1
    calm.control("clear_faults", {})
    whole_run(calm, want, troubles=False)
    assert len(bought(calm, want.txn)) == 1


def test_a_refused_quota_is_believed_only_after_a_look_at_the_tags(calm: EmulatorProcess) -> None:
    """EC2 checks the quota before the token: the retry of a create that succeeded may be refused."""
    want = wanted(calm)
    plan = [{"action": "CreateVolume", "kind": "lost_answer"}, {"action": "CreateVolume", "kind": "limit", "times": 5}]
    calm.control("fault", plan)
    whole_run(calm, want, troubles=False)
    assert len(bought(calm, want.txn)) == 1
