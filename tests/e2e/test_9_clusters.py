"""Larger clusters, packages from everywhere, hosts without a driver: what a site may ask for beyond the usual."""

from __future__ import annotations

import hashlib
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import yaml

from lab import packages, playbook
from tests.support.hosts import LabHosts, eventually

pytestmark = pytest.mark.slow

STORAGE = "playbooks/storage.yml"
MEMBERS = {"master1": "secondary", "master2": "tiebreaker", "master3": "standby_manager"}
MANAGERS = ("agent1", "agent2", "master1", "master3")
VIRTUAL_IP_NUMBER = 100
SECOND_INTERFACE = "data0"
NO_RESTART = "/run/systemd/system/mdm.service.d"


class Site:
    """The lab's inventory with changes of a test's own."""

    def __init__(self, lab: LabHosts, folder: Path) -> None:
        self.lab = lab
        self.folder = folder
        self.hosts: dict[str, Any] = yaml.safe_load((lab.inventory / "hosts.yml").read_text())
        (folder / "group_vars").symlink_to(lab.inventory / "group_vars")

    @property
    def groups(self) -> dict[str, Any]:
        return dict(self.hosts["all"]["children"])

    def run(self, book: str = STORAGE, *arguments: str, **variables: Any) -> playbook.Run:
        (self.folder / "hosts.yml").write_text(yaml.safe_dump(self.hosts))
        return playbook.run(self.folder, book, *arguments, extra_vars=variables)

    def good(self, book: str = STORAGE, *arguments: str, **variables: Any) -> playbook.Run:
        run = self.run(book, *arguments, **variables)
        assert run.status == 0, run.output[-5000:]
        return run

    def facts(self) -> dict[str, Any]:
        target = self.folder / "facts.json"
        self.good("lab/demo/facts.yml", demo_facts_file=str(target), demo_facts_of=["scaleio"])
        return dict(yaml.safe_load(target.read_text())["scaleio"])


@pytest.fixture
def site(lab: LabHosts, tmp_path: Path) -> Site:
    return Site(lab, tmp_path)


@pytest.fixture
def large(site: Site) -> Site:
    """Five members and a standby on masters and agents, two addresses that follow the primary, and two Gateways.

    The second network is one of each host alone: what counts is who carries its address.
    """
    other = second_network(site.lab)
    for number, host in enumerate(MANAGERS, start=11):
        there = f"ip link show {SECOND_INTERFACE} >/dev/null 2>&1"
        make = f"ip link add {SECOND_INTERFACE} type bridge && ip link set {SECOND_INTERFACE} up"
        site.lab.execute(host, f"{there} || ({make} && ip address add {other}.{number}/24 dev {SECOND_INTERFACE})")
    members = site.groups["scaleio_mdm"]["hosts"]
    members |= {host: {"scaleio_mdm_role": role} for host, role in MEMBERS.items()}
    site.groups["scaleio_gateway"]["hosts"]["master2"] = {}
    site.hosts["all"]["vars"] |= {
        "scaleio_mdm_virtual_ips": [virtual_ip(site.lab), f"{other}.{VIRTUAL_IP_NUMBER}"],
        "scaleio_mdm_virtual_ip_interfaces": ["eth0", SECOND_INTERFACE],
        "scaleio_data_networks": [site.lab.subnet, f"{other}.0/24"],
    }
    return site


def second_network(lab: LabHosts) -> str:
    """Its first three numbers."""
    return f"198.19.{lab.subnet.split('.')[2]}"


def virtual_ip(lab: LabHosts) -> str:
    return f"{lab.subnet.rsplit('.', 1)[0]}.{VIRTUAL_IP_NUMBER}"


# -- five members, a standby, two Gateways


def test_the_usual_site_is_installed(site: Site) -> None:
    site.good("playbooks/preflight.yml")
    site.good()


def test_three_members_become_five_with_a_standby_and_a_second_gateway(large: Site) -> None:
    before = large.facts()
    large.good("playbooks/preflight.yml")
    assert "agent1" in large.good().changed
    after = large.facts()
    mdm = after["system"]["mdm"]
    assert (mdm["mode"], mdm["state"]) == ("FiveNodes", "ClusteredNormal")
    assert [device["id"] for device in after["devices"]] == [device["id"] for device in before["devices"]]
    for host in ("agent1", "agent2", "agent3"):
        assert f"mdm {virtual_ip(large.lab)}" in large.lab.execute(host, "cat /bin/emc/scaleio/drv_cfg.txt")


def test_again_changes_nothing_anywhere(large: Site) -> None:
    run = large.good(STORAGE, "--diff")
    assert run.changed == {}, run.output


def carrier(lab: LabHosts) -> str:
    """The host that has the virtual addresses, each on its interface."""
    wanted = {
        f"eth0 inet {virtual_ip(lab)}/32",
        f"{SECOND_INTERFACE} inet {second_network(lab)}.{VIRTUAL_IP_NUMBER}/32",
    }
    carried = {}
    for host in MANAGERS:
        lines = lab.execute(host, "ip -4 -o address").splitlines()
        carried[host] = wanted & {" ".join(line.split()[1:4]) for line in lines}
    found = [host for host, addresses in carried.items() if addresses]
    assert len(found) == 1, carried
    assert carried[found[0]] == wanted, carried
    return found[0]


def test_primary_and_tiebreaker_die_at_once_and_nothing_is_lost(large: Site, figure: Callable[..., None]) -> None:
    lab = large.lab
    before = large.facts()
    primary = carrier(lab)
    assert before["system"]["mdm"]["primary"]["ips"] == [lab.address(primary)]
    # Daemons alone die, for good: hosts with data stay, so that this is about the cluster of MDMs.
    dead = (primary, "agent3")
    for host in dead:
        lab.execute(host, f"mkdir -p {NO_RESTART} && printf '[Service]\nRestart=no\n' > {NO_RESTART}/dead.conf")
        lab.execute(host, "systemctl daemon-reload && systemctl kill -s KILL mdm")
    killed = time.monotonic()
    try:
        heir = eventually(lambda: carrier(lab), lambda host: host != primary, 30, "the virtual address has moved")
        figure("virtual address of the MDMs moved", round(time.monotonic() - killed, 1), "s", "< 30", True)
        after = eventually(
            large.facts, lambda seen: seen["system"]["mdm"]["primary"]["ips"] == [lab.address(heir)], 60, heir
        )
        for what in ("storage_pools", "protection_domains", "volumes"):
            assert after[what] == before[what]
        eventually(
            lambda: [sdc for sdc in large.facts()["sdcs"] if sdc["connection_state"] == "Connected"],
            lambda sdcs: len(sdcs) == 3,
            60,
            "every client has found the primary by its virtual address",
        )
    finally:
        for host in dead:
            lab.execute(host, f"rm -r {NO_RESTART}; systemctl daemon-reload; systemctl start mdm")
    eventually(
        lambda: large.facts()["system"]["mdm"]["state"], lambda state: state == "ClusteredNormal", 60, "all are back"
    )


def test_the_first_gateway_dies_and_the_second_answers(large: Site) -> None:
    first = next(iter(large.groups["scaleio_gateway"]["hosts"]))
    large.lab.execute(first, "systemctl stop scaleio-gateway")
    try:
        assert len(large.facts()["sds"]) == 3
    finally:
        large.lab.execute(first, "systemctl start scaleio-gateway")


def remove(site: Site, host: str, component: str, *arguments: str, **inputs: Any) -> playbook.Run:
    """One component of one host, by the entry point of its role."""
    task = {"name": f"mesos_scaleio.platform.scaleio_{component}", "tasks_from": "remove"}
    play = {
        "hosts": host,
        "gather_facts": False,
        "module_defaults": {"group/mesos_scaleio.platform.scaleio": "{{ scaleio_connection }}"},
        "tasks": [{"ansible.builtin.include_role": task, "vars": inputs}],
    }
    book = site.folder / f"remove-{component}.yml"
    book.write_text(yaml.safe_dump([play]))
    return site.good(str(book), *arguments)


def package_of(lab: LabHosts, host: str, component: str) -> str:
    status = lab.execute(host, f"dpkg-query -W -f '${{db:Status-Status}}' emc-scaleio-{component} 2>/dev/null || true")
    return status.strip()


def test_components_are_removed_one_by_one_and_come_back(large: Site) -> None:
    lab = large.lab
    before = large.facts()
    removals: list[tuple[str, str, dict[str, str]]] = [
        ("agent3", "lia", {}),
        ("agent3", "sdc", {"scaleio_sdc_address": lab.address("agent3")}),
        ("agent3", "sds", {"scaleio_sds_name": "agent3"}),
        ("master3", "mdm", {"scaleio_mdm_name": "master3"}),
        ("master2", "gateway", {}),
    ]
    for host, component, inputs in removals:
        assert remove(large, host, component, "--check", **inputs).changed, component
        assert package_of(lab, host, component) == "installed"
        assert remove(large, host, component, **inputs).changed, component
        assert package_of(lab, host, component) == "", component
        assert remove(large, host, component, **inputs).changed == {}, component
    left = large.facts()
    assert sorted(sds["name"] for sds in left["sds"]) == ["agent1", "agent2"]
    assert len(left["sdcs"]) == len(before["sdcs"]) - 1
    assert left["system"]["mdm"]["standbys"] == []
    assert left["system"]["mdm"]["state"] == "ClusteredNormal"
    # Who is installed again has another certificate: nobody trusts it on its own word.
    refused = large.run()
    assert refused.status != 0
    assert "was approved when first seen" in refused.output
    certificate = "/opt/emc/scaleio/mdm/cfg/mdm_management_certificate.pem"
    ask = f"openssl x509 -noout -fingerprint -sha256 -in {certificate}"
    large.hosts["all"]["vars"]["scaleio_mdm_fingerprints"] = [lab.execute(host, ask).strip() for host in MANAGERS]
    large.good()
    back = large.facts()
    assert {sds["name"] for sds in back["sds"] if sds["healthy"]} == {"agent1", "agent2", "agent3"}
    assert (back["system"]["mdm"]["mode"], back["system"]["mdm"]["state"]) == ("FiveNodes", "ClusteredNormal")
    assert [member["name"] for member in back["system"]["mdm"]["standbys"]] == ["master3"]
    assert len(back["sdcs"]) == len(before["sdcs"])


def signed(folder: Path, lab: LabHosts, host: str) -> dict[str, str]:
    """A certificate for a Gateway from a CA of the test's own: files on the controller."""
    ca, own = folder / "ca", folder / host
    common = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "30"]
    if not ca.with_suffix(".crt").exists():
        openssl("req", "-x509", *common, "-subj", "/CN=Site CA", "-keyout", f"{ca}.key", "-out", f"{ca}.crt")
    openssl("req", *common, "-subj", f"/CN={host}", "-keyout", f"{own}.key", "-out", f"{own}.csr")
    own.with_suffix(".ext").write_text(f"subjectAltName=IP:{lab.address(host)}\n")
    signing = ["-CA", f"{ca}.crt", "-CAkey", f"{ca}.key", "-CAcreateserial", "-days", "30", "-extfile", f"{own}.ext"]
    openssl("x509", "-req", "-in", f"{own}.csr", *signing, "-out", f"{own}.crt")
    return {
        "scaleio_gateway_certificate": f"{own}.crt",
        "scaleio_gateway_private_key": own.with_suffix(".key").read_text(),
        "scaleio_gateway_ca_certificate": f"{ca}.crt",
    }


def openssl(*words: str) -> None:
    subprocess.run(["openssl", *words], check=True, capture_output=True)


def test_gateways_get_certificates_of_the_sites_own_ca(large: Site, tmp_path: Path) -> None:
    gateways = large.groups["scaleio_gateway"]["hosts"]
    for host in gateways:
        gateways[host] = signed(tmp_path, large.lab, host)
    # a file of its own: only the CA is in it, so what the modules verify from now on is what was signed
    variables = {"scaleio_gateway_ca_file": str(tmp_path / "trusted.pem")}
    run = large.good(STORAGE, "-vvv", "--diff", **variables)
    assert set(gateways) <= set(run.changed), run.changed
    assert "PRIVATE KEY" not in run.output
    trusted = (tmp_path / "trusted.pem").read_text()
    assert trusted.count((tmp_path / "ca.crt").read_text().strip()) == trusted.count("BEGIN CERTIFICATE") == 2
    assert large.good(STORAGE, **variables).changed == {}


# -- packages and drivers: the role of one component, on one host


@pytest.fixture
def client(site: Site) -> Callable[..., playbook.Run]:
    """The role of the data client on agent3, from which the client was taken away."""
    lab = site.lab
    folders = "/bin/emc /opt/emc/scaleio/sdc /var/cache/vendor_package"
    lab.execute("agent3", f"apt-get -qq purge -y emc-scaleio-sdc >/dev/null; rm -rf {folders}")
    addresses = [lab.address("agent1"), lab.address("agent2")]
    inputs = {"scaleio_sdc_mdm_addresses": addresses, "scaleio_sdc_version": "{{ scaleio_version }}"}
    role = {"role": "mesos_scaleio.platform.scaleio_sdc", "vars": inputs}
    book = site.folder / "client.yml"
    book.write_text(yaml.safe_dump([{"hosts": "agent3", "gather_facts": False, "roles": [role]}]))
    return partial(site.run, str(book))


def has_client(lab: LabHosts) -> bool:
    return "yes" in lab.execute("agent3", "dpkg-query -W emc-scaleio-sdc >/dev/null 2>&1 && echo yes || echo no")


@pytest.fixture
def web(lab: LabHosts) -> Iterator[str]:
    """The package folder over HTTP, on the address at which the lab's hosts see this machine."""
    address = f"{lab.subnet.rsplit('.', 1)[0]}.1"
    handler = partial(SimpleHTTPRequestHandler, directory=str(packages.folder()))
    server = ThreadingHTTPServer((address, 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://{address}:{server.server_address[1]}"
    server.shutdown()
    server.server_close()


def package(source: str, web: str) -> dict[str, str]:
    file = min(packages.folder().glob("emc-scaleio-sdc_*.deb"))
    locations = {"url": f"{web}/{file.name}", "controller": str(file)}
    checksum = "sha256:" + hashlib.sha256(file.read_bytes()).hexdigest()
    return {"source": source, **({"location": locations[source], "checksum": checksum} if source in locations else {})}


@pytest.mark.parametrize("source", ["url", "controller"])
def test_a_package_with_another_checksum_is_not_installed(
    lab: LabHosts, client: Callable[..., playbook.Run], web: str, source: str
) -> None:
    right = package(source, web)
    run = client(scaleio_sdc_package={**right, "checksum": "sha256:" + "0" * 64})
    said = " ".join(run.output.split())
    assert run.status == 2, run.output
    assert "Nothing was installed" in said
    assert right["checksum"].removeprefix("sha256:") in said
    assert run.output.count("fatal:") == 1, run.output
    assert not has_client(lab)


@pytest.mark.parametrize("source", ["url", "controller", "repository"])
def test_a_package_comes_from_where_the_inventory_says(
    lab: LabHosts, client: Callable[..., playbook.Run], web: str, source: str
) -> None:
    first = client(scaleio_sdc_package=package(source, web))
    assert first.status == 0, first.output[-4000:]
    assert has_client(lab)
    assert client(scaleio_sdc_package=package(source, web)).changed == {}


def test_a_host_without_a_driver_for_its_kernel_is_told_what_to_do(
    lab: LabHosts, client: Callable[..., playbook.Run]
) -> None:
    cache = "/bin/emc/scaleio/scini_sync/driver_cache/Debian/3.6"
    lab.execute("agent3", f"mkdir -p {cache}/4.4.0-38-generic && touch {cache}/4.4.0-38-generic/scini.ko")
    run = client()
    said = " ".join(run.output.split())
    kernel = lab.execute("agent3", "uname -r").strip()
    assert run.status == 2
    assert f"No scini driver for the running kernel {kernel}" in said
    assert "drivers for 4.4.0-38-generic. Boot one of those" in said
    lab.execute("agent3", f"mkdir {cache}/{kernel} && touch {cache}/{kernel}/scini.ko")
    again = client()
    assert again.status == 0, again.output[-4000:]
    assert lab.execute("agent3", "systemctl is-active scini").strip() == "active"
    assert client().changed == {}
    # A site that keeps drivers elsewhere says where, and only there is looked.
    elsewhere = {"scaleio_sdc_driver_paths": ["/srv/drivers"]}
    stopped = client(**elsewhere)
    assert "in /srv/drivers; there are drivers for no kernel" in " ".join(stopped.output.split())
    lab.execute("agent3", f"mkdir -p /srv/drivers/{kernel} && touch /srv/drivers/{kernel}/scini.ko")
    assert client(**elsewhere).changed == {}
