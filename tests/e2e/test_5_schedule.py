"""The schedule on a host: what it installs starts a playbook, as the right user, in the right folder, one at a time."""

from __future__ import annotations

from typing import Any

import pytest

from lab import playbook
from tests.support.hosts import LabHosts, eventually

HOST = "master1"
NAME = "mesos-scaleio-remediation"
RUNNER = f"/usr/local/bin/{NAME}"
SECRET = 'it\'s a $ecret \\ "quoted"'
PLAYBOOK = """\
- hosts: localhost
  gather_facts: false
  tasks:
    - name: Tell what the run was given
      ansible.builtin.copy:
        dest: "{{ playbook_dir }}/told.txt"
        content: |
          {{ remediation_trigger }}
          {{ lookup('pipe', 'id -un') }}
          {{ lookup('env', 'SCALEIO_GATEWAY_PASSWORD') }}
          {{ lookup('config', 'DEFAULT_FORKS') }}
    - name: Take some time
      ansible.builtin.pause:
        seconds: "{{ pause_seconds | default(0) | int }}"
"""


@pytest.fixture(scope="module")
def controller(lab: LabHosts) -> LabHosts:
    """A host with an Ansible of its distribution, and a folder that stands for the checkout."""
    lab.execute(HOST, "apt-get -qq update && apt-get -qq install -y --no-install-recommends ansible-core >/dev/null")
    lab.execute(HOST, "install -d -o ops -g ops /opt/stand-in")
    lab.execute(HOST, f"cat > /opt/stand-in/told.yml <<'END'\n{PLAYBOOK}END")
    lab.execute(HOST, "printf 'localhost ansible_connection=local\\n' > /opt/stand-in/hosts")
    lab.execute(HOST, "printf '[defaults]\\nforks = 7\\n' > /opt/stand-in/ansible.cfg")
    return lab


def schedule(lab: LabHosts, *arguments: str, **more: Any) -> playbook.Run:
    wanted = {
        "remediation_schedule_hosts": HOST,
        "remediation_schedule_directory": "/opt/stand-in",
        "remediation_schedule_inventory": "hosts",
        "remediation_schedule_user": "ops",
        "remediation_schedule_playbook": "told.yml",
        # far enough from the next start by the clock that only the tests start it
        "remediation_schedule_interval_minutes": 30,
        "remediation_schedule_environment": {"SCALEIO_GATEWAY_PASSWORD": SECRET},
        **more,
    }
    return lab.play("playbooks/schedule_remediation.yml", *arguments, extra_vars=wanted)


def told(lab: LabHosts) -> list[str]:
    return lab.execute(HOST, "cat /opt/stand-in/told.txt; rm /opt/stand-in/told.txt").splitlines()


@pytest.mark.slow
def test_a_host_without_the_checkout_is_told_so_and_gets_nothing(controller: LabHosts) -> None:
    run = schedule(controller, remediation_schedule_directory="/opt/nowhere", remediation_schedule_user="nobody-here")
    assert run.status == 2
    assert "/opt/nowhere" in run.output
    assert "There is no user nobody-here" in " ".join(run.output.split())
    assert controller.execute(HOST, f"ls {RUNNER} /etc/{NAME} 2>/dev/null || true") == ""


def test_the_timer_is_active_and_a_second_run_changes_nothing(controller: LabHosts) -> None:
    predicted = schedule(controller, "--check")
    assert predicted.status == 0, predicted.output[-3000:]
    assert controller.execute(HOST, f"ls {RUNNER} 2>/dev/null || true") == ""
    run = schedule(controller, "-vvv", "--diff")
    assert run.status == 0, run.output[-3000:]
    assert "$ecret" not in run.output
    assert controller.execute(HOST, f"systemctl is-active {NAME}.timer").strip() == "active"
    assert controller.execute(HOST, f"systemctl is-enabled {NAME}.timer").strip() == "enabled"
    assert controller.execute(HOST, f"stat -c '%U %a' /etc/{NAME}/environment").strip() == "ops 600"
    for check in ((), ("--check",)):
        again = schedule(controller, *check)
        assert (again.status, again.changed) == (0, {}), again.output[-3000:]


def test_every_firing_of_the_timer_runs_it_and_says_so(controller: LabHosts) -> None:
    """The clock is not waited for: the same timer and runner are given a time every three seconds."""
    near = f"/run/systemd/system/{NAME}.timer.d"
    began = controller.execute(HOST, "date +%s").strip()
    controller.execute(
        HOST,
        f"mkdir -p {near} && printf '[Timer]\\nOnCalendar=\\nOnCalendar=*:*:0/3\\n' > {near}/near.conf && "
        f"sed -i.kept -e 's/^every=.*/every=3/' -e 's/^allowed=.*/allowed=2/' {RUNNER} && "
        f"systemctl daemon-reload && systemctl restart {NAME}.timer",
    )
    log = f"journalctl -u '{NAME}*' --since @{began} -o cat"
    eventually(lambda: controller.execute(HOST, log), lambda said: said.count("PLAY RECAP") > 1, 60, "it ran twice")
    controller.execute(
        HOST,
        f"systemctl stop {NAME}.timer {NAME}-scheduled; rm -r {near}; mv {RUNNER}.kept {RUNNER}; "
        f"systemctl daemon-reload; systemctl start {NAME}.timer",
    )
    assert "Skipped" not in controller.execute(HOST, log)
    assert told(controller)[0] == "schedule"


def test_a_start_by_hand_runs_it_as_the_user_in_the_folder(controller: LabHosts) -> None:
    """After the timer has fired: systemd passes on to a service what started it first."""
    controller.execute(HOST, f"systemctl start {NAME}.service")
    assert told(controller) == ["person", "ops", SECRET, "7"]
    log = controller.execute(HOST, f"journalctl -u {NAME}.service -o cat")
    assert "PLAY RECAP" in log
    assert "$ecret" not in log


@pytest.mark.slow
def test_two_minutes_of_the_schedule_as_it_is_installed_run_it_twice(controller: LabHosts) -> None:
    began = controller.execute(HOST, "date +%s").strip()
    often = {"remediation_schedule_interval_minutes": 1, "remediation_schedule_late_seconds": 50}
    assert schedule(controller, **often).status == 0
    log = f"journalctl -u '{NAME}*' --since @{began} -o cat"
    eventually(lambda: controller.execute(HOST, log), lambda said: said.count("PLAY RECAP") > 1, 130, "it ran twice")
    assert "Skipped" not in controller.execute(HOST, log)
    assert told(controller)[0] == "schedule"
    assert schedule(controller).status == 0


@pytest.mark.slow
def test_a_start_of_the_schedule_that_comes_too_late_is_skipped(controller: LabHosts) -> None:
    controller.execute(HOST, f"sed 's/^allowed=.*/allowed=-1/' {RUNNER} > /opt/stand-in/late")
    said = controller.execute(HOST, "su ops -c 'sh /opt/stand-in/late scheduled'")
    assert said.startswith("Skipped: this start comes ")
    assert controller.execute(HOST, "ls /opt/stand-in/told.txt 2>/dev/null || true") == ""


@pytest.mark.slow
def test_starts_do_not_overlap(controller: LabHosts) -> None:
    assert schedule(controller, remediation_schedule_arguments=["-e", "pause_seconds=6"]).status == 0
    controller.execute(HOST, f"systemctl start --no-block {NAME}.service")
    eventually(lambda: controller.execute(HOST, "cat /opt/stand-in/told.txt"), bool, 20, "the first run is under way")
    assert controller.execute(HOST, f"su ops -c {RUNNER}").startswith("Skipped: the run before")
    eventually(
        lambda: controller.execute(HOST, f"systemctl show -P ActiveState {NAME}.service").strip(),
        lambda state: state == "inactive",
        20,
        "the first run ended well",
    )
    told(controller)


@pytest.mark.slow
def test_cron_takes_over_and_its_log_is_rotated(controller: LabHosts) -> None:
    run = schedule(controller, remediation_schedule_method="cron")
    assert run.status == 0, run.output[-3000:]
    assert controller.execute(HOST, f"systemctl is-active {NAME}.timer || true").strip() == "inactive"
    assert controller.execute(HOST, f"ls /etc/systemd/system/{NAME}.* 2>/dev/null || true") == ""
    again = schedule(controller, remediation_schedule_method="cron")
    assert (again.status, again.changed) == (0, {}), again.output[-3000:]
    entry = controller.execute(HOST, f"grep '^[*]' /etc/cron.d/{NAME}").strip()
    assert entry.startswith(f"*/30 * * * * ops {RUNNER} scheduled ")
    # what cron would do, by its own file, without waiting for the clock
    command = entry.split(" ops ", maxsplit=1)[1].replace(" scheduled", "")
    controller.execute(HOST, f"su ops -c 'env -i PATH=/usr/bin:/bin sh -c \"{command}\"'")
    assert told(controller)[2] == SECRET
    controller.execute(HOST, f"logrotate -f /etc/logrotate.d/{NAME}")
    assert "remediation.log.1" in controller.execute(HOST, f"ls /var/log/{NAME}")


@pytest.mark.slow
def test_absent_leaves_only_the_logs(controller: LabHosts) -> None:
    assert schedule(controller, remediation_schedule_method="cron", remediation_schedule_state="absent").status == 0
    left = controller.execute(HOST, f"find /etc /usr/local /var/log -name '{NAME}*'").split()
    assert left == [f"/var/log/{NAME}"]
    assert schedule(controller).status == 0
    run = schedule(controller, remediation_schedule_state="absent")
    assert run.status == 0, run.output[-3000:]
    assert controller.execute(HOST, f"systemctl list-unit-files '{NAME}*' --no-legend || true") == ""
    again = schedule(controller, remediation_schedule_state="absent")
    assert (again.status, again.changed) == (0, {}), again.output[-3000:]
