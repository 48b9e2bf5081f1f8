"""Each module that talks to a service is in that service's action group and takes its documented connection options."""

import ast
import importlib
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
MODULES = {path.stem: path for path in sorted((ROOT / "plugins/modules").glob("*.py"))}
GROUPS = yaml.safe_load((ROOT / "meta/runtime.yml").read_text(encoding="utf-8"))["action_groups"]
# These work on the host itself and need no connection, or get secrets in another way.
ON_THE_HOST = {
    "ebs_device_info",
    "scaleio_gateway_certificate",
    "scaleio_gateway_keystore",
    "scaleio_gateway_password",
    "scaleio_gateway_trust",
    "scaleio_mdm_bootstrap",
}
PREFIX = "mesos_scaleio.platform."


def documentation(name):
    for node in ast.parse(MODULES[name].read_text(encoding="utf-8")).body:
        if isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") == "DOCUMENTATION":
            return yaml.safe_load(ast.literal_eval(node.value))
    raise AssertionError(f"{name} has no DOCUMENTATION")


def wanted_members(group):
    return sorted(name for name in MODULES if name.startswith(f"{group}_") and name not in ON_THE_HOST)


@pytest.mark.parametrize("group", ["scaleio", "mesos", "marathon", "ebs"])
def test_group_lists_exactly_its_modules(group):
    assert sorted(GROUPS[group]) == wanted_members(group)
    assert wanted_members(group)


@pytest.mark.parametrize("group", ["scaleio", "mesos", "marathon", "ebs"])
def test_connection_fragment_names_its_group(group):
    fragment = importlib.import_module(f"ansible_collections.mesos_scaleio.platform.plugins.doc_fragments.{group}")
    attributes = yaml.safe_load(fragment.ModuleDocFragment.DOCUMENTATION)["attributes"]
    assert attributes["action_group"]["membership"] == [PREFIX + group]


@pytest.mark.parametrize("name", MODULES)
def test_members_and_only_members_take_the_connection_options(name):
    fragments = documentation(name).get("extends_documentation_fragment", [])
    for group, names in GROUPS.items():
        assert (PREFIX + group in fragments) == (name in names)


def test_the_host_side_list_names_only_modules_that_exist():
    assert set(MODULES) >= ON_THE_HOST
