"""scli: the command line of the MDM. Commands, texts and exit codes follow the product's."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from lab.scaleio.daemons import wire
from lab.scaleio.daemons.files import read_json, write_json
from lab.scaleio.daemons.mdm_client import MdmClient, MdmUnreachable
from lab.scaleio.refusal import Refusal

REFUSED, FAILED = 7, 1
FLAGS = frozenset(
    {
        "use_nonsecure_communication", "approve_certificate", "i_am_sure", "accept_license", "force_clean",
        "thin_provisioned", "thick_provisioned", "allow_multi_map", "all_sdcs", "enable_zero_padding",
        "disable_zero_padding", "all_objects", "use_rmcache", "dont_use_rmcache", "no_test", "skip_cli_command_print",
    }
)  # fmt: skip
RENAMED = {  # 4.x words
    "primary_mdm_ip": "master_mdm_ip",
    "primary_mdm_name": "master_mdm_name",
    "primary_mdm_management_ip": "master_mdm_management_ip",
    "add_secondary_mdm_name": "add_slave_mdm_name",
    "remove_secondary_mdm_name": "remove_slave_mdm_name",
}


class UsageError(Exception):
    """The command line itself is wrong."""


@dataclass(frozen=True)
class Command:
    run: Callable[[Context], str]
    needs: tuple[str, ...] = ()
    takes: tuple[str, ...] = ()
    warns: bool = False  # asks for confirmation unless --i_am_sure


class Context:
    """One command: its options, the session of the OS user, and the MDM."""

    def __init__(self, options: dict[str, str], home: Path) -> None:
        self.options = options
        self._home = home
        self._session_file = home / "session.json"

    def get(self, name: str, default: str = "") -> str:
        return self.options.get(name, default)

    def list(self, name: str) -> list[str]:
        return [part.strip() for part in self.get(name).split(",") if part.strip()]

    def has(self, flag: str) -> bool:
        return flag in self.options

    def ask(self, request: dict, ips: list[str] | None = None) -> dict:
        client = MdmClient(
            ips or self.list("mdm_ip") or ["127.0.0.1"],
            int(self.get("mdm_port", "6611")),
            trusts=None if self.has("use_nonsecure_communication") else self._trusts,
            timeout_seconds=30.0,
            follows_hints=False,
        )
        return client.ask(request, repeatable=False)

    def rest(self, method: str, path: str, body: dict | None = None) -> object:
        answer = self.ask({"op": "rest", "token": self.token, "method": method, "path": path, "body": body})
        if answer["status"] != 200:
            raise Refusal(answer["payload"]["errorCode"], answer["payload"]["message"])
        return answer["payload"]

    @property
    def token(self) -> str | None:
        return (read_json(self._session_file) or {}).get("token")

    def remember(self, token: str | None) -> None:
        if token is None:
            self._session_file.unlink(missing_ok=True)
            return
        self._home.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_json(self._session_file, {"token": token})

    def _trusts(self, fingerprint: str) -> bool:
        store = self._home / "certificates.json"
        known = (read_json(store) or {}).get("trusted", [])
        if fingerprint in known:
            return True
        if not self.has("approve_certificate"):
            if not sys.stdin.isatty():
                return False
            print(f"Certificate fingerprint: {fingerprint}")
            print("Press (y) to approve this certificate, or any other key to cancel")
            if sys.stdin.readline().strip().lower() != "y":
                return False
        self._home.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_json(store, {"trusted": [*known, fingerprint]})
        return True


def parse(arguments: list[str], commands: dict[str, Command]) -> tuple[Command, dict[str, str]]:
    """`--name value` and `--name=value` pairs and flags in any order; exactly one name is a command."""
    names: list[str] = []
    options: dict[str, str] = {}
    queue = list(arguments)
    while queue:
        word = queue.pop(0)
        if not word.startswith("--"):
            raise UsageError(f"Unexpected argument: {word}")
        name, separator, value = word[2:].partition("=")
        name = RENAMED.get(name, name)
        if name in commands:
            names.append(name)
        elif name in FLAGS:
            options[name] = ""
        else:
            if not separator and not queue:
                raise UsageError(f"Missing value for option --{name}")
            options[name] = value if separator else queue.pop(0)
    if len(names) != 1:
        raise UsageError("Exactly one command must be given" + (f", not {', '.join(names)}" if names else ""))
    command = commands[names[0]]
    known = {*command.needs, *command.takes, *FLAGS, "mdm_ip", "mdm_port"}
    if unknown := sorted(set(options) - known):
        raise UsageError(f"Unknown option for --{names[0]}: --{unknown[0]}")
    if missing := [name for name in command.needs if name not in options]:
        raise UsageError(f"Missing option for --{names[0]}: --{missing[0]}")
    return command, options


def main(arguments: list[str] | None = None) -> int:
    from lab.scaleio.scli_commands import COMMANDS  # noqa: PLC0415 - that module needs this one

    words = sys.argv[1:] if arguments is None else arguments
    try:
        command, options = parse(words, COMMANDS)
    except UsageError as exc:
        print(f"Error: {exc}", file=sys.stderr)
        return FAILED
    context = Context(options, Path(os.environ.get("SCLI_HOME", Path.home() / ".scli")))
    if command.warns and not context.has("i_am_sure") and not _confirmed():
        print("Error: The command was not confirmed; use --i_am_sure", file=sys.stderr)
        return FAILED
    try:
        print(command.run(context))
    except Refusal as refusal:
        print(f"Error: MDM failed command.  Status: {refusal.message}", file=sys.stderr)
        return REFUSED
    except wire.Untrusted as exc:
        print(f"Error: Failed to connect to MDM: the {exc}; use --approve_certificate", file=sys.stderr)
        return FAILED
    except MdmUnreachable as exc:
        text = str(exc)
        print(
            "Error: " + (text if text.startswith("Failed") else f"MDM failed command.  Status: {text}"), file=sys.stderr
        )
        return FAILED if text.startswith("Failed") else REFUSED
    except UsageError as exc:
        print(f"Error: {exc}", file=sys.stderr)
        return FAILED
    return 0


def _confirmed() -> bool:
    if not sys.stdin.isatty():
        return False
    print("This command may be dangerous. Press 'y' and then Enter to confirm.")
    return sys.stdin.readline().strip().lower() == "y"


if __name__ == "__main__":
    sys.exit(main())
