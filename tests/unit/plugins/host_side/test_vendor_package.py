"""How packages are installed, with package managers that write down what they were given."""

import json
import os
import stat

import pytest

DPKG_QUERY = """#!/bin/sh
[ -f "$STATE/installed" ] || { echo "no packages found" >&2; exit 1; }
printf 'installed %s' "$(cat "$STATE/installed")"
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
else:
    open(state + "/installed", "w").write("3.6.0-100")
"""


@pytest.fixture
def host(tmp_path, monkeypatch):
    for name, text in (("dpkg-query", DPKG_QUERY), ("apt-get", APT_GET)):
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
