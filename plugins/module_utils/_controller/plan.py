# Copyright: (c) 2026, The mesos_scaleio.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What remediation_plan answers. It runs inside of Ansible, see plugins/action."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Optional

from ansible_collections.mesos_scaleio.platform.plugins.module_utils._planning.approval import Consent
from ansible_collections.mesos_scaleio.platform.plugins.module_utils._planning.drill import Drill, DrillError
from ansible_collections.mesos_scaleio.platform.plugins.module_utils._planning.expansion import plan
from ansible_collections.mesos_scaleio.platform.plugins.module_utils._planning.history import History, Sample
from ansible_collections.mesos_scaleio.platform.plugins.module_utils._planning.history import parse as parse_history
from ansible_collections.mesos_scaleio.platform.plugins.module_utils._planning.model import (
    GatewayUser,
    ShapeError,
    snapshot_from,
)
from ansible_collections.mesos_scaleio.platform.plugins.module_utils._planning.policy import (
    AccountQuota,
    PolicyError,
    parse,
)
from ansible_collections.mesos_scaleio.platform.plugins.module_utils._planning.spread import Host, instances_from
from ansible_collections.mesos_scaleio.platform.plugins.module_utils._planning.witness import Witness
from ansible_collections.mesos_scaleio.platform.plugins.module_utils._report.files import last_lines

HOST = {
    "name": {"type": "str", "required": True},
    "addresses": {"type": "list", "elements": "str", "required": True},
}
GATEWAY_USER = {"name": {"type": "str", "required": True}, "role": {"type": "str"}}
DRILL = {
    "storage_pool": {"type": "str", "required": True},
    "protection_domain": {"type": "str"},
    "per_action_usd": {"type": "float", "required": True},
}
SPEC = {
    "policy": {"type": "dict", "required": True},
    "system": {"type": "dict", "required": True},
    "volumes": {"type": "list", "elements": "dict", "required": True},
    "instances": {"type": "list", "elements": "dict"},
    "quotas": {"type": "dict"},
    "hosts": {"type": "list", "elements": "dict", "options": HOST},
    "drill": {"type": "dict", "options": DRILL},
    "history_file": {"type": "path"},
    "freeze": {"type": "str"},
    "freeze_files": {"type": "list", "elements": "path", "aliases": ["freeze_file"]},
    "approval": {"type": "str", "choices": ["auto", "approve", "never"], "default": "auto"},
    "approved_plan": {"type": "str", "default": ""},
    "approval_valid_hours": {"type": "int", "default": 24},
    "alerts": {"type": "list", "elements": "dict"},
    "gateway_user": {"type": "dict", "options": GATEWAY_USER},
    "clock_ahead_seconds": {"type": "float"},
    "earlier_look": {"type": "list", "elements": "dict"},
    "earlier_seconds": {"type": "float"},
}
# More than the days of which forecasts are made; an older part of a long file is not read.
HISTORY_BYTES = 16 * 1024 * 1024


def history_of(params: Mapping[str, Any], now_seconds: float) -> History:
    lines = last_lines(params["history_file"], HISTORY_BYTES) if params["history_file"] else []
    past = parse_history(lines, now_seconds)
    samples = dict(past.samples)
    for pool in params["earlier_look"] or []:
        room = pool["capacity"]
        look = Sample(params["earlier_seconds"], room["limit_kib"], room["in_use_kib"], pool["used_percent"])
        samples[pool["id"]] = (*past.of(pool["id"]), look)
    return replace(past, samples=samples)


def freeze_of(params: Mapping[str, Any]) -> Optional[str]:
    if params["freeze"]:
        return str(params["freeze"])
    for path in params["freeze_files"] or ():
        try:
            with open(path, errors="replace") as stream:
                reason = stream.readline().strip()
        except (FileNotFoundError, NotADirectoryError):
            continue
        except OSError as error:
            return f"{path} cannot be read ({error.strerror}), and may say that nothing is to be changed"
        return f"{reason} ({path})" if reason else f"{path} exists"
    return None


def drill_of(given: Mapping[str, Any]) -> Drill:
    return Drill(given["storage_pool"], given["per_action_usd"], given["protection_domain"] or None)


def decide(params: Mapping[str, Any]) -> dict[str, Any]:
    hosts = params["hosts"]
    account = {kind: AccountQuota(**found) for kind, found in (params["quotas"] or {}).items()}
    policy = replace(parse(params["policy"]), account=account)
    snapshot = snapshot_from(params["system"])
    if params["gateway_user"]:
        snapshot = replace(snapshot, gateway_user=GatewayUser(**params["gateway_user"]))
    now_seconds = time.time()
    decision = plan(
        snapshot,
        params["volumes"],
        policy,
        now_seconds=now_seconds,
        instances=None if params["instances"] is None else instances_from(params["instances"]),
        hosts=None if hosts is None else [Host(host["name"], tuple(host["addresses"])) for host in hosts],
        history=None if params["drill"] else history_of(params, now_seconds),
        witness=Witness(
            alerts=tuple(params["alerts"] or ()),
            earlier_percent={pool["id"]: pool["used_percent"] for pool in params["earlier_look"] or ()},
        ),
        freeze=freeze_of(params),
        drill=drill_of(params["drill"]) if params["drill"] else None,
        clock_ahead_seconds=params["clock_ahead_seconds"],
        consent=Consent(params["approval"], params["approved_plan"], 3600 * params["approval_valid_hours"]),
    )
    return {
        "changed": False,
        "decision": decision.as_dict(),
        "addresses_wanted": list(decision.addresses_wanted),
        "wanted_volumes": [action.wanted_volume(snapshot.system.id) for action in decision.actions],
    }


def refused(code: str, about: str, words: str, remedy: str, **more: Any) -> dict[str, Any]:
    failure = {"code": code, "object": about, "server": "", "remedy": remedy, **more}
    return {"failed": True, "msg": f"{words}. {remedy}", "failure": failure}


def answer(params: Mapping[str, Any], check_mode: bool = False) -> dict[str, Any]:
    """What the module answers to checked `params`."""
    try:
        return decide(params)
    except PolicyError as error:
        return refused(
            "policy_invalid",
            "remediation policy",
            f"The remediation policy is wrong: {error}",
            "Correct remediation_policy; nothing was bought.",
            problems=list(error.problems),
        )
    except DrillError as error:
        return refused(
            "drill_refused", "drill", f"The drill cannot be done: {error}", f"{error.remedy} Nothing was bought."
        )
    except ShapeError as error:
        return refused(
            "system_incomplete",
            "system",
            f"What was read of ScaleIO is incomplete: {error}",
            "Pass the whole result of scaleio_info, without gather_subset.",
        )
    except OSError as error:
        return refused(
            "file_unreadable",
            error.filename or "",
            f"A file of the controller cannot be read: {error}",
            "Let the user of the playbook read it, or name another one.",
            server=str(error),
        )
