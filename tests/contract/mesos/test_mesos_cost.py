"""What reading a big cluster costs.

The short set has answers of a real master with its agent multiplied to 300, the full one 300 agents.
"""

from __future__ import annotations

import copy
import json
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from mesos_support import RunningCluster
from mortal_front import MortalFront

AGENTS, MOST_REQUESTS, MOST_SECONDS = 300, 3, 2.0
TRIES = 5  # of which the quickest counts, since other tests run on the same processors


@pytest.fixture(scope="module")
def cluster(start_cluster: Callable[..., RunningCluster]) -> RunningCluster:
    return start_cluster("--agents", "1", "--agent-flag", "attributes=rack:r1;level:3")


@pytest.fixture
def big_cluster(cluster: RunningCluster) -> Iterator[tuple[str, list[str]]]:
    answers = {name: cluster.call(name) for name in ("GET_MASTER", "GET_AGENTS", "GET_STATE", "GET_ROLES", "GET_QUOTA")}
    with urllib.request.urlopen(f"{cluster.masters[0]}/roles", timeout=10) as response:
        answers["/roles"] = json.load(response)
    (real,) = answers["GET_AGENTS"]["get_agents"]["agents"]
    many = []
    for number in range(AGENTS):
        agent = copy.deepcopy(real)
        agent["agent_info"]["id"]["value"] = f"{real['agent_info']['id']['value'][:-1]}{number}"
        agent["agent_info"]["hostname"] = f"agent{number}"
        many.append(agent)
    answers["GET_AGENTS"]["get_agents"]["agents"] = many
    answers["GET_STATE"]["get_state"]["get_agents"]["agents"] = many
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.answer(self.path)

        def do_POST(self) -> None:
            self.answer(json.loads(self.rfile.read(int(self.headers["Content-Length"])))["type"])

        def answer(self, call: str) -> None:
            asked.append(call)
            data = json.dumps(answers[call]).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}", asked
    server.shutdown()
    server.server_close()


def test_everything_about_a_big_cluster_is_read_in_few_requests(
    cluster: RunningCluster, big_cluster: tuple[str, list[str]], figure: Callable[..., None]
) -> None:
    url, asked = big_cluster
    seconds, result = read_all(cluster, url, asked.clear)
    judge(f"{AGENTS} agents", result, seconds, len(asked), figure)


@pytest.mark.slow
def test_three_hundred_real_agents(start_cluster: Callable[..., RunningCluster], figure: Callable[..., None]) -> None:
    begin = time.monotonic()
    big = start_cluster("--one-process", "--agents", str(AGENTS), "--agent-flag", "attributes=rack:r1;level:3")
    figure(f"{AGENTS} real agents started", round(time.monotonic() - begin), "s", "none", True)
    front = MortalFront(big.masters[0].removeprefix("http://"))

    def forget() -> None:
        front.requests = 0

    try:
        seconds, result = read_all(big, front.address, forget)
    finally:
        front.close()
    judge(f"{AGENTS} real agents", result, seconds, front.requests, figure)
    assert {agent["state"] for agent in result["agents"]} == {"active"}


def read_all(cluster: RunningCluster, url: str, before_each: Callable[[], None]) -> tuple[float, dict[str, Any]]:
    """The quickest reading of everything through a master's address, in seconds, and what it gave."""
    seconds, result = MOST_SECONDS, dict[str, Any]()
    for _try in range(TRIES):
        before_each()
        begin = time.monotonic()
        result = cluster.module("info", masters=[url])
        seconds = round(time.monotonic() - begin, 2)
        if seconds < MOST_SECONDS:
            break
    return seconds, result


def judge(what: str, result: dict[str, Any], seconds: float, requests: int, figure: Callable[..., None]) -> None:
    assert {"masters", "agents", "frameworks", "roles", "quota"} <= set(result), result
    assert len({agent["id"] for agent in result["agents"]}) == AGENTS
    figure(f"requests for {what}", requests, "requests", f"<= {MOST_REQUESTS}", requests <= MOST_REQUESTS)
    figure(f"facts of {what}", seconds, "s", f"< {MOST_SECONDS}", seconds < MOST_SECONDS)
    assert requests <= MOST_REQUESTS
    assert seconds < MOST_SECONDS


def test_one_agent_of_a_big_cluster_takes_one_request(
    cluster: RunningCluster, big_cluster: tuple[str, list[str]]
) -> None:
    url, asked = big_cluster
    planned = cluster.module("agent", masters=[url], agent="agent17", state="drained", check=True)
    assert (planned["changed"], asked) == (True, ["GET_AGENTS"])
