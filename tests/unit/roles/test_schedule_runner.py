"""The runner that the schedule installs, as a shell runs it: what it starts, when it does not, and with what."""

from __future__ import annotations

import fcntl
import json
import os
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
ROLE = ROOT / "roles/remediation_schedule"
SECRET = 'it\'s a $(touch harm) "quoted" \\ value'
# A quarter past the hour: a time at which the schedule of every five minutes starts.
ON_TIME = 1_700_000_100
START = "2023-11-14 22:15:00"


@pytest.fixture(scope="module")
def rendered(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Runner and environment by the role's own templates, with a command that tells what it was given."""
    folder = tmp_path_factory.mktemp("schedule")
    (folder / "check out").mkdir()
    (folder / "check out" / "ansible.cfg").touch()
    tell = folder / "tell"
    tell.write_text('#!/bin/sh\nprintf "%s\\n" "$PWD" "$ANSIBLE_CONFIG" "$GIVEN" "$LC_ALL" "$@"\n')
    tell.chmod(0o755)
    clock = folder / "date"
    clock.write_text('#!/bin/sh\n[ "$*" = +%s ] && echo "$NOW" || exec /bin/date -u "$@"\n')
    clock.chmod(0o755)
    inputs = {
        "remediation_schedule_directory": str(folder / "check out"),
        "remediation_schedule_inventory": "inventories/mine",
        "remediation_schedule_user": "ops",
        "remediation_schedule_command": str(tell),
        "remediation_schedule_arguments": ["-e", "a=b c"],
        "remediation_schedule_environment": {"GIVEN": SECRET},
    }
    tasks = [
        {
            "template": {"src": f"{ROLE}/templates/{source}", "dest": str(folder / name)},
            "vars": {**inputs, "__remediation_schedule_folder": str(folder)},
        }
        for source, name in (("runner.sh.j2", "runner"), ("environment.j2", "environment"))
    ]
    play = {
        "hosts": "localhost",
        "gather_facts": False,
        "vars": {"ansible_python_interpreter": "{{ ansible_playbook_python }}"},
        "vars_files": [f"{ROLE}/{part}/main.yml" for part in ("defaults", "vars")],
        "tasks": tasks,
    }
    (folder / "play.yml").write_text(json.dumps([play]))
    done = subprocess.run(
        [ROOT / ".venv/bin/ansible-playbook", "-i", "localhost,", "-c", "local", folder / "play.yml"],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout
    return folder


def run(folder: Path, *arguments: str, now: int = ON_TIME, **environment: str) -> list[str]:
    variables = {"PATH": f"{folder}:{os.environ['PATH']}", "NOW": str(now), **environment}
    done = subprocess.run(["sh", folder / "runner", *arguments], env=variables, capture_output=True, text=True, cwd="/")
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout.splitlines()


def test_the_time_of_these_tests_is_one_of_the_schedule() -> None:
    shown = subprocess.run(["date", "-u", "-d", f"@{ON_TIME}", "+%F %T"], capture_output=True, text=True)
    assert shown.stdout.strip() == START


def test_the_command_gets_folder_configuration_environment_and_arguments(rendered: Path) -> None:
    checkout = rendered / "check out"
    playbook = ["-i", "inventories/mine", "-e", "remediation_trigger=person", "-e", "a=b c", "playbooks/remediate.yml"]
    assert run(rendered) == [str(checkout), str(checkout / "ansible.cfg"), SECRET, "C.UTF-8", *playbook]
    assert not list(rendered.rglob("harm"))


@pytest.mark.parametrize(
    ("now", "starts"),
    [
        (0, True),
        (60, True),
        (61, False),
        (299, False),
        (300, True),
        (360, True),
        # 22:08 and 22:09, whose digits a shell would take for octal
        (-420, False),
        (-359, False),
    ],
)
# systemd tells a service the time of the timer's first firing for as long as the service stays loaded.
@pytest.mark.parametrize("systemd_says", [{}, {"TRIGGER_TIMER_REALTIME_USEC": f"{ON_TIME - 3600}000000"}])
def test_a_start_of_the_schedule_that_comes_late_is_refused(
    rendered: Path, now: int, starts: bool, systemd_says: dict[str, str]
) -> None:
    said = run(rendered, "scheduled", now=ON_TIME + now, **systemd_says)
    assert ("remediation_trigger=schedule" in said) == starts
    assert said[0].startswith("Skipped: ") != starts


@pytest.mark.parametrize("now", [0, 61, 200, 299])
def test_a_person_is_never_late(rendered: Path, now: int) -> None:
    earlier = {"TRIGGER_TIMER_REALTIME_USEC": f"{ON_TIME - 3600}000000"}
    assert "remediation_trigger=person" in run(rendered, now=ON_TIME + now, **earlier)


def test_a_run_under_way_keeps_others_out_until_it_ends(rendered: Path) -> None:
    holder = os.open(rendered, os.O_RDONLY)
    fcntl.flock(holder, fcntl.LOCK_EX)
    assert run(rendered) == ["Skipped: the run before this one is still under way."]
    os.close(holder)
    assert "remediation_trigger=person" in run(rendered)
