"""The v1 executor API of a Mesos agent: calls, the event stream, and updates kept until they are acknowledged."""

import base64
import http.client
import json
import os
import re
import sys
import threading
import time
import uuid

TERMINAL_STATES = ("TASK_FINISHED", "TASK_FAILED", "TASK_KILLED")
SECONDS = {"ns": 1e-9, "us": 1e-6, "ms": 1e-3, "secs": 1, "mins": 60, "hrs": 3600, "days": 86400, "weeks": 604800}


def log(message):
    print(message, file=sys.stderr, flush=True)


def parse_duration(text):
    """Seconds of a Mesos duration such as 15secs."""
    found = re.fullmatch(r"([0-9.]+)(ns|us|ms|secs|mins|hrs|days|weeks)", text)
    if not found:
        raise ValueError(f"not a duration: {text}")
    return float(found[1]) * SECONDS[found[2]]


def grace_seconds(kill_policy, default_seconds=3.0):
    """The grace period of a KillPolicy message; Mesos gives 3 seconds when there is none."""
    nanoseconds = (kill_policy or {}).get("grace_period", {}).get("nanoseconds")
    return default_seconds if nanoseconds is None else int(nanoseconds) / 1e9


class ExecutorApi:
    """One executor's connection to its agent, as described by the environment that the agent set."""

    def __init__(self):
        environment = os.environ
        self.host, _, self.port = environment["MESOS_AGENT_ENDPOINT"].rpartition(":")
        self.path = "/" + environment["MESOS_SLAVE_PID"].split("@")[0] + "/api/v1"
        self.ids = {
            "framework_id": {"value": environment["MESOS_FRAMEWORK_ID"]},
            "executor_id": {"value": environment["MESOS_EXECUTOR_ID"]},
        }
        self.headers = {"Content-Type": "application/json", "Accept": "application/json"}
        if token := environment.get("MESOS_EXECUTOR_AUTHENTICATION_TOKEN"):
            self.headers["Authorization"] = "Bearer " + token
        self.lock = threading.RLock()
        self.unacknowledged = {}

    def call_agent(self, message, path=None, timeout_seconds=10):
        """Call the agent's operator API; return the status and the body."""
        connection = http.client.HTTPConnection(self.host, int(self.port), timeout=timeout_seconds)
        connection.request("POST", path or self.path, json.dumps(message), self.headers)
        response = connection.getresponse()
        return response.status, response.read().decode()

    def call(self, call_type, **fields):
        return self.call_agent({**self.ids, "type": call_type, **fields}, self.path + "/executor")

    def update(self, task_id, state, message="", **fields):
        """Send a status update; it stays in unacknowledged until the agent confirms it."""
        update_id = base64.b64encode(uuid.uuid4().bytes).decode()
        status = {
            "task_id": task_id,
            "state": state,
            "source": "SOURCE_EXECUTOR",
            "uuid": update_id,
            "timestamp": time.time(),
            "executor_id": self.ids["executor_id"],
            **({"message": message} if message else {}),
            **fields,
        }
        with self.lock:
            self.unacknowledged[update_id] = {"status": status}
        try:
            code, body = self.call("UPDATE", update={"status": status})
        except OSError as error:
            log(f"UPDATE {state}: {error}; it is sent again with the next subscription")
            return
        if code != 202:
            log(f"UPDATE {state}: {code} {body}")

    def acknowledge(self, event):
        with self.lock:
            self.unacknowledged.pop(event["acknowledged"]["uuid"], None)

    def events(self, unacknowledged_tasks=()):
        """Subscribe and yield the events until the agent closes the stream."""
        with self.lock:
            updates = list(self.unacknowledged.values())
        message = {
            **self.ids,
            "type": "SUBSCRIBE",
            "subscribe": {"unacknowledged_tasks": list(unacknowledged_tasks), "unacknowledged_updates": updates},
        }
        connection = http.client.HTTPConnection(self.host, int(self.port))
        connection.request("POST", self.path + "/executor", json.dumps(message), self.headers)
        response = connection.getresponse()
        if response.status != 200:
            raise OSError(f"SUBSCRIBE: {response.status} {response.read().decode()}")
        buffer = b""
        while data := response.read1(65536):
            buffer += data
            while b"\n" in buffer:
                size, _, rest = buffer.partition(b"\n")
                if len(rest) < int(size):
                    break
                buffer = rest[int(size) :]
                yield json.loads(rest[: int(size)])
