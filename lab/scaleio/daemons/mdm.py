"""The MDM daemon: one member of the cluster that owns the system's metadata."""

from __future__ import annotations

import sys
import threading
from pathlib import Path

from lab.scaleio.daemons import members, wire
from lab.scaleio.daemons.ballot import MANAGER, TIE_BREAKER, Ballot
from lab.scaleio.daemons.files import read_properties
from lab.scaleio.daemons.management import Management
from lab.scaleio.daemons.monitor import Monitor, RemoteDevices
from lab.scaleio.daemons.node import Node, NotPrimary
from lab.scaleio.daemons.service import Arguments, note, until_terminated
from lab.scaleio.daemons.virtual_ips import VirtualIps
from lab.scaleio.profiles import profile as find_profile
from lab.scaleio.system import System

ROUND_SECONDS = 1.0
VIRTUAL_IP_SECONDS = 0.25  # shorter than the gap between the end of a term and the next


class Reign:
    """This MDM's time as primary in one epoch: the live system, and how its changes reach the other managers."""

    def __init__(self, node: Node, epoch: int, state: dict, devices: RemoteDevices, source_ip: str | None) -> None:
        self.system = System.from_json(state["system"], probe=devices)
        self.session_key: str = state["session_key"]
        self._node = node
        self._epoch = epoch
        self._stored_generation = self.system.generation
        self._flush_lock = threading.Lock()
        self._ended = threading.Event()
        self.monitor = Monitor(self.system, source_ip)
        threading.Thread(target=self._watch, daemon=True).start()

    def end(self) -> None:
        self._ended.set()
        self.monitor.close()

    def flush(self, cluster: dict | None = None) -> None:
        """Return when everything done so far would survive the loss of this MDM."""
        with self._flush_lock:
            if cluster is None and self.system.generation == self._stored_generation:
                return
            system = self.system.to_json()
            self._node.commit(self._epoch, {"system": system, "session_key": self.session_key}, cluster)
            self._stored_generation = system["generation"]

    def change_cluster(self, cluster: dict) -> None:
        self.flush(cluster)
        self.show_cluster()
        self.flush()

    def show_cluster(self) -> None:
        ballot = self._node.ballot
        shown = members.as_rest(
            ballot.cluster,
            ballot.node_id,
            ballot.in_sync["ids"],
            self._node.reachable,
            self._node.release_of,
        )
        self.system.set_release(self._node.release)
        name = self.system.state["name"]
        self.system.set_mdm_cluster({**shown, "name": name} if name else shown)

    def _watch(self) -> None:
        while not self._ended.is_set():
            if self._node.serving:
                try:
                    self.show_cluster()
                    self.monitor.check()
                    self.flush()
                except NotPrimary:
                    pass  # step_down has said why; the end of this reign follows
                except RuntimeError as exc:
                    if not self._ended.is_set():  # else: the pool of the monitor is closed already
                        note(f"watching SDSs: {exc}")
            self._ended.wait(ROUND_SECONDS)


class Mdm:
    def __init__(
        self,
        *,
        folder: Path,
        role: str,
        profile: str,
        listen: str,
        management_port: int,
        cluster_port: int,
        certificate: Path | None,
        release: str | None = None,
    ) -> None:
        self.profile = profile
        self.cluster_port = cluster_port
        self.reign: Reign | None = None
        source_ip = listen if listen != "0.0.0.0" else None
        self._source_ip = source_ip
        self.ballot = Ballot(folder, role)
        self.devices = RemoteDevices(lambda: self.reign.system.id if self.reign else "", source_ip)
        release = release or find_profile(profile).mdm_version
        self.node = Node(self.ballot, self._elected, self._deposed, source_ip, release)
        self._servers = [wire.Server((listen, cluster_port), self.node.answer)]
        try:
            self._servers.append(wire.Server((listen, management_port), Management(self).answer, certificate))
        except OSError:
            self.close()
            raise
        self.node.start()
        self._closed = threading.Event()
        self._carrier = threading.Thread(target=self._carry_virtual_ips, daemon=True)
        self._carrier.start()

    def retire(self) -> None:
        """Before an orderly end: let a slave that has everything take over at once, instead of noticing the silence."""
        reign, ballot = self.reign, self.ballot
        if reign is None or not self.node.serving:
            return
        heirs = [m for m in ballot.voters() if m["id"] in ballot.in_sync["ids"] and m["id"] != ballot.node_id]
        try:
            reign.flush()
        except NotPrimary:
            return
        if heirs and (why_not := self.node.hand_over(heirs[0])):
            note(f"could not hand over to {heirs[0]['name']}: {why_not}")

    def close(self) -> None:
        for server in self._servers:
            server.close()
        self._deposed()
        if len(self._servers) == 2:
            self._closed.set()
            self._carrier.join(2)
            self.node.stop()

    def _carry_virtual_ips(self) -> None:
        """They are on this host exactly while this MDM is master, and answers."""
        carried = VirtualIps()
        if (self.ballot.cluster or {}).get("virtual_ips"):
            carried.leave_behind()
        while not self._closed.wait(VIRTUAL_IP_SECONDS):
            member = self.ballot.member(self.ballot.node_id) if self.node.serving else None
            ips = self.ballot.cluster.get("virtual_ips", []) if member else []
            carried.hold(ips, member.get("virtual_ip_interfaces", []) if member else [])
        carried.hold([], [])

    def _elected(self, epoch: int, state: dict) -> None:
        self._deposed()
        self.reign = Reign(self.node, epoch, state, self.devices, self._source_ip)

    def _deposed(self) -> None:
        # Called with the node's locks held: it must not wait for a request that is waiting for them.
        reign, self.reign = self.reign, None
        if reign is not None:
            reign.end()


def _role(configuration: Path) -> str:
    return TIE_BREAKER if read_properties(configuration).get("actor_role_is_manager") == "0" else MANAGER


def main(arguments: list[str] | None = None) -> int:
    parser = Arguments(prog="mdm", description="The ScaleIO metadata manager of the lab.")
    parser.add_argument("--config", type=Path, default=Path("/opt/emc/scaleio/mdm/cfg/conf.txt"))
    parser.add_argument("--repository", type=Path, default=Path("/opt/emc/scaleio/mdm/rep"))
    parser.add_argument("--listen", default="0.0.0.0", metavar="IP")
    parser.add_argument("--management-port", type=int, default=6611)
    parser.add_argument("--cluster-port", type=int, default=9011)
    parser.add_argument("--certificate", type=Path, help="PEM file with key and certificate; without it plain only")
    parser.add_argument("--profile", default="3.6", help="version to be")
    parser.add_argument("--release", help="its version, as R3_6.0.354; default: the profile's")
    parser.add_argument("--leave-virtual-ips", action="store_true", help="give up what a killed MDM carried, and end")
    options = parser.parse_args(arguments)
    if options.leave_virtual_ips:
        VirtualIps().leave_behind()
        return 0
    if options.certificate and not options.certificate.is_file():
        parser.error(f"no certificate at {options.certificate}")
    try:
        mdm = Mdm(
            folder=options.repository,
            role=_role(options.config),
            profile=options.profile,
            listen=options.listen,
            management_port=options.management_port,
            cluster_port=options.cluster_port,
            certificate=options.certificate,
            release=options.release,
        )
    except OSError as exc:
        parser.error(str(exc))
    until_terminated(
        {
            "role": mdm.ballot.role,
            "management": f"{options.listen}:{options.management_port}",
            "cluster": f"{options.listen}:{options.cluster_port}",
        }
    )
    mdm.retire()
    mdm.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
