"""Every role says what it takes, and takes nothing else."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

ROLES = sorted(path for path in (Path(__file__).parents[3] / "roles").iterdir() if path.is_dir())
# A required input has no safe default; the file of the defaults names it in a comment.
COMMENTED = re.compile(r"^# ([a-z0-9_]+):", re.M)


def load(path: Path) -> Any:
    return yaml.safe_load(path.read_text())


def task_files(role: Path) -> list[Path]:
    return sorted(
        path
        for folder in ("tasks", "handlers", "vars", "defaults", "templates")
        for path in role.glob(f"{folder}/**/*.*")
    )


def options(role: Path) -> dict[str, Any]:
    merged: dict[str, Any] = {}
    for entry in load(role / "meta/argument_specs.yml")["argument_specs"].values():
        merged.update(entry.get("options", {}))
    return merged


def test_there_are_roles() -> None:
    assert {"zookeeper", "mesos_master", "scaleio_mdm"} <= {role.name for role in ROLES}


@pytest.mark.parametrize("role", ROLES, ids=lambda role: role.name)
def test_defaults_and_specification_name_the_same_inputs(role: Path) -> None:
    text = (role / "defaults/main.yml").read_text()
    defaults = yaml.safe_load(text) or {}
    commented = set(COMMENTED.findall(text)) - set(defaults)
    specified = options(role)
    required = {name for name, option in specified.items() if option.get("required")}
    assert set(defaults) | commented <= set(specified)
    # What one step of a role in steps hands to the next is no input of whoever uses the role.
    handed_on = required if not (role / "tasks/main.yml").exists() else set()
    assert set(specified) - set(defaults) - commented <= handed_on
    assert required <= commented | handed_on
    for name, option in specified.items():
        if "default" in option:
            assert option["default"] == defaults[name], name


@pytest.mark.parametrize("role", ROLES, ids=lambda role: role.name)
def test_inputs_are_typed_described_and_carry_the_name_of_the_role(role: Path) -> None:
    for name, option in options(role).items():
        assert name.startswith(f"{role.name}_"), name
        assert option.get("type"), name
        assert option.get("description"), name


@pytest.mark.parametrize("role", ROLES, ids=lambda role: role.name)
def test_secrets_are_marked(role: Path) -> None:
    for name, option in options(role).items():
        if re.search(r"password|token|secret", name):
            assert option.get("no_log"), name


@pytest.mark.parametrize("role", ROLES, ids=lambda role: role.name)
def test_role_introduces_itself(role: Path) -> None:
    readme = (role / "README.md").read_text()
    assert readme.startswith(f"# {role.name}\n")
    assert len(readme.splitlines()) <= 25
    assert load(role / "meta/main.yml")["dependencies"] == []


@pytest.mark.parametrize("role", ROLES, ids=lambda role: role.name)
def test_role_knows_no_groups_and_no_other_hosts(role: Path) -> None:
    for path in task_files(role):
        text = path.read_text()
        assert not re.search(r"\bgroups\[|\bgroups\.|\bhostvars\b|ansible_distribution\b|\.\./", text), path


@pytest.mark.parametrize("role", ROLES, ids=lambda role: role.name)
def test_no_secret_goes_through_environment(role: Path) -> None:
    """Ansible puts `environment:` on the command line of the remote shell."""
    for path in role.glob("tasks/**/*.yml"):
        for task in load(path) or []:
            assert "environment" not in task, path
