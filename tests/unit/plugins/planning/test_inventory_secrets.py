"""Secrets that stop an installation, and that no message shows."""

import pytest

from ansible_collections.mesos_scaleio.platform.plugins.module_utils._planning.inventory_secrets import (
    SECRETS,
    secret_problems,
)

GOOD = dict(zip(SECRETS, ("9f2c61d0-Mdm-A", "77ab01ce-Lia-B", "c3d4e5f6-Gw-C")))


def test_good_ones_pass():
    assert secret_problems({"agent1": GOOD, "agent2": {}}) == []


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ("CHANGE ME: a password of its own", "placeholder"),
        ("Change-Me-1", "placeholder"),
        ("<Your password 1>", "placeholder"),
        ("admin", "everybody knows"),
        ("Password123!", "everybody knows"),
        ("P@ssw0rd", "everybody knows"),
        ("ScaleIO1!", "everybody knows"),
        ("aB3$", "weaker"),
        ("onlysmalllettersherebutlong", "weaker"),
    ],
)
def test_bad_ones_are_named_without_their_value(value, reason):
    (said,) = secret_problems({"agent1": {**GOOD, "scaleio_lia_token": value}})
    assert said.startswith("Variable scaleio_lia_token ")
    assert reason in said
    assert value not in said


def test_one_value_for_two_purposes_is_refused():
    (said,) = secret_problems({"agent1": {**GOOD, "scaleio_lia_token": GOOD["scaleio_admin_password"]}})
    assert "scaleio_admin_password, scaleio_lia_token have the same value" in said
    assert GOOD["scaleio_admin_password"] not in said
