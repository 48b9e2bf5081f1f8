"""remediation_plan and remediation_report as a playbook uses them: inside of Ansible, and as clear as a module."""

import json
import os
import subprocess
import sys
from pathlib import Path

import yaml

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
