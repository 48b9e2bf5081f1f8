"""What the role documents of the policy is what the planner reads: the same keys, and the same defaults."""

from dataclasses import fields
from pathlib import Path

import pytest
import yaml
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from ansible_collections.mesos_scaleio.platform.plugins.module_utils._planning import policy as reader
from tests.unit.plugins.remediation.worlds import policy

CHECKOUT = Path(__file__).parents[4]
SPECS = yaml.safe_load((CHECKOUT / "roles/remediation/meta/argument_specs.yml").read_text())["argument_specs"]
POLICY = SPECS["decide"]["options"]["remediation_policy"]
POOL = POLICY["options"]["pools"]["options"]
SMALLEST = {"budget": {"monthly_usd": 100}, "pools": [{"storage_pool": "default", "target_percent": 70}]}


@pytest.mark.parametrize(
    ("documented", "kind"), [(POOL, reader.PoolPolicy), (POOL["volume"]["options"], reader.VolumeSpec)]
)
def test_keys_and_defaults_are_those_of_the_planner(documented, kind):
    assert set(documented) == {item.name for item in fields(kind)}
    for item in fields(kind):
        described = documented[item.name]
        if item.name != "volume" and not described.get("required"):
            default = described.get("default")
            assert (tuple(default) if isinstance(default, list) else default) == item.default, item.name


def test_the_other_keys_are_those_of_the_planner():
    options = POLICY["options"]
    assert set(options) == set(reader.TOP_KEYS)
    assert set(options["budget"]["options"]) == set(reader.BUDGET_KEYS)
    assert set(options["windows"]["options"]) == set(reader.WINDOW_KEYS)
    assert options["volume_quota_gib"]["default"] == reader.DEFAULT_QUOTA_GIB
    assert options["price_usd_per_gib_moved"]["default"] == reader.Prices().gib_moved


@pytest.mark.parametrize("document", [SMALLEST, policy(max_pool_gib=5000)])
def test_both_take_a_policy_that_is_right(document):
    validator = ArgumentSpecValidator({"remediation_policy": POLICY})
    assert validator.validate({"remediation_policy": document}).error_messages == []
    assert reader.problems_of(document) == []


def test_pool_target_and_budget_are_enough():
    pool = reader.parse(SMALLEST).pools[0]
    assert (pool.target_percent, pool.high_percent, pool.max_step_percent) == (70, 80, 25)


def test_problems_of_nothing():
    assert reader.problems_of(None) == ["policy: must be a mapping, got nothing"]
    assert len(reader.problems_of({})) == 2


def test_mistakes_are_numbered_and_null_is_as_good_as_left_out():
    pool = {"storage_pool": "default", "protection_domain": None}
    assert reader.parse({**SMALLEST, "pools": [pool]}).pools[0].protection_domain is None
    with pytest.raises(reader.PolicyError) as wrong:
        reader.parse({"budget": {}, "pools": [{**pool, "volume": [1]}]})
    assert str(wrong.value).startswith("(1) budget.monthly_usd: is required")
    assert str(wrong.value).endswith(" (2) pools[0].volume: must be a mapping, got a list")
