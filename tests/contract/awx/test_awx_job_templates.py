"""The definitions of the AWX jobs, sent by awx.awx's own modules."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from lab import playbook
from tests.contract.awx.controller import Controller

ROOT = Path(__file__).parents[3]
PASSWORD = "Gateway-Secret-4711"
TOKEN = "awx-token-4711"
VARIABLES = {
    "awx_project_url": "https://git.example.org/platform.git",
    "awx_inventory_path": "inventories/mine/hosts.yml",
    "awx_gateway_host": "gateway.example.org",
    "awx_gateway_password": PASSWORD,
    "awx_credentials": ["ops key"],
}


@pytest.fixture(scope="module")
def controller() -> Iterator[Controller]:
    running = Controller(TOKEN)
    running.add("organizations", {"name": "Default"})
    running.add("credentials", {"name": "ops key"})
    yield running
    running.stop()


def define(controller: Controller, *arguments: str, **variables: Any) -> playbook.Run:
    environment = {"CONTROLLER_HOST": controller.url, "CONTROLLER_OAUTH_TOKEN": TOKEN}
    return playbook.run(
        None,
        "playbooks/awx_job_templates.yml",
        *arguments,
        extra_vars={**VARIABLES, **variables},
        environment=environment,
    )


@pytest.fixture(scope="module")
def defined(controller: Controller) -> Controller:
    """What one run leaves; it takes some seconds, so the tests share it."""
    run = define(controller, "-vvv")
    assert run.status == 0, run.output[-4000:]
    assert PASSWORD not in run.output
    return controller


def test_two_templates_and_a_schedule_are_defined_once(defined: Controller) -> None:
    templates = defined.named("job_templates")
    assert {name: item["playbook"] for name, item in templates.items()} == {
        "Build the platform": "playbooks/site.yml",
        "Remediate storage pools": "playbooks/remediate.yml",
    }
    remediate = templates["Remediate storage pools"]
    assert remediate["allow_simultaneous"] is False
    assert all((ROOT / item["playbook"]).exists() for item in templates.values())
    credentials = defined.named("credentials")
    wanted = {credentials["ScaleIO Gateway"]["id"], credentials["ops key"]["id"]}
    assert set(defined.linked[f"{remediate['url']}credentials/"]) == wanted
    (schedule,) = defined.objects["schedules"]
    assert schedule["unified_job_template"] == remediate["id"]
    assert schedule["rrule"].endswith("FREQ=MINUTELY;INTERVAL=5")
    writes = list(defined.writes)
    again = define(defined)
    assert again.status == 0, again.output[-4000:]
    assert (again.changed, defined.writes) == ({}, writes), again.output


def test_a_scheduled_start_only_gives_answers_that_the_survey_takes(defined: Controller) -> None:
    """AWX drops extra variables that no question asks for."""
    questions = {question["variable"]: question for question in defined.surveys["Remediate storage pools"]["spec"]}
    (schedule,) = defined.objects["schedules"]
    assert schedule["extra_data"] == {"remediation_trigger": "schedule"}
    on_event = yaml.safe_load((ROOT / "extensions/eda/rulebooks/remediate_on_awx.yml").read_text())[0]["rules"][0]
    for name, value in on_event["action"]["run_job_template"]["job_args"]["extra_vars"].items():
        assert value in questions[name]["choices"]
    inputs = yaml.safe_load((ROOT / "roles/remediation/meta/argument_specs.yml").read_text())["argument_specs"]
    assert set(questions) <= {*inputs["report"]["options"], *inputs["decide"]["options"]}
    choices = inputs["decide"]["options"]["remediation_approval_of_run"]["choices"]
    assert questions["remediation_approval_of_run"]["choices"] == choices


def test_the_inventory_says_what_a_run_may_do_unless_somebody_answers_otherwise(defined: Controller) -> None:
    (question,) = [
        question
        for question in defined.surveys["Remediate storage pools"]["spec"]
        if question["variable"] == "remediation_approval_of_run"
    ]
    assert (question["default"], "approve" in question["choices"]) == ("inventory", True)
    assert "remediation_approval" not in {q["variable"] for q in defined.surveys["Remediate storage pools"]["spec"]}


def test_a_workflow_shows_a_plan_has_it_approved_and_carries_out_that_one(defined: Controller) -> None:
    (workflow,) = defined.objects["workflow_job_templates"]
    nodes = {node["identifier"]: node for node in defined.objects["workflow_job_template_nodes"]}
    job = defined.named("job_templates")["Remediate storage pools"]["id"]
    approval = defined.named("workflow_approval_templates")["Buy what the plan says"]
    assert {name: node["unified_job_template"] for name, node in nodes.items()} == {
        "plan": job,
        "approval": approval["id"],
        "purchase": job,
    }
    assert {node["workflow_job_template"] for node in nodes.values()} == {workflow["id"]}
    for name, after in (("plan", ["approval"]), ("approval", ["purchase"]), ("purchase", [])):
        linked = defined.linked.get(f"{nodes[name]['url']}success_nodes/", [])
        assert linked == [nodes[one]["id"] for one in after]
    for name in ("plan", "purchase"):
        assert nodes[name]["extra_data"] == {"remediation_approval_of_run": "approve"}
    # What the first job hands on is what the second may be given.
    handed = [
        set(task["ansible.builtin.set_stats"]["data"])
        for task in yaml.safe_load((ROOT / "roles/remediation/tasks/report.yml").read_text())
        if "ansible.builtin.set_stats" in task
    ]
    assert handed == [{"remediation_approved_plan"}]
    questions = {question["variable"] for question in defined.surveys["Remediate storage pools"]["spec"]}
    assert "remediation_approved_plan" in questions


def test_the_credential_becomes_what_our_modules_read(defined: Controller) -> None:
    kind = defined.named("credential_types")["ScaleIO Gateway"]
    fields = {field["id"]: field for field in kind["inputs"]["fields"]}
    assert fields["password"]["secret"] is True
    assert kind["injectors"]["env"] == {
        f"SCALEIO_GATEWAY_{name.upper()}": f"{{{{ {name} }}}}" for name in ("host", "port", "username", "password")
    }
    credential = defined.named("credentials")["ScaleIO Gateway"]
    given = defined.secrets[credential["id"]]
    assert given == {"host": "gateway.example.org", "port": "443", "username": "admin", "password": PASSWORD}
    assert set(given) == set(fields)


@pytest.mark.slow
def test_a_new_password_and_an_image_are_sent_when_given(defined: Controller) -> None:
    credential = defined.named("credentials")["ScaleIO Gateway"]
    image = "registry.example.org/platform-ee:1"
    run = define(
        defined,
        awx_gateway_password="Other-Secret-4712",
        awx_update_secrets=True,
        awx_execution_environment_image=image,
    )
    assert run.status == 0, run.output[-4000:]
    assert defined.secrets[credential["id"]]["password"] == "Other-Secret-4712"
    environment = defined.named("execution_environments")["Platform"]
    assert environment["image"] == image
    used = {item["execution_environment"] for item in defined.objects["job_templates"]}
    assert used == {environment["id"]}


def test_missing_inputs_are_said_and_nothing_is_sent(controller: Controller) -> None:
    writes = list(controller.writes)
    run = define(controller, awx_gateway_password="")
    assert run.status == 2
    assert "Set awx_project_url" in run.output
    assert controller.writes == writes
