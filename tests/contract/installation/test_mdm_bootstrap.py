"""An MDM cluster formed with scli from daemons that nobody has touched, and from half-formed ones."""

import importlib
import json
import os
import signal
import stat
import sys

import pytest
from ansible.module_utils.testing import patch_module_args

from ansible_collections.mesos_scaleio.platform.plugins.module_utils._scaleio.mdm_certificates import fingerprint
from lab.paths import CHECKOUT
from tests.unit.lab.scaleio_daemons.cluster import PASSWORD, MdmCluster, make_certificate, wait_until

MODULE = "ansible_collections.mesos_scaleio.platform.plugins.modules.scaleio_mdm_bootstrap"
NAMES = {"127.0.0.1": ("mdm1", "primary"), "127.0.0.2": ("mdm2", "secondary"), "127.0.0.3": ("tb1", "tiebreaker")}
MORE = {
    "127.0.0.4": ("mdm3", "secondary"),
    "127.0.0.5": ("tb2", "tiebreaker"),
    "127.0.0.6": ("mdm4", "standby_manager"),
}
ALL_STEPS = ["create_cluster", "set_password", "add_standby", "add_standby", "switch_mode", "rename_system"]


def listed(names):
    return [{"name": name, "ips": [ip], "role": role} for ip, (name, role) in names.items()]


@pytest.fixture
def mdms(tmp_path):
    cluster = MdmCluster(tmp_path)
    try:
        for ip in cluster.ips:
            cluster.start_mdm(ip)
        scli = tmp_path / "scli"
        # The words that matter are the module's; where this cluster listens is the test's business.
        scli.write_text(
            f'#!/bin/sh\necho "$*" >> {tmp_path}/commands\n'
            f'cd {CHECKOUT} && SCLI_HOME={tmp_path}/home exec {sys.executable} -m lab.scaleio.scli "$@"'
            f" --mdm_port {cluster.management_port}\n"
        )
        scli.chmod(scli.stat().st_mode | stat.S_IXUSR)
        yield cluster
    finally:
        cluster.close()


@pytest.fixture
def bootstrap(mdms, tmp_path, capsys):
    def run(check=False, **changes):
        options = {
            "members": listed(NAMES),
            "password": PASSWORD,
            "system_name": "lab",
            "executable": str(tmp_path / "scli"),
            "wait_timeout_seconds": 20,
            "management_port": mdms.management_port,
            "approved_file": str(tmp_path / "approved.json"),
            **changes,
            "_ansible_check_mode": check,
        }
        with patch_module_args(options), pytest.raises(SystemExit):
            importlib.import_module(MODULE).main()
        result = json.loads(capsys.readouterr().out.strip().splitlines()[-1])
        assert PASSWORD not in json.dumps(result)
        result["actions"] = [step["action"] for step in result.get("steps", [])]
        return result

    return run


def commands(tmp_path):
    return (tmp_path / "commands").read_text().splitlines()


def test_from_nothing_and_again(bootstrap, mdms, tmp_path):
    assert bootstrap(check=True)["actions"] == ALL_STEPS
    assert not any("create_mdm_cluster" in line for line in commands(tmp_path))
    assert bootstrap()["actions"] == ALL_STEPS
    again = bootstrap()
    assert (again["changed"], again["actions"]) == (False, [])
    assert bootstrap(check=True)["changed"] is False


def test_an_interrupted_run_is_continued(bootstrap, tmp_path):
    single = [{"name": "mdm1", "ips": ["127.0.0.1"], "role": "primary"}]
    assert bootstrap(members=single, system_name="")["actions"] == ["create_cluster", "set_password"]
    assert bootstrap()["actions"] == ["add_standby", "add_standby", "switch_mode", "rename_system"]


def test_a_run_that_ended_before_the_password_was_set_is_continued(bootstrap, tmp_path):
    create = "--create_mdm_cluster --master_mdm_ip 127.0.0.1 --master_mdm_name mdm1 --accept_license"
    assert os.system(f"{tmp_path}/scli {create} --approve_certificate > /dev/null") == 0
    assert bootstrap(check=True)["actions"] == ["set_password"]
    assert bootstrap()["actions"] == ["set_password", *ALL_STEPS[2:]]


def test_after_a_failover_nothing_is_to_be_done(bootstrap, mdms):
    bootstrap()
    mdms.signal("127.0.0.1", signal.SIGKILL)
    wait_until(lambda: mdms.status("127.0.0.2")["serving"], 10, "the secondary serves")
    assert bootstrap()["changed"] is False


def test_an_mdm_with_another_certificate_is_not_talked_to(bootstrap, mdms, tmp_path):
    certificates = bootstrap()["certificates"]
    assert sorted(certificates) == ["127.0.0.1", "127.0.0.2"]  # the managers
    mdms.kill("127.0.0.2")
    mdms.certificate = make_certificate(tmp_path / "other.pem")
    mdms.start_mdm("127.0.0.2")
    before = len(commands(tmp_path))
    refused = bootstrap()
    assert f"{certificates['127.0.0.2']} was approved when first seen" in refused["msg"]
    assert "scaleio_mdm_fingerprints" in refused["failure"]["remedy"]
    assert len(commands(tmp_path)) == before  # no scli, so nobody was approved either
    other = bootstrap(check=True, fingerprints=["00" * 32])
    assert "not in the list" in other["msg"]
    seen = [
        certificates["127.0.0.1"],
        fingerprint(mdms.certificate.read_text().partition("-----END PRIVATE KEY-----")[2]),
    ]
    assert not bootstrap(fingerprints=seen)["changed"]
    assert not bootstrap()["changed"]  # what the list approved is remembered
    assert "64 hexadecimal digits" in bootstrap(fingerprints=["12:34"])["msg"]


@pytest.mark.slow
def test_three_nodes_become_five_with_a_standby_but_not_while_one_is_lost(bootstrap, mdms, tmp_path):
    bootstrap()
    mdms.roles = {**mdms.roles, **{ip: "01"[role != "tiebreaker"] for ip, (_name, role) in MORE.items()}}
    for ip in MORE:
        mdms.start_mdm(ip)
    mdms.kill("127.0.0.3")
    wanted = listed({**NAMES, **MORE})
    wait_until(lambda: "Degraded" in bootstrap(members=wanted, check=True).get("msg", ""), 10, "the loss is known")
    before = len(commands(tmp_path))
    refused = bootstrap(members=wanted)
    assert "would be grown" in refused["msg"]
    assert not [line for line in commands(tmp_path)[before:] if "--add" in line or "--switch" in line]
    mdms.start_mdm("127.0.0.3")
    wait_until(lambda: not bootstrap(members=wanted, check=True).get("failed"), 10, "all are there")
    grown = bootstrap(members=wanted)
    assert grown["actions"] == ["add_standby"] * 3 + ["switch_mode"], grown
    assert bootstrap(members=wanted)["changed"] is False
    for ip in ("127.0.0.1", "127.0.0.5"):  # a primary and a tie-breaker at once: what three nodes do not survive
        mdms.kill(ip)
    wait_until(lambda: any(mdms.status(ip)["serving"] for ip in ("127.0.0.2", "127.0.0.4")), 15, "another one serves")


def test_a_password_is_changed_once(bootstrap):
    bootstrap()
    changed = {"password": "Other-password-1", "previous_passwords": [PASSWORD]}
    assert bootstrap(check=True, **changed)["actions"] == ["set_password"]
    assert bootstrap(**changed)["actions"] == ["set_password"]
    again = bootstrap(**changed)
    assert (again["changed"], again["actions"]) == (False, [])


def test_another_password_is_refused_and_nothing_is_done(bootstrap, tmp_path):
    bootstrap()
    before = len(commands(tmp_path))
    result = bootstrap(password="Other-password-1")
    assert result["failed"]
    assert "scaleio_admin_previous_password" in result["msg"]
    assert not [line for line in commands(tmp_path)[before:] if "--login" not in line]


def test_members_that_form_no_cluster_are_refused_before_anything(bootstrap, tmp_path):
    result = bootstrap(members=[{"name": "a", "ips": ["127.0.0.1"], "role": "secondary"}])
    assert "exactly one member must have the role primary" in result["msg"]
    assert not (tmp_path / "commands").exists()
