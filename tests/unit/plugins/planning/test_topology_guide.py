"""The examples of the written guide are what it says they are."""

import ast
import re
from pathlib import Path

import pytest
import yaml
from systems import empty, with_sdcs

from ansible_collections.mesos_scaleio.platform.plugins.module_utils._planning.topology_document import (
    TopologyError,
    parse_topology,
)
from ansible_collections.mesos_scaleio.platform.plugins.module_utils._planning.topology_plan import (
    make_plan,
    read_request,
)

ROOT = Path(__file__).resolve().parents[4]
GUIDE = (ROOT / "docs/topology.md").read_text(encoding="utf-8")
BLOCKS = [yaml.safe_load(text) for text in re.findall(r"^```yaml\n(.*?)^```", GUIDE, re.DOTALL | re.MULTILINE)]
DOCUMENTS = [block for block in BLOCKS if isinstance(block, dict)]
TASKS = [task for block in BLOCKS if isinstance(block, list) for item in block for task in item.get("tasks", [item])]
PREFIX = "mesos_scaleio.platform."
DISK = {
    "path": "/dev/sdx",
    "paths": ["/dev/sdx"],
    "size_gib": 2000.0,
    "blank": True,
    "findings": [],
    "rotational": True,
}


def options_of(module):
    tree = ast.parse((ROOT / f"plugins/modules/{module}.py").read_text(encoding="utf-8"))
    texts = [
        ast.literal_eval(node.value)
        for node in tree.body
        if isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") == "DOCUMENTATION"
    ]
    return set(yaml.safe_load(texts[0])["options"])


def test_the_guide_has_examples_of_both_kinds():
    assert len(DOCUMENTS) == 5
    assert len(TASKS) == 7


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_document_can_be_applied_to_an_empty_system(document):
    start = with_sdcs(empty(), "198.51.100.14", "198.51.100.15")
    names = [sds.name for sds in parse_topology(document).sds]
    plan = make_plan(read_request(document, {name: [DISK] for name in names}), start)
    assert [step.action for step in plan.steps].count("create_sds") == 3
    assert [step.action for step in plan.steps].count("create_device") >= 3


def test_the_common_case_takes_five_lines():
    first = re.search(r"^```yaml\n(.*?)^```", GUIDE, re.DOTALL | re.MULTILINE)
    assert len(first.group(1).splitlines()) == 5


@pytest.mark.parametrize("task", TASKS, ids=lambda task: task["name"])
def test_every_task_uses_options_that_exist(task):
    (name,) = [key for key in task if key.startswith(PREFIX)]
    assert set(task[name] or {}) <= options_of(name[len(PREFIX) :])


def test_the_message_about_mistakes_is_what_is_said():
    wrong = {
        "pools": [{"name": "default", "spare_precentage": 34}],
        "sds": {"agent2": "198.51.100.300"},
        "volumes": [{"name": "v", "storage_pool": "default", "size_gib": 9}],
    }
    with pytest.raises(TopologyError) as caught:
        parse_topology(wrong)
    said = re.sub(r"\s+", " ", GUIDE)
    assert f"{caught.value}. Nothing was written: " in said
