"""Several files in one task: what is written, what is removed, and what a diff may show."""

import os
import time

import pytest


def flags(tmp_path, **values):
    return [{"path": str(tmp_path / "mesos-agent"), "flags": values}]


def written(tmp_path):
    folder = tmp_path / "mesos-agent"
    return {path.name: path.read_text() for path in sorted(folder.iterdir())}


def test_values_become_files_and_booleans_become_switches(run, tmp_path):
    values = {"ip": "192.0.2.1", "port": 5051, "isolation": ["a", "b"], "switch_user": True, "strict": False}
    result = run("configuration_files", flag_directories=flags(tmp_path, **values, launcher=None, roles=[], x=""))
    assert result["changed"]
    assert written(tmp_path) == {
        "?no-strict": "",
        "?switch_user": "",
        "ip": "192.0.2.1\n",
        "isolation": "a,b\n",
        "port": "5051\n",
    }


def test_second_run_changes_nothing(run, tmp_path):
    options = {"flag_directories": flags(tmp_path, ip="192.0.2.1"), "files": {str(tmp_path / "a/zk"): "zk://h/m"}}
    assert run("configuration_files", **options)["changed"]
    again = run("configuration_files", **options)
    assert not again["changed"]
    assert again["steps"] == []
    assert (tmp_path / "a/zk").read_text() == "zk://h/m\n"


def test_stray_files_go_and_hidden_ones_and_folders_stay(run, tmp_path):
    folder = tmp_path / "mesos-agent"
    (folder / "attributes").mkdir(parents=True)
    for name in ("ip~", "?switch_user", ".swp"):
        (folder / name).write_text("x")
    run("configuration_files", flag_directories=flags(tmp_path, switch_user=False))
    assert {path.name for path in folder.iterdir()} == {"?no-switch_user", ".swp", "attributes"}


def test_check_mode_says_the_same_and_writes_nothing(run, tmp_path):
    options = {"flag_directories": flags(tmp_path, ip="192.0.2.1"), "files": {str(tmp_path / "new/zk"): "zk"}}
    checked = run("configuration_files", check=True, **options)
    assert os.listdir(tmp_path) == []
    assert run("configuration_files", **options)["steps"] == checked["steps"]


def test_a_link_is_followed(run, tmp_path):
    (tmp_path / "real").write_text("1\n")
    (tmp_path / "myid").symlink_to(tmp_path / "real")
    run("configuration_files", files={str(tmp_path / "myid"): 2})
    assert (tmp_path / "myid").is_symlink()
    assert (tmp_path / "real").read_text() == "2\n"


def test_permissions_are_kept_right(run, tmp_path):
    path = tmp_path / "zk"
    path.write_text("zk://h/m\n")
    path.chmod(0o644)
    result = run("configuration_files", files={str(path): "zk://h/m"}, mode="0600")
    assert result["steps"] == [{"action": "chmod", "path": str(path)}]
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_diff_hides_the_password_of_an_address(run, tmp_path):
    result = run("configuration_files", files={str(tmp_path / "zk"): "zk://user:hunter2@host:2181/mesos"}, mode="0600")
    shown = str(result["diff"])
    assert "hunter2" not in shown
    assert "zk://user:***@host:2181/mesos" in shown


def test_data_becomes_json_and_null_is_no_file(run, tmp_path):
    path = tmp_path / "acls.json"
    options = {"files": {str(path): {"permissive": False, "b": [1]}, str(tmp_path / "none"): None}}
    assert run("configuration_files", **options)["changed"]
    assert path.read_text() == '{\n  "b": [\n    1\n  ],\n  "permissive": false\n}\n'
    assert not run("configuration_files", **options)["changed"]
    gone = run("configuration_files", files={str(path): None})
    assert gone["steps"] == [{"action": "remove", "path": str(path)}]
    assert not path.exists()


@pytest.fixture
def unit(tmp_path, monkeypatch):
    """A stand-in for systemctl, and a way to say when the daemon was started: seconds ago, or not at all."""
    answer, program = tmp_path / "answer", tmp_path / "bin" / "systemctl"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\n[ "$2" = mesos-agent ] && cat {answer}\n')
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}:{os.environ['PATH']}")

    def runs_since(seconds_ago):
        begin = 0 if seconds_ago is None else time.monotonic() - seconds_ago
        lines = f"MainPID={0 if seconds_ago is None else 4711}\nExecMainStartTimestampMonotonic={int(begin * 1e6)}\n"
        answer.write_text(lines)

    return runs_since


def test_a_daemon_that_missed_what_was_written_is_outdated_until_it_is_restarted(run, tmp_path, unit):
    options = {"flag_directories": flags(tmp_path, ip="192.0.2.1", strict=True), "service": "mesos-agent"}
    unit(None)
    assert not run("configuration_files", **options)["outdated"]
    time.sleep(0.02)
    unit(0)
    assert not run("configuration_files", **options)["outdated"]
    time.sleep(0.02)
    options["flag_directories"] = flags(tmp_path, ip="192.0.2.1")
    assert not run("configuration_files", check=True, **options)["outdated"]
    written = run("configuration_files", **options)
    assert (written["steps"][0]["action"], written["outdated"]) == ("remove", True)
    again = run("configuration_files", **options)
    assert (again["changed"], again["outdated"]) == (False, True)
    time.sleep(0.02)
    unit(0)
    assert not run("configuration_files", **options)["outdated"]


def test_files_of_others_do_not_make_a_daemon_outdated(run, tmp_path, unit):
    options = {"files": {str(tmp_path / "etc/zk"): "zk://h/m", str(tmp_path / "etc/none"): None}}
    run("configuration_files", **options)
    time.sleep(0.02)
    unit(0)
    time.sleep(0.02)
    (tmp_path / "etc" / "master-acls.json").write_text("{}")
    assert not run("configuration_files", **options, service="mesos-agent")["outdated"]
    run("configuration_files", **options, mode="0600")
    assert run("configuration_files", **options, mode="0600", service="mesos-agent")["outdated"]
