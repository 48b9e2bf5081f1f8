"""scaleio_mdm_cluster against three MDM processes and a Gateway, as on lab hosts: here a take-over is real."""

from __future__ import annotations

import json
from types import SimpleNamespace

import pytest
from ansible.module_utils.testing import patch_module_args

from ansible_collections.mesos_scaleio.platform.plugins.modules import scaleio_mdm_cluster
from lab.scaleio.daemons.gateway_service import RemoteMdm
from lab.scaleio.gateway import Gateway
from lab.scaleio.web import WebServer
from tests.unit.lab.scaleio_daemons.cluster import PASSWORD, MdmCluster


@pytest.fixture
def site(tmp_path, capsys):
    cluster = MdmCluster(tmp_path)
    try:
        cluster.form()
        backend = RemoteMdm(["127.0.0.1", "127.0.0.2"], cluster.management_port, lambda _fingerprint: True, None)
        web = WebServer(("127.0.0.1", 0), Gateway(backend).handle)
        web.start()

        def run(check=False, **arguments):
            connection = {
                "gateway_host": "127.0.0.1",
                "gateway_port": web.port,
                "gateway_password": PASSWORD,
                "use_tls": False,
            }
            with patch_module_args({**connection, **arguments, "_ansible_check_mode": check}):
                with pytest.raises(SystemExit):
                    scaleio_mdm_cluster.main()
            return json.loads(capsys.readouterr().out)

        yield SimpleNamespace(run=run, cluster=cluster)
        web.stop()
    finally:
        cluster.close()


def test_ownership_really_moves_and_the_cluster_is_well_again(site):
    predicted = site.run(check=True, primary="mdm2")
    assert predicted["steps"][0]["action"] == "switch_ownership", predicted
    assert site.cluster.primary() == "127.0.0.1"
    result = site.run(primary="mdm2", members=[{"name": "tb1", "new_name": "quorum"}])
    assert not result.get("failed"), result
    assert [step["action"] for step in result["steps"]] == ["rename_mdm", "switch_ownership"]
    shown = result["mdm_cluster"]
    assert (shown["primary"]["name"], shown["tie_breakers"][0]["name"]) == ("mdm2", "quorum")
    assert shown["state"] == "ClusteredNormal"
    assert site.cluster.primary() == "127.0.0.2"
    assert not site.run(primary="mdm2")["changed"]


def test_to_one_node_and_back(site):
    one = site.run(mode="OneNode")
    assert not one.get("failed"), one
    assert [member["name"] for member in one["mdm_cluster"]["standbys"]] == ["mdm2", "tb1"]
    three = site.run(mode="ThreeNodes")
    assert not three.get("failed"), three
    assert (three["mdm_cluster"]["mode"], three["mdm_cluster"]["state"]) == ("ThreeNodes", "ClusteredNormal")
