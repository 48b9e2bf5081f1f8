"""How packages are installed, with package managers that write down what they were given."""

import json
import os
import stat

import pytest

DPKG_QUERY = """#!/bin/sh
[ -f "$STATE/installed" ] || { echo "no packages found" >&2; exit 1; }
printf '%s %s' "$(cat "$STATE/status" 2>/dev/null || echo installed)" "$(cat "$STATE/installed")"
"""
DPKG = """#!/bin/sh
[ "$1" != --compare-versions ] || exec /usr/bin/dpkg "$@"
echo installed > "$STATE/status"
"""
APT_GET = """#!/usr/bin/python3
import json, os, sys
state = os.environ["STATE"]
with open(state + "/calls", "a") as calls:
    seen = {name.lower(): os.environ.get(name) for name in ("TOKEN", "ROLE")}
    calls.write(json.dumps({"argv": sys.argv[1:], **seen}) + "\\n")
if sys.argv[1] == "update":
    open(state + "/lists", "w").close()
elif not os.path.exists(state + "/lists"):
    sys.exit("E: Unable to locate package emc-scaleio-lia")
elif sys.argv[1] == "purge":
    os.unlink(state + "/installed")
else:
    open(state + "/installed", "w").write("3.6.0-100")
"""


@pytest.fixture
def host(tmp_path, monkeypatch):
    for name, text in (("dpkg-query", DPKG_QUERY), ("dpkg", DPKG), ("apt-get", APT_GET)):
        path = tmp_path / name
        path.write_text(text)
        path.chmod(path.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("STATE", str(tmp_path))
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    (tmp_path / "lists").touch()
    return tmp_path


def calls(host):
    path = host / "calls"
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


OPTIONS = {"name": "emc-scaleio-lia", "environment": {"ROLE": 1}, "secret_environment": {"TOKEN": "hunter2-hunter2"}}


def test_variables_reach_the_scripts_and_nothing_else(run, host):
    result = run("vendor_package", **OPTIONS)
    (call,) = calls(host)
    assert call["token"] == "hunter2-hunter2"
    assert call["role"] == "1"
    assert "hunter2" not in " ".join(call["argv"])
    assert "hunter2" not in json.dumps(result)
    assert (result["previous_version"], result["version"], result["changed"]) == ("", "3.6.0-100", True)


def test_second_run_asks_and_installs_nothing(run, host):
    (host / "installed").write_text("3.6.0-99")
    assert not run("vendor_package", **OPTIONS)["changed"]
    assert calls(host) == []


def test_another_version_is_installed_when_it_is_asked_for(run, host):
    (host / "installed").write_text("3.6.0-99")
    assert run("vendor_package", **OPTIONS, version="3.6.0-100")["changed"]
    assert calls(host)[0]["argv"][-1] == "emc-scaleio-lia=3.6.0-100"


def test_check_mode_installs_nothing_and_says_what_is_not_known(run, host):
    result = run("vendor_package", check=True, **OPTIONS)
    assert result["changed"]
    assert "not yet known" in str(result["warnings"])
    assert calls(host) == []


def test_lists_are_refreshed_once_when_the_package_is_not_found(run, host):
    (host / "lists").unlink()
    assert run("vendor_package", **OPTIONS)["changed"]
    assert [call["argv"][0] for call in calls(host)] == ["install", "update", "install"]


def test_a_package_that_cannot_be_installed_is_named(run, host):
    (host / "apt-get").write_text("#!/bin/sh\necho 'E: Unable to locate package' >&2\nexit 100\n")
    result = run("vendor_package", **OPTIONS)
    assert result["failed"]
    assert result["msg"].startswith("Cannot install emc-scaleio-lia: E: Unable to locate package")


def test_a_missing_file_is_named(run, host):
    result = run("vendor_package", **OPTIONS, file="/nonexistent/lia.deb")
    assert result["msg"].startswith("/nonexistent/lia.deb does not exist on this host")
    assert calls(host) == []


def test_an_installed_package_is_left_alone_and_called_outdated(run, host):
    (host / "installed").write_text("3.6.0-99")
    result = run("vendor_package", **OPTIONS, version="3.6.0-100", state="installed")
    assert (result["changed"], result["outdated"], result["version"]) == (False, True, "3.6.0-99")
    assert calls(host) == []
    assert run("vendor_package", **OPTIONS, version="3.6.0-100", state="upgraded")["changed"]
    again = run("vendor_package", **OPTIONS, version="3.6.0-100", state="installed")
    assert (again["changed"], again["outdated"], again["version"]) == (False, False, "3.6.0-100")


def test_an_upgrade_does_not_install_what_is_missing(run, host):
    result = run("vendor_package", **OPTIONS, version="3.6.0-100", state="upgraded")
    assert (result["changed"], result["outdated"]) == (False, False)
    assert calls(host) == []


def test_an_older_version_is_refused_before_anything_is_done(run, host):
    (host / "installed").write_text("3.6.10-1")
    result = run("vendor_package", **OPTIONS, version="3.6.9-1", state="upgraded", allow_downgrade=False)
    assert "3.6.10-1 is installed and the older 3.6.9-1 is wanted" in result["msg"]
    assert calls(host) == []


def test_what_was_interrupted_is_finished(run, host):
    (host / "installed").write_text("3.6.0-100")
    (host / "status").write_text("half-configured")
    assert run("vendor_package", check=True, **OPTIONS, version="3.6.0-100", state="upgraded")["outdated"]
    assert run("vendor_package", **OPTIONS, version="3.6.0-100", state="upgraded")["changed"]
    assert calls(host) == []
    assert not run("vendor_package", **OPTIONS, version="3.6.0-100", state="upgraded")["changed"]


def test_a_package_is_removed_once(run, host):
    (host / "installed").write_text("3.6.0-100")
    assert run("vendor_package", check=True, **OPTIONS, state="absent")["changed"]
    result = run("vendor_package", **OPTIONS, state="absent")
    assert (result["changed"], result["previous_version"], result["version"]) == (True, "3.6.0-100", "")
    assert not run("vendor_package", **OPTIONS, state="absent")["changed"]
    assert [call["argv"][0] for call in calls(host)] == ["purge"]
