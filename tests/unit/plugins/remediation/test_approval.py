"""Rule E13: the hash of a plan is what is approved, once, for a day."""

import dataclasses
import json
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ansible_collections.mesos_scaleio.platform.plugins.module_utils._controller import plan as remediation_plan
from ansible_collections.mesos_scaleio.platform.plugins.module_utils._planning.approval import Consent
from tests.unit.plugins.remediation import worlds
from tests.unit.plugins.remediation.worlds import NOW, bought, decide, policy, seen_before, system, with_devices

WORLD = system(used=0.86)
PLAN = decide(WORLD).plan_hash


def approval(given="", *, world=WORLD, **more):
    return decide(world, consent=Consent("approve", given), **more).approval


def test_modes():
    assert decide(WORLD).approval.granted
    assert not decide(WORLD, consent=Consent("never")).approval.granted
    assert decide(system(used=0.5), consent=Consent("approve")).approval is None


@pytest.mark.parametrize(
    ("given_hash", "granted"),
    [("", False), (PLAN, True), (PLAN[:12], True), (PLAN[:11], False), (f" {PLAN.upper()}\n", True), ("0" * 64, False)],
)
def test_only_the_hash_of_this_plan_approves_it(given_hash, granted):
    answer = approval(given_hash)
    assert answer.granted is granted
    assert granted or PLAN in answer.text


def test_fill_may_change_while_somebody_makes_up_his_mind_but_not_the_plan():
    assert approval(PLAN, world=system(used=0.87)).granted
    assert not approval(PLAN, rules=policy(volume={"sizes_gib": [200]})).granted
    assert not approval(PLAN, world=system(used=0.86, sds=4)).granted


KEY = "arn:aws:kms:us-east-1:123456789012:key/0a1b"
DEAR = {"sizes_gib": [1000], "iops": 16000, "throughput": 1000}


@pytest.mark.parametrize(
    "other",
    [{"iops": 16000}, {"throughput": 500}, {"encrypted": False}, {"kms_key_id": KEY}],
    ids=lambda other: next(iter(other)),
)
def test_an_approval_is_for_volumes_of_this_price_and_secrecy(other):
    plain = decide(WORLD, rules=policy(volume=DEAR | {"iops": 6000}, max_step_percent=1000))
    changed = policy(volume=DEAR | {"iops": 6000} | other, max_step_percent=1000)
    assert [action.size_gib for action in decide(WORLD, rules=changed).actions] == [1000] * 3
    assert approval(plain.plan_hash, rules=policy(volume=DEAR | {"iops": 6000}, max_step_percent=1000)).granted
    assert not approval(plain.plan_hash, rules=changed).granted


def test_what_is_part_of_the_type_may_be_said_or_not():
    """EC2 tells it of every volume, so a purchase that was begun would otherwise have another hash."""
    said = policy(volume={"iops": 3000, "throughput": 125})
    assert approval(PLAN, rules=said).granted
    fast = policy(volume={"sizes_gib": [100], "iops": 6000, "throughput": 500})
    first = decide(WORLD, rules=fast)
    begun = [{**bought(action), "iops": 6000, "throughput": 500} for action in first.actions[:1]]
    assert decide(WORLD, begun, fast).plan_hash == first.plan_hash


def shown(ago_hours):
    """A history in which plans were first shown that many hours ago, by their hash."""
    planned = {plan: NOW - 3600 * hours for plan, hours in ago_hours.items()}
    return dataclasses.replace(seen_before(WORLD), planned_seconds=planned)


def test_an_approval_expires_a_day_after_the_plan_was_shown():
    past = shown({PLAN: 23})
    assert approval(PLAN, history=past).granted
    past = shown({PLAN: 25})
    late = approval(PLAN, history=past)
    assert not late.granted
    assert "has expired: it was first shown at 2027-01-14T07:00Z" in late.text


def test_a_plan_that_has_expired_is_shown_anew_and_can_be_approved_anew():
    """Shown on Friday evening, approved on Monday: the pool must not fill up meanwhile."""
    names, planned = [PLAN], {PLAN: 63}
    for _day in range(2):
        past = shown(planned)
        again = decide(WORLD, consent=Consent("approve", PLAN), history=past)
        assert not again.approval.granted
        assert (
            f"plan {again.plan_hash} waits for approval; the approved one ({PLAN[:12]}) is the same"
            in again.approval.text
        )
        assert again.plan_hash not in names
        unasked = approval("", history=past)
        assert (
            unasked.text
            == f"plan {again.plan_hash} waits for approval; {names[-1][:12]}, as it was shown before, has expired"
        )
        for old in names:
            assert not approval(old, history=past).granted
        assert approval(again.plan_hash[:12], history=past).granted
        names.append(again.plan_hash)
        planned = {**planned, names[-1]: 30}
    fresh = shown({**planned, names[-1]: 2})
    assert decide(WORLD, consent=Consent("approve"), history=fresh).plan_hash == names[-1]
    # The first showings leave history after 14 days; what was approved then stays expired.
    forgotten = shown({names[-1]: 2})
    assert approval(names[-1], history=forgotten).granted
    assert not approval(PLAN, history=forgotten).granted
    assert f"the approved one ({PLAN[:12]}) is the same, but has expired" in approval(PLAN, history=forgotten).text


def test_where_nobody_is_asked_a_plan_keeps_its_hash():
    past = shown({PLAN: 63})
    for consent in (Consent("auto"), Consent("never")):
        assert decide(WORLD, history=past, consent=consent).plan_hash == PLAN
    volumes = [bought(action) for action in decide(WORLD).actions[:1]]
    begun = decide(WORLD, volumes, history=past, consent=Consent("approve"))
    assert (begun.plan_hash, begun.approval.granted) == (PLAN, True)


def test_the_module_shows_an_expired_plan_anew(tmp_path):
    now = time.time()
    room = WORLD["storage_pools"][0]["capacity"]
    seen = {"pool_id": "p-default", "used_percent": 86.0, **{key: room[key] for key in ("limit_kib", "in_use_kib")}}
    file = tmp_path / "history.jsonl"

    def answer(given, *lines):
        entries = [{**seen, "at": worlds.iso(now - 3600 * hours), "plan_hash": plan} for hours, plan in lines]
        file.write_text("".join(f"{json.dumps(entry)}\n" for entry in entries))
        params = {key: option.get("default") for key, option in remediation_plan.SPEC.items()}
        found = {"system": WORLD, "volumes": [], "instances": worlds.instances(WORLD), "policy": policy()}
        asked = {"approval": "approve", "approved_plan": given, "history_file": str(file)}
        return remediation_plan.answer({**params, **found, **asked})["decision"]

    late = answer(PLAN, (63, PLAN))
    assert not late["approval"]["granted"]
    renewed = late["plan_hash"]
    assert renewed != PLAN
    assert answer(renewed, (63, PLAN), (1, renewed))["approval"]["granted"]
    assert answer(PLAN, (63, PLAN), (1, renewed))["plan_hash"] == renewed
    assert not answer(PLAN, (63, PLAN), (1, renewed))["approval"]["granted"]


def test_what_was_approved_once_is_not_approved_for_the_next_purchase():
    volumes = [bought(action) for action in decide(WORLD).actions]
    grown = with_devices(WORLD, volumes)
    room = grown["storage_pools"][0]["capacity"]
    room["in_use_kib"] = round(0.9 * (room["limit_kib"] - room["spare_kib"]))
    again = decide(grown, volumes, consent=Consent("approve", PLAN), now=NOW + 7200)
    assert {(a.sds, a.size_gib) for a in again.actions} == {(a.sds, a.size_gib) for a in decide(WORLD).actions}
    assert not again.approval.granted


def test_what_was_begun_is_finished_without_another_approval():
    volumes = [bought(action) for action in decide(WORLD).actions[:1]]
    assert decide(WORLD, volumes, consent=Consent("approve")).approval.granted
    assert not decide(WORLD, volumes, consent=Consent("never")).approval.granted


def test_critical_pools_skip_it_only_by_policy():
    rules = {**policy(), "critical_needs_approval": False}
    assert decide(WORLD, rules=rules, consent=Consent("approve")).approval.granted
    assert not decide(system(used=0.82), rules=rules, consent=Consent("approve")).approval.granted


def test_a_pool_that_is_finished_does_not_keep_a_critical_one_waiting():
    """Neither needs anybody, each for its own reason."""
    world = system(used=0.96, pools=("a", "b"))
    rules = {**policy(pools=("a", "b")), "critical_needs_approval": False}
    volumes = [bought(action) for action in decide(world, rules=rules).actions if action.pool == "a"]
    room = world["storage_pools"][0]["capacity"]
    room["in_use_kib"] = round(0.82 * (room["limit_kib"] - room["spare_kib"]))
    mixed = decide(world, volumes, rules, now=NOW + 1801, consent=Consent("approve"))
    assert {pool.name: (pool.resumed, pool.critical) for pool in mixed.pools} == {
        "a": (True, False),
        "b": (False, True),
    }
    assert {action.pool for action in mixed.actions} == {"a", "b"}
    assert mixed.approval.granted
    assert "finishes what was begun" in mixed.approval.text
    assert "critical_needs_approval: false" in mixed.approval.text
    asked = decide(world, volumes, policy(pools=("a", "b")), now=NOW + 1801, consent=Consent("approve"))
    assert {action.pool for action in asked.actions} == {"a"}
    assert asked.approval.granted


@settings(max_examples=60, deadline=None)
@given(st.floats(0.8, 1.0), st.integers(3, 6), st.text("0123456789abcdef", max_size=64))
def test_no_other_text_approves(used, sds, text):
    decision = decide(system(used=used, sds=sds), consent=Consent("approve", text))
    if decision.approval is not None:
        assert decision.approval.granted == (len(text) >= 12 and decision.plan_hash.startswith(text))
