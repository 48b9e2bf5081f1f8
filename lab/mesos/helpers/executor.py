#!/usr/bin/env -S python3 -B
"""mesos-executor: runs one command task, with the states and messages of Mesos' own command executor.

Not done: checks, health checks, container images, TTYs.
"""

import http.client
import os
import signal
import subprocess
import threading
import time

from executor_api import TERMINAL_STATES, ExecutorApi, grace_seconds, log, parse_duration

DEFAULT_SHUTDOWN_GRACE = "5secs"
DEFAULT_RECOVERY_TIMEOUT = "15mins"


class CommandExecutor:
    def __init__(self):
        self.api = ExecutorApi()
        self.framework = {}
        self.task = None
        self.child = None
        self.acknowledged_any = self.killed = self.expired = self.terminal = False
        self.subscribed = False

    def update(self, state, message="", **fields):
        self.terminal = self.terminal or state in TERMINAL_STATES
        self.api.update(self.task["task_id"], state, message, **fields)

    def launch(self, task):
        self.task = task
        command = task.get("command", {})
        environment = dict(os.environ)
        for variable in command.get("environment", {}).get("variables", []):
            environment[variable["name"]] = variable.get("value", "")
        if command.get("shell", True):
            program, arguments = "/bin/sh", ["/bin/sh", "-c", command.get("value", "")]
        else:
            program, arguments = command["value"], command.get("arguments") or [command["value"]]
        log(f"Starting task {task['task_id']['value']}")
        self.update("TASK_STARTING")
        try:
            self.child = subprocess.Popen(
                arguments, executable=program, env=environment, stdin=subprocess.DEVNULL, start_new_session=True
            )
        except OSError as error:
            log(f"Failed to launch: {error}")
            self.update("TASK_FAILED", "Command exited with status 1")
            return
        self.update("TASK_RUNNING")
        threading.Thread(target=self.reap, daemon=True).start()
        if limit := task.get("max_completion_time", {}).get("nanoseconds"):
            start_timer(int(limit) / 1e9, self.expire)

    def reap(self):
        code = self.child.wait()
        if code >= 0:
            text = f"Command exited with status {code}"
        else:
            text = f"Command terminated with signal {signal.strsignal(-code)}"
        log(text)
        if self.expired:
            self.update("TASK_FAILED", text, reason="REASON_MAX_COMPLETION_TIME_REACHED")
        elif self.killed:
            self.update("TASK_KILLED", text)
        else:
            self.update("TASK_FINISHED" if code == 0 else "TASK_FAILED", text)
        start_timer(60, lambda: os._exit(1))  # nobody acknowledged the end of the task

    def expire(self):
        if not self.terminal:
            self.expired = True
            self.signal(signal.SIGKILL)

    def signal(self, number):
        if not self.child:
            return
        try:
            os.killpg(self.child.pid, number)
        except (ProcessLookupError, PermissionError):
            log("The task's processes are gone")

    def kill(self, policy=None):
        if not self.child or self.terminal:
            return
        first, self.killed = not self.killed, True
        wants_killing = {"type": "TASK_KILLING_STATE"} in self.framework.get("capabilities", [])
        if first and wants_killing:
            self.update("TASK_KILLING")
        self.signal(signal.SIGTERM)
        start_timer(
            grace_seconds(policy or self.task.get("kill_policy")),
            lambda: None if self.terminal else self.signal(signal.SIGKILL),
        )

    def shut_down(self):
        if not self.child or self.terminal:
            start_timer(1, lambda: os._exit(0))
            return
        grace = parse_duration(os.environ.get("MESOS_EXECUTOR_SHUTDOWN_GRACE_PERIOD", DEFAULT_SHUTDOWN_GRACE))
        self.kill({"grace_period": {"nanoseconds": int(max(grace - 1, 0.2) * 1e9)}})
        start_timer(grace, lambda: os._exit(0))

    def handle(self, event):
        kind = event["type"]
        if kind == "SUBSCRIBED":
            self.subscribed = True
            self.framework = event["subscribed"]["framework_info"]
        elif kind == "LAUNCH":
            if self.task:
                log("A command executor runs one task only")
            else:
                self.launch(event["launch"]["task"])
        elif kind == "KILL":
            self.kill(event["kill"].get("kill_policy"))
        elif kind == "SHUTDOWN":
            self.shut_down()
        elif kind == "ERROR":
            log(event["error"]["message"])
        elif kind == "ACKNOWLEDGED":
            self.api.acknowledge(event)
            self.acknowledged_any = True
            if self.terminal and not self.api.unacknowledged:
                os._exit(0)

    def give_up(self, reason):
        log(reason)
        self.signal(signal.SIGKILL)
        os._exit(1)

    def run(self):
        """Follow the agent; when it is away, come back to it for as long as it asked for."""
        recovery_seconds = parse_duration(os.environ.get("MESOS_RECOVERY_TIMEOUT", DEFAULT_RECOVERY_TIMEOUT))
        lost_at = None
        while True:
            self.subscribed = False
            unacknowledged_tasks = [self.task] if self.task and not self.acknowledged_any else []
            try:
                for event in self.api.events(unacknowledged_tasks):
                    self.handle(event)
            except (OSError, http.client.HTTPException) as error:
                log(f"agent: {error}")
            if self.subscribed and os.environ.get("MESOS_CHECKPOINT") != "1":
                self.give_up("Agent disconnected and checkpointing is not enabled")
            if self.subscribed or lost_at is None:
                lost_at = time.monotonic()
            if time.monotonic() - lost_at > recovery_seconds:
                self.give_up("The agent stayed away longer than its recovery timeout")
            time.sleep(0.2)


def start_timer(seconds, function):
    timer = threading.Timer(seconds, function)
    timer.daemon = True
    timer.start()


def main():
    executor = CommandExecutor()

    def terminate(*_):
        executor.signal(signal.SIGKILL)
        os._exit(143)

    signal.signal(signal.SIGTERM, terminate)
    executor.run()


if __name__ == "__main__":
    main()
