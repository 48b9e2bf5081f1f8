"""remediation_plan and remediation_report as a playbook uses them: inside of Ansible, and as clear as a module."""

import json
import os
import subprocess
import sys
from pathlib import Path

import yaml

from ansible_collections.mesos_scaleio.platform.plugins.module_utils._controller.plan import freeze_of

ROOT = Path(__file__).resolve().parents[4]
PLAN, REPORT = (f"mesos_scaleio.platform.remediation_{name}" for name in ("plan", "report"))
POLICY = {"budget": {"monthly_usd": 10}, "pools": [{"storage_pool": "default", "volume": {"sizes_gib": [100]}}]}


def answers(folder, tasks, *arguments):
    """What each task returned."""
    results = folder / "results.json"
    shown = [{**task, "register": f"result_{number}", "ignore_errors": True} for number, task in enumerate(tasks)]
    everything = f"{{{{ [{', '.join(task['register'] for task in shown)}] | to_json }}}}"
    # In check mode too: this is how the test sees what was returned.
    kept = {"ansible.builtin.copy": {"content": everything, "dest": str(results)}, "check_mode": False}
    (folder / "play.yml").write_text(
        yaml.safe_dump([{"hosts": "localhost", "gather_facts": False, "tasks": [*shown, kept]}])
    )
    python = f"ansible_python_interpreter={sys.executable}"
    program = Path(sys.executable).with_name("ansible-playbook")
    done = subprocess.run(
        [program, "-i", "localhost,", "-c", "local", "-e", python, *arguments, folder / "play.yml"],
        env={**os.environ, "ANSIBLE_CONFIG": str(ROOT / "ansible.cfg")},
        capture_output=True,
        text=True,
        cwd=ROOT,
        timeout=60,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return json.loads(results.read_text())


def test_what_is_wrong_is_said_as_by_any_module(tmp_path):
    unreadable = tmp_path / "a-file" / "reports"
    unreadable.parent.write_text("")
    unknown, missing, wrong, incomplete, unwritten = answers(
        tmp_path,
        [
            {PLAN: {"policy": POLICY, "system": "{}", "volumes": [], "colour": "blue"}},
            {PLAN: {"policy": POLICY, "volumes": []}},
            {PLAN: {"policy": {"pools": []}, "system": "{}", "volumes": []}},
            {PLAN: {"policy": POLICY, "system": "{}", "volumes": []}},
            {REPORT: {"directory": str(unreadable), "run": {}}},
        ],
    )
    assert all(one["failed"] for one in (unknown, missing, wrong, incomplete, unwritten))
    assert "Unsupported parameters" in unknown["msg"]
    assert "colour" in unknown["msg"]
    assert missing["msg"] == "missing required arguments: system"
    assert "budget" in wrong["msg"]
    assert incomplete["failure"]["code"] == "system_incomplete"
    assert unwritten["failure"]["code"] == "report_not_written"
    assert "may write to" in unwritten["msg"]


def test_a_look_writes_no_report(tmp_path):
    (report,) = answers(tmp_path, [{REPORT: {"directory": str(tmp_path / "reports"), "run": {}}}], "--check")
    assert report["report"]["check_mode"] is True
    assert report["changed"] is False
    assert not (tmp_path / "reports").exists()


def test_any_file_that_freezes_counts_and_one_that_cannot_be_read_too(tmp_path):
    own, of_the_host = tmp_path / "freeze", tmp_path / "remediation.freeze"
    files = {"freeze": "", "freeze_files": [str(own), str(of_the_host)]}
    assert freeze_of(files) is None
    assert freeze_of({"freeze": "", "freeze_files": [f"{Path(__file__)}/freeze"]}) is None
    of_the_host.write_text("change 4711\nmore\n")
    assert freeze_of(files) == f"change 4711 ({of_the_host})"
    own.mkdir()
    assert freeze_of(files).startswith(f"{own} cannot be read")
    assert freeze_of({**files, "freeze": "by hand"}) == "by hand"


def test_the_role_looks_at_a_file_of_the_host_whoever_runs_it():
    given = yaml.safe_load((ROOT / "roles/remediation/defaults/main.yml").read_text())
    assert given["remediation_freeze_host_file"] == "/etc/mesos_scaleio/remediation.freeze"
    decide = yaml.safe_load((ROOT / "roles/remediation/tasks/decide.yml").read_text())
    (look,) = [task[PLAN] for task in decide if task["name"] == "Decide"]
    assert look["freeze_files"] == ["{{ remediation_freeze_file }}", "{{ remediation_freeze_host_file }}"]
