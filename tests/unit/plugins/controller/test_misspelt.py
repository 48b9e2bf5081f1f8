"""A variable that is nearly one of the role's is told of, and no other."""

import re

import yaml

from ansible_collections.mesos_scaleio.platform.plugins.module_utils._controller.misspelt import misspelt
from lab.paths import CHECKOUT

SPECS = yaml.safe_load((CHECKOUT / "roles/remediation/meta/argument_specs.yml").read_text())["argument_specs"]


def test_a_letter_too_few_is_told():
    names = ["remediation_aproval", "remediation_policy", "remediation_of_mine", "mediation_approval", "other"]
    (sentence,) = misspelt("remediation", SPECS, names)
    assert sentence == "No input of role remediation is named remediation_aproval; did you mean remediation_approval?"


def test_none_of_our_own_names_is_told():
    files = [path for folder in ("playbooks", "roles", "inventories") for path in (CHECKOUT / folder).rglob("*.yml")]
    names = {name for path in files for name in re.findall(r"\bremediation_[a-z_]+", path.read_text())}
    assert len(names) > 80
    assert misspelt("remediation", SPECS, names) == []
