"""A drill buys the smallest set although the pool is not full, and what it leaves is never taken for a purchase."""

import copy

import pytest

from ansible_collections.mesos_scaleio.platform.plugins.module_utils._controller import plan
from ansible_collections.mesos_scaleio.platform.plugins.module_utils._planning.drill import Drill, left_behind
from ansible_collections.mesos_scaleio.platform.plugins.module_utils._planning.model import snapshot_from
from tests.unit.plugins.remediation import worlds
from tests.unit.plugins.remediation.worlds import bought, decide, policy, system, with_devices

DRILL = Drill("default", 30.0)


def drilled(world=None, volumes=(), drill=DRILL, **more):
    return decide(world or system(used=0.5, disks_gib=(1000,)), volumes, drill=drill, history=None, **more)


def test_a_pool_that_is_half_full_gets_one_smallest_volume_on_each_fault_unit():
    decision = drilled()
    assert [(action.size_gib, action.sds, action.tags["mesos-scaleio:drill"]) for action in decision.actions] == [
        (100, f"agent{number}", "true") for number in (1, 2, 3)
    ]
    assert decision.rules[0].text == "pool default is taken as 82.5 % full; it is 50 %"
    real = decide(system(used=0.85, disks_gib=(1000,)), rules=policy(volume={"sizes_gib": [100]}, max_step_percent=5))
    assert len(real.actions) == 3
    assert decision.plan_hash != real.plan_hash


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"drill": Drill("default", 23.99)}, "more than budget.per_action_usd (23.99)"),
        ({"rules": policy(monthly_usd=10)}, "budget.monthly_usd"),
        ({"freeze": "change 4711"}, "frozen: change 4711"),
        ({"machines": []}, "no EC2 instance has one of its addresses"),
    ],
)
def test_every_rule_that_may_stop_an_expansion_stops_a_drill(more, words):
    decision = drilled(**more)
    assert decision.actions == ()
    assert words in decision.pools[0].reason


@pytest.mark.parametrize(
    ("used", "pool", "words"),
    [
        (0.86, "default", "pool default is 86 % full, which is no drill. Run playbooks/remediate.yml"),
        (0.5, "other", "the policy has no pool other; it has default. Name one of these with -e drill_pool=NAME"),
    ],
)
def test_what_is_no_drill_is_refused_without_blaming_the_policy(used, pool, words):
    world = system(used=used, disks_gib=(1000,))
    params = dict.fromkeys(plan.SPEC) | {"policy": policy(), "system": world, "volumes": []}
    params |= {"approval": "auto", "approved_plan": "", "approval_valid_hours": 24}
    drill = {"storage_pool": pool, "protection_domain": "", "per_action_usd": 30.0}
    answer = plan.answer({**params, "drill": drill})
    assert answer["msg"].startswith(f"The drill cannot be done: {words}")
    assert answer["failure"]["code"] == "drill_refused"
    assert "olicy is wrong" not in answer["msg"]


def test_what_a_drill_leaves_is_removed_before_anything_else_and_never_completed():
    """Killed with two of three volumes bought: neither the next drill nor the next run buys the third."""
    world = system(used=0.86)
    left = [bought(action) for action in drilled(system(used=0.5)).actions][:2]
    for decision in (decide(world, left), decide(system(used=0.5), left, drill=DRILL)):
        assert decision.drill_remains == tuple(sorted(volume["id"] for volume in left))
        assert (decision.actions, decision.pools[0].status) == ((), "waiting")
    assert decide(world, left, freeze="by hand").drill_remains == ()
    kept = [{**volume, "tags": {k: v for k, v in volume["tags"].items() if "drill" not in k}} for volume in left]
    assert decide(world, kept).pools[0].resumed


def test_what_is_not_as_before_is_named():
    before = system(used=0.5)
    volumes = [bought(action) for action in drilled(before).actions]
    ids = {volume["id"] for volume in volumes}
    during = with_devices(before, volumes)
    seen = [snapshot_from(world) for world in (before, during)]
    assert left_behind(seen[0], seen[0], ids) == []
    assert left_behind(seen[1], seen[0], ids) == []
    found = left_behind(seen[0], seen[1], ids)
    assert len(found) == 4
    assert found[3].startswith("pool default has ")
    fewer = copy.deepcopy(before)
    lost = fewer["devices"].pop()
    worlds.refresh(fewer)
    assert left_behind(seen[0], snapshot_from(fewer), ids)[0] == f"device {lost['name']} is gone"
