"""The modules as a playbook uses them: connection from module_defaults of the action group, and no secret anywhere."""

import json
import os
import subprocess
import sys
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parents[4]


def play(tmp_path, connection, tasks, *arguments):
    defaults = {"group/mesos_scaleio.platform.scaleio": "{{ scaleio_connection }}"}
    playbook = tmp_path / "play.yml"
    content = [{"hosts": "localhost", "gather_facts": False, "module_defaults": defaults, "tasks": tasks}]
    playbook.write_text(yaml.safe_dump(content, sort_keys=False))
    variables = tmp_path / "variables.json"
    variables.write_text(json.dumps({"scaleio_connection": connection, "ansible_python_interpreter": sys.executable}))
    program = Path(sys.executable).with_name("ansible-playbook")
    command = [program, "-i", "localhost,", "-c", "local", "-e", f"@{variables}"]
    environment = {**os.environ, "ANSIBLE_CONFIG": str(ROOT / "ansible.cfg"), "ANSIBLE_LOCAL_TEMP": str(tmp_path / "t")}
    return subprocess.run(
        [*command, *arguments, playbook], capture_output=True, text=True, cwd=ROOT, env=environment, timeout=120
    )


def test_a_play_with_the_groups_defaults_shows_no_secret(emulator, three_agents, tmp_path):
    tasks = [
        {
            "name": "Build",
            "mesos_scaleio.platform.scaleio_topology": {"topology": three_agents()},
        },
        {
            "name": "Read",
            "mesos_scaleio.platform.scaleio_info": {"gather_subset": ["sds"]},
            "register": "system",
        },
        {
            "name": "Judge",
            "ansible.builtin.assert": {"that": ["system.health.verdict == 'ok'", "system.sds | length == 3"]},
        },
        {
            "name": "Fail",
            "mesos_scaleio.platform.scaleio_info": {"gateway_password": "wrong-" + emulator.ready["password"]},
        },
    ]
    result = play(tmp_path, emulator.options(), tasks, "-vvvv", "--diff")
    output = result.stdout + result.stderr
    assert result.returncode == 2, output
    assert "does not accept the password of user admin" in output
    assert "+ create_sds agent1" in output
    assert "ok=3" in output
    assert emulator.ready["password"] not in output
