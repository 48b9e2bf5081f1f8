"""Marathon 1.10's command line flags as it takes them from the environment: MARATHON_FLAG=value, empty for a switch.

As with the real one an unknown flag, a value for a switch, or a flag without its value keeps it from starting.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping

PREFIX = "MARATHON_"


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


SWITCHES = _words(
    """
    checkpoint ha http_compression maintenance_mode mesos_authentication mesos_offer_constraints metrics
    metrics_datadog metrics_histogram_reservoir_reset_periodically metrics_prometheus metrics_statsd
    suppress_offers zk_compression
    """
)
NUMBERS = _words(
    """
    decline_offer_duration draining_seconds failover_timeout http_max_concurrent_requests http_port https_port
    kill_retry_timeout launch_token_refresh_interval launch_tokens local_port_max local_port_min max_apps
    max_instances_per_offer max_running_deployments mesos_heartbeat_failure_threshold mesos_heartbeat_interval
    min_revive_offers_interval offer_matching_timeout on_elected_prepare_timeout reconciliation_initial_delay
    reconciliation_interval scale_apps_initial_delay scale_apps_interval task_launch_confirm_timeout
    task_launch_timeout task_lost_expunge_initial_delay task_lost_expunge_interval task_reservation_timeout
    zk_compression_threshold zk_connection_timeout zk_max_node_size zk_session_timeout zk_timeout
    """
)
TEXTS = _words(
    """
    accepted_resource_roles_default_behavior access_control_allow_origin assets_path backup_location
    default_network_name deprecated_features enable_features env_vars_prefix executor framework_name
    gpu_scheduling_behavior hostname http_address http_credentials http_realm https_address logging_level master
    mesos_authentication_principal mesos_authentication_secret mesos_authentication_secret_file
    mesos_bridge_name mesos_leader_ui_url mesos_role mesos_user metrics_name_prefix new_group_enforce_role
    plugin_conf plugin_dir ssl_keystore_password ssl_keystore_path webui_url zk
    """
)
BARE = frozenset({"disable_http"})
FEATURES = _words(
    """
    vips task_killing secrets external_volumes gpu_resources
    """
)
ZK_URL = re.compile(r"zk://([^/@]+:[^/@]+@)?[^/,\s]+:\d+(,[^/,\s]+:\d+)*(/\S*)?", re.I)


def flags(environment: Mapping[str, str]) -> dict[str, str | bool]:
    """Flags by name, as Marathon itself takes them."""
    return {
        name[len(PREFIX) :].lower(): value or True
        for name, value in environment.items()
        if name.startswith(PREFIX) and not name.startswith("MARATHON_APP_")
    }


def problems(found: Mapping[str, str | bool]) -> list[str]:
    wrong = [text for name, value in sorted(found.items()) if (text := _problem(name, value))]
    if "master" not in found:
        wrong.append("Required option 'master' not found")
    zk = str(found.get("zk", "zk://localhost:2181/marathon"))
    if not ZK_URL.fullmatch(zk) or not zk.rpartition(":")[2].partition("/")[2]:
        wrong.append("zk must be zk://host:port,.../path")
    if found.get("mesos_authentication") and "mesos_authentication_principal" not in found:
        wrong.append("mesos_authentication needs mesos_authentication_principal")
    if {"mesos_authentication_secret", "mesos_authentication_secret_file"} <= set(found):
        wrong.append("mesos_authentication_secret and mesos_authentication_secret_file exclude each other")
    if ("ssl_keystore_path" in found) != ("ssl_keystore_password" in found):
        wrong.append("ssl_keystore_path and ssl_keystore_password need each other")
    if unknown := {word for word in str(found.get("enable_features", "")).split(",") if word} - FEATURES:
        wrong.append(f"Unknown features specified: {', '.join(sorted(unknown))}")
    if ":" not in str(found.get("http_credentials", ":")):
        wrong.append("http_credentials must be user:password")
    return wrong


def _problem(name: str, value: str | bool) -> str:
    switch = name.removeprefix("disable_") in SWITCHES or name in BARE
    if not switch and name not in NUMBERS | TEXTS:
        close = difflib.get_close_matches(name, SWITCHES | NUMBERS | TEXTS, 1)
        return f"Unknown option '{name}'{f' (did you mean {close[0]}?)' if close else ''}"
    if switch and value is not True:
        return f"{name} is a switch: its variable must be empty"
    if not switch and value is True:
        return f"{name} needs a value"
    if name in NUMBERS and not str(value).isdigit():
        return f"{name} is {value}: not a number"
    return ""
