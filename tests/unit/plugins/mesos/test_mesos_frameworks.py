"""When a framework is registered, updated, renewed, removed, or left alone."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from ansible_collections.mesos_scaleio.platform.plugins.module_utils._mesos import frameworks
from ansible_collections.mesos_scaleio.platform.plugins.module_utils._mesos.errors import BadOption, Conflict
from ansible_collections.mesos_scaleio.platform.plugins.module_utils._mesos.frameworks import Wanted, derived_id

WANTED = Wanted(name="powerflex", user="root", roles=("scaleio",), principal="ops", failover_timeout_seconds=1000)
OWN_ID = derived_id("powerflex", "ops")
NOW = 50_000.0


def listed(framework_id: str = OWN_ID, age_seconds: float = 10, **changes: Any) -> dict[str, Any]:
    """The framework as a leader lists it when it is as declared."""
    return {
        **WANTED.described(),
        "id": framework_id,
        "connected": False,
        "recovered": False,
        "registered_time_seconds": NOW - 10_000,
        "reregistered_time_seconds": NOW - age_seconds,
        **changes,
    }


def actions(wanted: Wanted, *present: dict[str, Any], completed: tuple[str, ...] = ()) -> list[tuple[str, str]]:
    plan = frameworks.plan_present(wanted, present, frozenset(completed), NOW)
    return [(step["action"], step["framework_id"]) for step in plan.steps]


def test_derived_ids_are_stable_readable_and_tell_principals_apart() -> None:
    assert derived_id("powerflex", "ops") == "powerflex-bf1a88bca1c3"
    assert derived_id("powerflex", "ops") != derived_id("powerflex", "dev")
    assert derived_id("my / framework: 1", "").startswith("my-framework-1-")
    assert derived_id("///", "").startswith("framework-")


def test_not_there_is_registered_under_the_first_id_that_was_never_removed() -> None:
    assert actions(WANTED) == [("register", OWN_ID)]
    assert actions(WANTED, completed=(OWN_ID,)) == [("register", f"{OWN_ID}-2")]
    assert actions(WANTED, completed=(OWN_ID, f"{OWN_ID}-2")) == [("register", f"{OWN_ID}-3")]
    with pytest.raises(Conflict, match="does not take a removed id back"):
        actions(replace(WANTED, id="mine"), completed=("mine",))


@pytest.mark.parametrize("framework_id", [OWN_ID, f"{OWN_ID}-2", "4cc2a9e8-0000"])
def test_as_declared_is_left_alone_under_whatever_id(framework_id: str) -> None:
    assert actions(WANTED, listed(framework_id)) == []


def test_a_framework_of_another_principal_is_another_framework() -> None:
    assert actions(WANTED, listed("4cc2a9e8-0000", principal="dev")) == [("register", OWN_ID)]


def test_own_id_wins_over_others_of_that_name_and_doubt_is_an_error() -> None:
    assert actions(WANTED, listed(), listed("4cc2a9e8-0000", labels={"a": "b"})) == []
    with pytest.raises(Conflict, match=r"4cc2a9e8-0000, 4cc2a9e8-0001.*id"):
        actions(WANTED, listed("4cc2a9e8-0000"), listed("4cc2a9e8-0001"))


@pytest.mark.parametrize(
    ("age_seconds", "changes", "expected"),
    [
        (499, {}, []),
        (501, {}, ["renew"]),
        (501, {"connected": True}, []),
        (10, {"recovered": True}, ["renew"]),
        (501, {"labels": {"old": "1"}}, ["update"]),
        (10, {"reregistered_time_seconds": None}, ["renew"]),
    ],
)
def test_renewal_comes_half_way(age_seconds: float, changes: dict[str, Any], expected: list[str]) -> None:
    assert [action for action, _ in actions(WANTED, listed(age_seconds=age_seconds, **changes))] == expected


def test_changes_are_named_with_both_sides() -> None:
    plan = frameworks.plan_present(WANTED, [listed(roles=["old"], webui_url="http://x/")], frozenset(), NOW)
    assert plan.steps[0]["changes"] == {
        "roles": {"before": ["old"], "after": ["scaleio"]},
        "webui_url": {"before": "http://x/", "after": ""},
    }


@pytest.mark.parametrize("changes", [{"user": "nobody"}, {"checkpoint": False}])
def test_what_cannot_be_changed_is_an_error(changes: dict[str, Any]) -> None:
    with pytest.raises(Conflict, match="cannot be changed"):
        actions(WANTED, listed(**changes))


def test_a_connected_scheduler_is_respected() -> None:
    assert actions(WANTED, listed(connected=True)) == []
    with pytest.raises(Conflict, match="push that scheduler off"):
        actions(WANTED, listed(connected=True, hostname="h"))
    with pytest.raises(Conflict, match="connected scheduler"):
        frameworks.plan_absent("powerflex", "ops", "", False, [listed(connected=True)])
    assert frameworks.plan_absent("powerflex", "ops", "", True, [listed(connected=True)]).steps


def test_absent_only_removes_what_is_there() -> None:
    assert frameworks.plan_absent("powerflex", "ops", "", False, []).steps == ()
    assert frameworks.plan_absent("powerflex", "ops", "other-id", False, [listed()]).steps == ()
    removal = frameworks.plan_absent("powerflex", "ops", "", False, [listed(f"{OWN_ID}-3")])
    assert removal.steps == ({"action": "teardown", "framework_id": f"{OWN_ID}-3"},)


@pytest.mark.parametrize("role", ["*", "scaleio", "scaleio/mdm", "a.b-c_d"])
def test_valid_roles(role: str) -> None:
    assert frameworks.role_problem(role) == ""


@pytest.mark.parametrize("role", ["", "/a", "a/", "a//b", ".", "a/..", "a/*", "-a", "a/-b", "a b", "a\tb", "a\x7f"])
def test_invalid_roles(role: str) -> None:
    assert frameworks.role_problem(role)
    with pytest.raises(BadOption):
        frameworks.validate(replace(WANTED, roles=(role,)))


@pytest.mark.parametrize(
    "changes", [{"roles": ()}, {"roles": ("a", "a")}, {"failover_timeout_seconds": 0}, {"id": ".."}]
)
def test_invalid_declarations(changes: dict[str, Any]) -> None:
    frameworks.validate(WANTED)
    with pytest.raises(BadOption):
        frameworks.validate(replace(WANTED, **changes))
