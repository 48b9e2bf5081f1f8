"""Which new devices that failed are taken out again, which are left to people, and what follows."""

import pytest

from ansible_collections.mesos_scaleio.platform.plugins.filter.remediation_rollbacks import remediation_rollbacks
from ansible_collections.mesos_scaleio.platform.plugins.module_utils._planning.approval import Consent
from tests.unit.plugins.remediation.worlds import NOW, bought, decide, iso, policy, system, with_devices

QUARANTINED = "mesos-scaleio:quarantined"
SOON = NOW + 60


def grown():
    """A pool whose newest purchase is added, of which the device on agent2 is in error and empty."""
    world = system(used=0.85)
    volumes = [bought(action) for action in decide(world).actions]
    world = with_devices(world, volumes)
    for item in world["devices"]:
        item["in_use_kib"] = 0 if item["name"].startswith("vol-") else 2**30
    failed = next(volume for volume in volumes if volume["tags"]["mesos-scaleio:sds"] == "s2")
    device_of(world, failed)["error_state"] = "Error"
    return world, volumes, failed


def device_of(world, volume):
    return next(item for item in world["devices"] if item["name"] == volume["id"])


def without_device(world, volume):
    world["devices"].remove(device_of(world, volume))
    return world


def test_a_new_device_that_failed_without_data_is_taken_out_before_anything_else():
    world, volumes, failed = grown()
    decision = decide(world, volumes, now=SOON)
    (one,) = decision.rollbacks
    assert (one.volume_id, one.device_id, one.sds) == (failed["id"], device_of(world, failed)["id"], "agent2")
    assert (decision.status, decision.actions, decision.failure.code) == ("blocked", (), "device_failed")
    assert f"{failed['id']} of agent2" in decision.failure.message
    assert "The next one buys another" in decision.failure.remedy
    assert [own["volume_id"] for own in remediation_rollbacks(world, volumes, SOON, ["p-default"])] == [failed["id"]]


def test_a_pool_of_another_job_is_left_to_that_job():
    world, volumes, _failed = grown()
    world["storage_pools"].append(dict(world["storage_pools"][0], id="p-other", name="other"))
    decision = decide(world, volumes, policy(pools=("other",)), now=SOON)
    assert (decision.rollbacks, [pool.name for pool in decision.pools]) == ((), ["other"])
    assert remediation_rollbacks(world, volumes, SOON, ["p-other"]) == []


def test_a_test_that_failed_counts_as_an_error():
    world, volumes, failed = grown()
    device_of(world, failed).update(error_state="None", state="InitialTestFailed")
    assert decide(world, volumes, now=SOON).rollbacks
    device_of(world, failed)["state"] = "InitialTest"
    assert decide(world, volumes, now=SOON).rollbacks == ()


def older(world, volumes, failed):
    """Another purchase came after it."""
    later = dict(volumes[0], id="vol-later", tags={**volumes[0]["tags"], "mesos-scaleio:sequence": "2"})
    volumes.append(later)


def with_data(world, volumes, failed):
    device_of(world, failed)["in_use_kib"] = 1


def not_told(world, volumes, failed):
    del device_of(world, failed)["in_use_kib"]


def long_ago(world, volumes, failed):
    for volume in volumes:
        volume["created"] = iso(SOON - 86_400)


def a_persons_mark(world, volumes, failed):
    failed["tags"][QUARANTINED] = "looking at it"


def other_pool(world, volumes, failed):
    failed["tags"]["mesos-scaleio:pool"] = "p-other"


def other_server(world, volumes, failed):
    failed["tags"]["mesos-scaleio:sds"] = "s1"


def a_drills(world, volumes, failed):
    failed["tags"]["mesos-scaleio:drill"] = "true"


def degraded(world, volumes, failed):
    world["storage_pools"][0]["capacity"]["degraded_kib"] = 1


def rebuilding(world, volumes, failed):
    world["storage_pools"][0]["capacity"]["rebuild_pending_kib"] = 1


def server_away(world, volumes, failed):
    world["sds"][1].update(healthy=False, connection_state="Disconnected")


def frozen_by_tag(world, volumes, failed):
    volumes[0]["tags"]["mesos-scaleio:freeze"] = "wait"


@pytest.mark.parametrize(
    "change",
    [
        older,
        with_data,
        not_told,
        long_ago,
        a_persons_mark,
        other_pool,
        other_server,
        a_drills,
        degraded,
        rebuilding,
        server_away,
        frozen_by_tag,
    ],
)
def test_all_else_is_left_to_people(change):
    world, volumes, failed = grown()
    change(world, volumes, failed)
    assert decide(world, volumes, now=SOON).rollbacks == ()
    assert remediation_rollbacks(world, volumes, SOON, ["p-default"]) == []


def test_nobody_is_touched_in_a_freeze_or_where_nothing_may_be_done():
    world, volumes, _failed = grown()
    assert decide(world, volumes, now=SOON, freeze="by hand").rollbacks == ()
    assert decide(world, volumes, now=SOON, consent=Consent("never")).rollbacks == ()


def test_what_a_run_has_begun_the_next_one_ends():
    world, volumes, failed = grown()
    failed["tags"][QUARANTINED] = "device failed"
    assert decide(world, volumes, now=SOON).rollbacks[0].device_id
    device_of(world, failed).update(state="RemovePending", in_use_kib=1)
    assert decide(world, volumes, now=SOON).rollbacks[0].device_id
    without_device(world, failed)
    (one,) = decide(world, volumes, now=SOON).rollbacks
    assert (one.volume_id, one.device_id) == (failed["id"], None)
    failed["attachments"] = []
    assert decide(world, volumes, now=SOON).rollbacks == ()


def taken_out():
    world, volumes, failed = grown()
    failed["tags"][QUARANTINED] = "device failed"
    failed["attachments"] = []
    return without_device(world, failed), volumes, failed


def test_its_fault_unit_gets_another_one():
    world, volumes, failed = taken_out()
    decision = decide(world, volumes, now=SOON)
    (pool,) = decision.pools
    assert (pool.status, pool.resumed) == ("planned", True)
    (new,) = [action for action in decision.actions if not action.volume_id]
    assert (new.sds, new.txn, new.slot) == ("agent2", failed["tags"]["mesos-scaleio:txn"], 0)
    # And then all is done, whatever becomes of the volume that is left.
    replaced = [*volumes, dict(bought(new), id="vol-new")]
    after = with_devices(world, [replaced[-1]])
    assert not decide(after, replaced, now=SOON).pools[0].resumed


def test_where_a_person_deleted_it_the_purchase_ends_without():
    world, volumes, failed = taken_out()
    rest = [volume for volume in volumes if volume is not failed]
    decision = decide(world, rest, now=SOON)
    assert (decision.actions, decision.pools[0].resumed) == ((), False)


def test_a_fault_unit_that_got_another_volume_waits_for_the_next_purchase():
    world = system(sds=6, used=0.85, fault_sets=["a", "a", "b", "b", "c", "c"])
    rules = policy(max_step_percent=100, volume={"sizes_gib": [180]})
    volumes = [bought(action) for action in decide(world, rules=rules).actions]
    assert len(volumes) == 6
    volumes[0]["tags"][QUARANTINED] = "device failed"
    volumes[0]["attachments"] = []
    world = with_devices(world, volumes[1:])
    decision = decide(world, volumes, rules, now=SOON)
    assert (decision.actions, decision.pools[0].resumed) == ((), False)
    assert decision.failure is None
    # Nor does rule E17 stop the pool for ever, once it has to grow again.
    world["storage_pools"][0]["capacity"]["in_use_kib"] *= 2
    later = decide(with_devices(world, []), volumes, rules, now=NOW + 2 * 86_400)
    assert later.status == "planned"
