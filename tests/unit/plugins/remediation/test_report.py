"""The report: its status says what happened, its text fits on one screen."""

import copy
import json

import pytest

from ansible_collections.mesos_scaleio.platform.plugins.module_utils._planning.approval import Consent
from ansible_collections.mesos_scaleio.platform.plugins.module_utils._planning.model import snapshot_from
from ansible_collections.mesos_scaleio.platform.plugins.module_utils._planning.report import build, history, text
from ansible_collections.mesos_scaleio.platform.plugins.module_utils._planning.verification import (
    progress,
    topology_document,
    with_volumes,
)
from ansible_collections.mesos_scaleio.platform.plugins.module_utils._report.page import render
from tests.unit.plugins.remediation import worlds
from tests.unit.plugins.remediation.worlds import bought, decide, policy, system, with_devices

RUN = {
    "run_id": "20260101T000000Z-0001",
    "started_seconds": 1000.0,
    "finished_seconds": 1030.5,
    "system": {"id": "sys1", "name": "lab"},
    "marks": [{"step": "observe", "at_seconds": 1000.0}, {"step": "decide", "at_seconds": 1002.0}],
    "api_calls": [{"CreateVolume": 2}, {"CreateVolume": 1, "DescribeVolumes": 4}, {"ScaleIO": 2}],
}


def report(decision, after=(), **run):
    return build(json.loads(json.dumps(decision.as_dict())) if decision else None, {**RUN, **run}, after)


def expanded():
    """A decision, its volumes, and the system before and after."""
    world = system(used=0.85)
    decision = decide(world)
    ec2 = [bought(action) for action in decision.actions]
    ids = [
        {"txn": action.txn, "sds": action.sds_id, "slot": action.slot, "id": volume["id"]}
        for action, volume in zip(decision.actions, ec2, strict=True)
    ]
    volumes = with_volumes(decision.as_dict()["actions"], ids)
    return decision, volumes, world, with_devices(world, ec2)


def test_quiet():
    made = report(decide(system(used=0.5)))
    assert made["status"] == "ok"
    assert made["volumes"] == []
    assert "50 % of what may be written is in use, below 80 %" in text(made)


def test_expanded():
    decision, volumes, _before, after = expanded()
    made = report(
        decision, after["storage_pools"], volumes=volumes, verification={"complete": True, "text": "", "missing": []}
    )
    assert made["status"] == "changed"
    assert made["api_calls"] == {"CreateVolume": 3, "DescribeVolumes": 4, "ScaleIO": 2}
    assert made["steps"] == [{"name": "observe", "seconds": 2.0}, {"name": "decide", "seconds": 28.5}]
    screen = text(made)
    assert "default/default: expanded, 3 x 100 GiB gp3" in screen
    assert "85.00 % of what may be written" in screen
    assert f"{made['pools'][0]['after']['used_percent']:.2f} %" in screen
    assert "0.00 -> 24.00 USD a month" in screen
    assert history(made)[0]["pool_status"] == "planned"
    assert history(made)[0]["limit_kib"] == after["storage_pools"][0]["capacity"]["limit_kib"]


@pytest.mark.parametrize(
    ("run", "status"),
    [
        ({"check_mode": True}, "planned"),
        ({"failure": {"message": "no", "step": "buy"}}, "failed"),
        ({"failure": {"message": "no", "step": "verify"}}, "verify_failed"),
    ],
)
def test_status_of_what_did_not_end_well(run, status):
    assert report(decide(system(used=0.85)), **run)["status"] == status


def test_check_mode_shows_all_since_it_writes_no_other_report_and_how_to_approve():
    names = tuple(f"pool{number}" for number in range(3))
    rules = policy(pools=names, monthly_usd=10**6, max_volumes_per_action=100)
    decision = decide(system(sds=60, used=0.86, pools=names), rules=rules, consent=Consent("approve"))
    made = report(decision, check_mode=True)
    shown = text(made)
    assert "more lines" in text({**made, "check_mode": False})
    assert "more lines" not in shown
    assert shown.count("E11 ") == 3
    assert shown.splitlines()[-1].endswith(f"-e remediation_approved_plan={decision.plan_hash[:12]} to buy this")


def test_a_failure_names_its_pool_and_how_many_have_one():
    world = system(used=0.9, pools=("good", "bad"))
    decision = decide(world, rules=policy(pools=("good", "bad")), machines=[])
    assert decision.failure.message.startswith("pool bad: ")
    assert decision.failure.message.endswith(" (and 1 more, see the report)")
    assert decision.failure.remedy.startswith("Check the Region and the account of ebs_connection")


def test_failure_before_a_decision():
    made = report(None, failure={"message": "The password is wrong.", "remedy": "Correct it.", "step": "observe"})
    assert made["status"] == "failed"
    assert "The password is wrong." in text(made)
    assert "Correct it." in text(made)


def test_blocked_names_the_remedy():
    world = system(used=0.9)
    made = report(decide(world, machines=worlds.instances(world, free_slots=0)))
    assert made["status"] == "blocked"
    assert "no free attach slot" in " ".join(text(made).split())


def test_what_is_deleted_is_told_before_and_after():
    world, lost = two_for_one()
    decision = decide(world, lost, {**policy(), "delete_orphans": True}, clock_ahead_seconds=0.0)
    assert (decision.expired, decision.orphans) == (("vol-old",), ("vol-new",))
    (costs,) = [verdict.text for verdict in decision.rules if verdict.name == "orphans"]
    assert "vol-old (an orphan, to be deleted)" in costs
    before = report(decision, check_mode=True)
    planned = [("tag_volume", "vol-new"), ("delete_volume", "vol-old")]
    assert [(step["action"], step["volume_id"]) for step in before["orphans_planned"]] == planned
    told = "to be deleted: vol-old; to be marked as orphans: vol-new"
    assert (f"Orphans   {told}" in text(before), told in render(before, {})) == (True, True)
    assert "Orphans" not in text(report(decision))  # it came to nothing
    after = text(report(decision, orphans=[{"action": "delete_volume", "volume_id": "vol-old", "more": 1}]))
    assert "Orphans   deleted: vol-old\n" in after


def two_for_one():
    """A system with a device for which three volumes were bought; of the other two one is an orphan for a day."""
    added = bought(decide(system(used=0.85)).actions[0])
    old, new = (
        {**copy.deepcopy(added), "id": name, "state": "available", "attachments": []} for name in ("vol-old", "vol-new")
    )
    since = worlds.moment(worlds.NOW - 86_400).strftime("%Y-%m-%dT%H:%M:%SZ")
    old["tags"]["mesos-scaleio:quarantined"] = f"orphan of {old['tags']['mesos-scaleio:txn']} since {since}"
    return with_devices(system(used=0.5), [added]), [added, old, new]


@pytest.mark.parametrize("pools", [1, 3, 12])
@pytest.mark.parametrize("sds", [3, 60])
def test_one_screen_whatever_the_size(pools, sds):
    names = tuple(f"pool-with-quite-a-long-name-{number}" for number in range(pools))
    rules = policy(pools=names, monthly_usd=10**6, max_volumes_per_action=100)
    made = report(decide(system(sds=sds, used=0.86, pools=names), rules=rules), failure={"message": "word " * 200})
    lines = text(made).splitlines()
    assert len(lines) <= 24
    assert max(map(len, lines)) <= 100
    assert lines[-1].startswith("Next")


def test_a_volume_of_another_type_than_was_asked_for_says_so():
    decision = decide(system(used=0.85), rules=policy(volume={"sizes_gib": [100], "fallback_types": ["gp2"]}))
    actions = json.loads(json.dumps(decision.as_dict()))["actions"]
    shown = text(report(decision))
    assert "(to buy) 100 GiB gp3 or gp2 for agent1" in shown
    assert "0.00 -> at most 30.00 USD a month" in shown
    ids = [{"txn": own["txn"], "sds": own["sds_id"], "slot": own["slot"]} for own in actions]
    bought_as = [{**own, "id": f"vol-{'0' * 16}{number}", "type": kind} for number, (own, kind) in
                 enumerate(zip(ids, ("gp2", "gp3", "gp3"), strict=True))]  # fmt: skip
    volumes = with_volumes(actions, bought_as)
    assert [(own["type"], own["instead_of"]) for own in volumes] == [("gp2", "gp3"), ("gp3", None), ("gp3", None)]
    made = report(decision, volumes=volumes)
    assert f"vol-{'0' * 17} 100 GiB gp2 (not gp3) for agent1, i-agent1, us-east-1a" in text(made)
    assert f"vol-{'0' * 16}1 100 GiB gp3 for agent2" in text(made)
    page = render(made, {})
    assert "<td>gp2 (not gp3)</td>" in page
    assert "at most 30.00 USD" in page


def test_progress_until_every_device_is_normal_and_the_pool_has_grown():
    decision, volumes, before, after = expanded()
    pools = decision.as_dict()["pools"]
    nothing = progress(snapshot_from(before), pools, volumes)
    assert not nothing.complete
    assert len(nothing.missing) == 4
    after["devices"][-1]["state"] = "InitialTest"
    almost = progress(snapshot_from(after), pools, volumes)
    assert (almost.complete, len(almost.missing)) == (False, 1)
    assert "2 of 3 devices Normal" in almost.text
    after["devices"][-1]["state"] = "Normal"
    after["storage_pools"][0]["capacity"]["limit_kib"] -= round(0.02 * decision.pools[0].added_kib)
    assert not progress(snapshot_from(after), pools, volumes).complete
    done = progress(snapshot_from(worlds.refresh(after)), pools, volumes)
    assert (done.complete, "% full, balanced" in done.text) == (True, True)
    after["storage_pools"][0]["capacity"]["rebalance_pending_kib"] = 7 * 1024**2
    assert "7 GiB to move" in progress(snapshot_from(after), pools, volumes).text
    after["storage_pools"][0]["rebalance_enabled"] = False
    assert "rebalance is off" in progress(snapshot_from(after), pools, volumes).text


def test_topology_names_devices_by_volume_and_leaves_out_what_is_in_its_pool():
    _decision, volumes, _before, _after = expanded()
    volumes[0]["in_pool"] = True
    proofs = [{"volume_id": item["volume_id"], "path": f"/dev/disk/by-id/{item['volume_id']}"} for item in volumes[1:]]
    document = topology_document(volumes, proofs)
    assert [sds["name"] for sds in document["protection_domains"][0]["sds"]] == ["agent2", "agent3"]
    device = document["protection_domains"][0]["sds"][0]["devices"][0]
    assert device == {"name": volumes[1]["volume_id"], "path": proofs[0]["path"], "storage_pool": "default"}


def test_what_would_lift_a_cap_and_what_holds_for_all_pools_is_on_the_screen():
    made = report(decide(system(used=0.86), rules=policy(monthly_usd=10), freeze=None), status="capped")
    screen = text(made)
    assert "lifts   budget.monthly_usd: 10 now, 24 would be enough" in screen
    frozen = text(report(decide(system(used=0.86), freeze="change 4711")))
    assert "System    E7 freeze: change 4711" in frozen
