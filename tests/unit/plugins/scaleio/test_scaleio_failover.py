"""Two Gateways of one system: which of them is used when one is away, has lost its MDM, or refuses."""

import json
import threading

import pytest

from ansible_collections.mesos_scaleio.platform.plugins.module_utils._scaleio import errors
from ansible_collections.mesos_scaleio.platform.plugins.module_utils._scaleio.client import Gateway
from ansible_collections.mesos_scaleio.platform.plugins.module_utils._scaleio.module import connection_from
from ansible_collections.mesos_scaleio.platform.plugins.modules import scaleio_topology
from lab.scaleio.emulator import Emulator
from lab.scaleio.faults import Fault
from lab.scaleio.gateway import Gateway as EmulatedGateway
from lab.scaleio.system import Pace
from lab.scaleio.web import WebServer

FIRST, SECOND, NOBODY = "127.0.0.1", "127.0.0.2", "127.0.0.3"
SYSTEMS = "/api/types/System/instances"
ALWAYS = 10_000


class Pair:
    """The emulator's own Gateway and one more on another address, each with its own sessions, faults and journal."""

    def __init__(self, profile):
        self.emulator = Emulator(profile=profile, plain_http=True, pace=Pace(join_seconds=0, device_test_seconds=0))
        self.first = self.emulator.gateway
        self.second = EmulatedGateway(self.first.backend, self.emulator.clock, self.first.configuration)
        self.emulator.start()
        self._web = WebServer((SECOND, self.emulator.facts["port"]), self.second.handle)
        self._web.start()
        self._second_runs = True

    def options(self, *hosts, **changes):
        facts = self.emulator.facts
        options = {"gateway_host": list(hosts), "gateway_port": facts["port"], "gateway_password": facts["password"]}
        return {**options, "use_tls": False, "timeout_seconds": 5, **changes}

    def connection(self, *hosts, **changes):
        defaults = {"gateway_username": "admin", "validate_certs": True, "ca_path": None}
        return connection_from({**defaults, **self.options(*hosts, **changes)})

    def stop_second(self):
        if self._second_runs:
            self._web.stop()
        self._second_runs = False

    def stop(self):
        self.stop_second()
        self.emulator.stop()


@pytest.fixture
def start_pair():
    started = []

    def start(profile="3.6"):
        started.append(Pair(profile))
        return started[-1]

    yield start
    for pair in started:
        pair.stop()


@pytest.fixture
def pair(start_pair):
    return start_pair()


def logins(gateway):
    return gateway.journal.counters()["logins"]


def paths(gateway):
    return [entry["path"] for entry in gateway.journal.log()]


def test_with_both_there_only_the_first_is_asked(pair):
    with Gateway(pair.connection(FIRST, SECOND)) as gateway:
        assert gateway.get(SYSTEMS)
        assert gateway.place.startswith(FIRST)
    assert paths(pair.second) == []


@pytest.mark.parametrize("profile", ["2.6", "3.6", "4.5"])
@pytest.mark.parametrize("dead", [NOBODY, "no-such-gateway.invalid"])
def test_a_dead_first_gateway_is_passed_over(start_pair, dead, profile):
    pair = start_pair(profile)
    with Gateway(pair.connection(dead, SECOND)) as gateway:
        assert gateway.get(SYSTEMS)
        assert gateway.version == profile
    assert paths(pair.second)[-1].endswith("logout")


@pytest.mark.parametrize(
    ("status", "message"),
    [(503, "Service unavailable"), (502, "Bad gateway"), (500, "MDM not connected"), (500, "Failed to connect to MDM")],
)
def test_a_first_gateway_without_its_mdm_is_passed_over(pair, status, message):
    pair.first.faults.add(Fault("status", path_prefix="/api/login", status=status, message=message, times=ALWAYS))
    with Gateway(pair.connection(FIRST, SECOND)) as gateway:
        assert gateway.get(SYSTEMS)
        assert gateway.place.startswith(SECOND)
    assert (logins(pair.first), logins(pair.second)) == (1, 1)


def test_a_wrong_password_is_asked_of_one_gateway_only(pair):
    with (
        pytest.raises(errors.AuthenticationFailed, match=FIRST),
        Gateway(pair.connection(FIRST, SECOND, gateway_password="wrong")),
    ):
        pass
    assert (logins(pair.first), logins(pair.second)) == (1, 0)


def test_another_refusal_of_the_login_is_not_asked_elsewhere_either(pair):
    full = Fault("status", path_prefix="/api/login", error_code=252, message="Too many sessions")
    pair.first.faults.add(full)
    with pytest.raises(errors.Refused, match="error 252"), Gateway(pair.connection(FIRST, SECOND)):
        pass
    assert logins(pair.second) == 0


def test_without_any_gateway_the_error_names_all_of_them(pair):
    pair.second.faults.add(
        Fault("status", path_prefix="/api/login", status=503, message="MDM not connected", times=ALWAYS)
    )
    with (
        pytest.raises(errors.GatewayUnreachable) as caught,
        Gateway(pair.connection(NOBODY, SECOND, timeout_seconds=1)),
    ):
        pass
    text = str(caught.value)
    assert text.startswith("None of the 2 ScaleIO Gateways can be used: ")
    assert f"{NOBODY}:" in text
    assert "Connection refused" in text
    assert "answers, but not the MDM behind it: MDM not connected" in text
    assert caught.value.as_failure()["code"] == "gateway_unreachable"
    # They were waited for: an MDM that is just failing over comes back.
    assert logins(pair.second) > 1


@pytest.mark.parametrize("kind", ["status", "drop"])
def test_a_read_goes_on_at_the_other_gateway_when_its_own_goes_away(pair, kind):
    with Gateway(pair.connection(FIRST, SECOND)) as gateway:
        pair.first.faults.add(Fault(kind, status=503, times=ALWAYS))
        assert gateway.get(SYSTEMS)
        assert gateway.get(SYSTEMS)
        assert gateway.calls == 2
    assert logins(pair.second) == 1
    assert paths(pair.second)[-1] == "/api/logout"


def test_a_write_that_was_not_done_goes_on_and_one_that_may_have_been_does_not(pair):
    with Gateway(pair.connection(FIRST, SECOND)) as gateway:
        pair.first.faults.add(Fault("status", method="POST", status=503))
        gateway.post("/api/types/ProtectionDomain/instances", {"name": "a"})
        assert gateway.place.startswith(SECOND)
        pair.second.faults.add(Fault("drop_after", method="POST"))
        with pytest.raises(errors.AnswerLost):
            gateway.post("/api/types/ProtectionDomain/instances", {"name": "b"})
    assert [domain["name"] for domain in pair.emulator.system.objects("ProtectionDomain").values()] == ["a", "b"]


def test_threads_move_to_the_other_gateway_with_one_login(pair):
    answers = []
    with Gateway(pair.connection(SECOND, FIRST)) as gateway:
        gateway.get(SYSTEMS)
        pair.stop_second()
        before = logins(pair.first)
        threads = [threading.Thread(target=lambda: answers.append(gateway.get(SYSTEMS))) for _ in range(5)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert (len(answers), logins(pair.first) - before) == (5, 1)


def test_a_topology_is_finished_though_its_gateway_dies_midway(pair, run_module, three_agents):
    pair.first.faults.add(Fault("status", path_prefix="/api/types/Device", method="POST", status=503, times=ALWAYS))
    arguments = pair.options(FIRST, SECOND, topology=three_agents())
    result = run_module(scaleio_topology.main, **arguments)
    assert not result.get("failed"), result
    assert len(pair.emulator.system.objects("Device")) == 3
    assert run_module(scaleio_topology.main, **arguments)["changed"] is False


def test_the_addresses_may_stand_in_one_text_or_in_the_environment(pair, run_module, three_agents, monkeypatch):
    options = pair.options(FIRST, topology=three_agents())
    for hosts in (FIRST, f"{NOBODY},{FIRST}"):
        result = run_module(scaleio_topology.main, check_mode=True, **{**options, "gateway_host": hosts})
        assert result["changed"], json.dumps(result)
    del options["gateway_host"]
    monkeypatch.setenv("SCALEIO_GATEWAY_HOST", f"{NOBODY},{FIRST}")
    assert run_module(scaleio_topology.main, check_mode=True, **options)["changed"]
