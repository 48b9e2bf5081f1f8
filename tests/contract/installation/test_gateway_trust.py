"""A Gateway that checks the certificates of its MDMs, and is told which ones are approved."""

import importlib
import json

import pytest
from ansible.module_utils.testing import patch_module_args

from ansible_collections.mesos_scaleio.platform.plugins.module_utils._scaleio.gateway_login import try_login
from ansible_collections.mesos_scaleio.platform.plugins.module_utils._scaleio.mdm_certificates import remembered
from tests.unit.lab.scaleio_daemons.cluster import GATEWAY_PASSWORD, PASSWORD, MdmCluster, make_certificate

MODULE = "ansible_collections.mesos_scaleio.platform.plugins.modules.scaleio_gateway_trust"


@pytest.fixture
def mdms(tmp_path):
    cluster = MdmCluster(tmp_path)
    try:
        cluster.form()
        cluster.start_gateway(bypass=False)
        yield cluster
    finally:
        cluster.close()


@pytest.fixture
def trust(mdms, tmp_path, capsys):
    def run(check=False, **changes):
        options = {
            "mdm_addresses": ["127.0.0.1", "127.0.0.2"],
            "admin_password": GATEWAY_PASSWORD,
            "approved_file": str(tmp_path / "approved.json"),
            "port": mdms.https_port,
            "wait_timeout_seconds": 5,
            **changes,
            "_ansible_check_mode": check,
        }
        with patch_module_args(options), pytest.raises(SystemExit):
            importlib.import_module(MODULE).main()
        return json.loads(capsys.readouterr().out.strip().splitlines()[-1])

    return run


def login(mdms):
    return try_login("127.0.0.1", mdms.https_port, "admin", PASSWORD)


def test_nobody_logs_in_before_the_mdms_are_trusted_and_another_certificate_is_refused(trust, mdms, tmp_path):
    status, said = login(mdms)
    assert (status, "not trusted" in said) == (502, True)
    assert "scaleio_gateway_admin_password" in trust(admin_password="Other-1")["failure"]["remedy"]
    assert trust(check=True)["changed"] is True
    assert login(mdms)[0] == 502  # a check tells the Gateway nothing
    first = trust()
    assert (first["changed"], sorted(first["certificates"])) == (True, ["127.0.0.1", "127.0.0.2"])
    assert login(mdms)[0] == 200
    assert trust()["changed"] is False
    mdms.kill("127.0.0.1")
    mdms.certificate = make_certificate(tmp_path / "other.pem")
    mdms.start_mdm("127.0.0.1")
    refused = trust()
    assert f"{first['certificates']['127.0.0.1']} was approved when first seen" in refused["msg"]
    assert "scaleio_gateway_mdm_fingerprints" in refused["failure"]["remedy"]
    assert GATEWAY_PASSWORD not in json.dumps(refused)


def test_a_list_has_the_only_say(trust, mdms, tmp_path):
    refused = trust(fingerprints=["00" * 32])
    assert "not in the list of fingerprints" in refused["msg"]
    assert login(mdms)[0] == 502
    assert not remembered(str(tmp_path / "approved.json"))
    shown = trust(check=True, fingerprints=[])["certificates"]["127.0.0.1"]
    assert trust(fingerprints=[shown.upper()])["changed"] is True
    assert login(mdms)[0] == 200


@pytest.mark.slow
def test_a_manager_that_is_away_is_trusted_when_it_is_back(trust, mdms):
    mdms.kill("127.0.0.2")
    first = trust()
    assert list(first["certificates"]) == ["127.0.0.1"]
    assert "127.0.0.2" in json.dumps(first["warnings"])
    mdms.start_mdm("127.0.0.2")
    assert sorted(trust()["certificates"]) == ["127.0.0.1", "127.0.0.2"]
