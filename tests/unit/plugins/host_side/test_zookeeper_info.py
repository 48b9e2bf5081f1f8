"""What a server says of itself, with servers whose answers are given here (real ones: tests/e2e)."""

import socket
import threading
import time

import pytest

NOT_SERVING = b"This ZooKeeper instance is not currently serving requests\n"


@pytest.fixture
def server():
    """Gives its answers in order, the last one for ever."""
    listener = socket.create_server(("127.0.0.1", 0))
    answers = []

    def serve():
        while True:
            try:
                connection, _peer = listener.accept()
            except OSError:
                return
            with connection:
                connection.recv(16)
                connection.sendall(answers.pop(0) if len(answers) > 1 else answers[0])

    thread = threading.Thread(target=serve)
    thread.start()
    yield listener.getsockname()[1], answers
    listener.shutdown(socket.SHUT_RDWR)
    listener.close()
    thread.join()


def test_reads_the_role(run, server):
    port, answers = server
    answers.append(b"zk_version\t3.8.0\nzk_server_state\tleader\nzk_synced_followers\t2\n")
    result = run("zookeeper_info", port=port)
    assert result["state"] == "leader"
    assert result["monitor"]["zk_synced_followers"] == "2"


def test_waits_for_a_majority(run, server):
    port, answers = server
    answers += [NOT_SERVING, NOT_SERVING, b"zk_server_state\tfollower\n"]
    assert run("zookeeper_info", port=port, wait_timeout_seconds=10)["state"] == "follower"


def test_says_who_has_no_majority(run, server):
    port, answers = server
    answers.append(NOT_SERVING)
    result = run("zookeeper_info", port=port, wait_timeout_seconds=1)
    assert result["failed"]
    assert f"ZooKeeper at 127.0.0.1:{port} is not serving" in result["msg"]


def test_asking_once_never_fails(run):
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    started = time.monotonic()
    result = run("zookeeper_info", port=port)
    assert result["state"] == "unreachable"
    assert not result.get("failed")
    assert time.monotonic() - started < 3
