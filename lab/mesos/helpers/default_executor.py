#!/usr/bin/env -S python3 -B
"""mesos-default-executor: runs task groups as nested containers, which it has the agent launch, await and kill.

Not done: checks, health checks, max_completion_time, coming back after a restart of the agent.
"""

import http.client
import json
import os
import signal
import sys
import threading
import uuid

from executor_api import TERMINAL_STATES, ExecutorApi, grace_seconds, log


class Task:
    def __init__(self, info, group):
        self.info, self.group = info, group
        self.container_id = {"value": str(uuid.uuid4()), "parent": None}
        self.state = "TASK_STAGING"
        self.killed = False

    @property
    def is_over(self):
        return self.state in TERMINAL_STATES


class DefaultExecutor:
    def __init__(self):
        self.api = ExecutorApi()
        self.tasks = {}
        self.container_id = None
        self.framework = {}

    def update(self, task, state, message=""):
        task.state = state
        self.api.update(task.info["task_id"], state, message, container_status={"container_id": task.container_id})

    def launch_group(self, infos):
        group = []
        group.extend(Task(info, group) for info in infos)
        for task in group:
            task.container_id["parent"] = self.container_id
            self.tasks[task.info["task_id"]["value"]] = task
            self.update(task, "TASK_STARTING")
        for task in group:
            self.launch(task)

    def launch(self, task):
        given = {key: task.info[key] for key in ("command", "container", "resources", "limits") if key in task.info}
        message = {"container_id": task.container_id, **given}
        code, body = self.api.call_agent({"type": "LAUNCH_CONTAINER", "launch_container": message}, timeout_seconds=60)
        if code != 200:
            self.update(task, "TASK_FAILED", f"Failed to launch the container: {body}")
            self.kill_group(task)
            return
        self.update(task, "TASK_RUNNING")
        threading.Thread(target=self.reap, args=(task,), daemon=True).start()

    def reap(self, task):
        code, body = self.api.call_agent(
            {"type": "WAIT_CONTAINER", "wait_container": {"container_id": task.container_id}}, timeout_seconds=None
        )
        status = json.loads(body).get("wait_container", {}).get("exit_status", 1) if code == 200 else 1
        if os.WIFEXITED(status):
            text = f"Command exited with status {os.WEXITSTATUS(status)}"
        else:
            text = f"Command terminated with signal {signal.strsignal(os.WTERMSIG(status))}"
        if task.killed:
            self.update(task, "TASK_KILLED", text)
        else:
            self.update(task, "TASK_FINISHED" if status == 0 else "TASK_FAILED", text)
        if task.state != "TASK_FINISHED":
            self.kill_group(task)

    def kill_group(self, ended):
        for task in ended.group:
            self.kill(task, grace_seconds(None))

    def kill(self, task, seconds):
        if task.is_over or task.killed:
            return
        task.killed = True
        if {"type": "TASK_KILLING_STATE"} in self.framework.get("capabilities", []):
            self.update(task, "TASK_KILLING")
        self.signal(task, signal.SIGTERM)
        threading.Timer(seconds, lambda: None if task.is_over else self.signal(task, signal.SIGKILL)).start()

    def signal(self, task, number):
        message = {"container_id": task.container_id, "signal": int(number)}
        self.api.call_agent({"type": "KILL_CONTAINER", "kill_container": message})

    def exit_when_done(self):
        with self.api.lock:
            if self.tasks and not self.api.unacknowledged and all(task.is_over for task in self.tasks.values()):
                os._exit(0)

    def handle(self, event):
        kind = event["type"]
        if kind == "SUBSCRIBED":
            self.container_id = event["subscribed"]["container_id"]
            self.framework = event["subscribed"]["framework_info"]
        elif kind == "LAUNCH_GROUP":
            in_background(self.launch_group, event["launch_group"]["task_group"]["tasks"])
        elif kind == "KILL":
            if task := self.tasks.get(event["kill"]["task_id"]["value"]):
                policy = event["kill"].get("kill_policy") or task.info.get("kill_policy")
                in_background(self.kill, task, grace_seconds(policy))
        elif kind == "SHUTDOWN":
            for task in list(self.tasks.values()):
                in_background(self.kill, task, grace_seconds(None))
            threading.Timer(5, lambda: os._exit(0)).start()
        elif kind == "ACKNOWLEDGED":
            self.api.acknowledge(event)
            self.exit_when_done()


def in_background(function, *arguments):
    threading.Thread(target=function, args=arguments, daemon=True).start()


def main():
    executor = DefaultExecutor()
    try:
        for event in executor.api.events():
            executor.handle(event)
    except (OSError, http.client.HTTPException) as error:
        log(f"agent: {error}")
    sys.stderr.flush()
    os._exit(1)


if __name__ == "__main__":
    main()
