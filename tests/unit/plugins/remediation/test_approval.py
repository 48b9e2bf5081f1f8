"""Rule E13: the hash of a plan is what is approved, once, for a day."""

import dataclasses

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ansible_collections.mesos_scaleio.platform.plugins.module_utils._planning.approval import Consent
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


def test_an_approval_expires_a_day_after_the_plan_was_shown():
    def shown(ago_hours):
        past = seen_before(WORLD)
        return dataclasses.replace(past, planned_seconds={PLAN: NOW - 3600 * ago_hours})

    assert approval(PLAN, history=shown(23)).granted
    late = approval(PLAN, history=shown(25))
    assert not late.granted
    assert "expired" in late.text


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


@settings(max_examples=60, deadline=None)
@given(st.floats(0.8, 1.0), st.integers(3, 6), st.text("0123456789abcdef", max_size=64))
def test_no_other_text_approves(used, sds, text):
    decision = decide(system(used=used, sds=sds), consent=Consent("approve", text))
    if decision.approval is not None:
        assert decision.approval.granted == (len(text) >= 12 and decision.plan_hash.startswith(text))
