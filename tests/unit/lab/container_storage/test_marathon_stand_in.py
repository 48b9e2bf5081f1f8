"""The lab's Marathon takes the flags that Marathon takes, from the environment, and no others."""

from __future__ import annotations

import pytest

from lab.container_storage.marathon_flags import flags, problems

GOOD = {
    "MARATHON_MASTER": "zk://a:2181,b:2181/mesos",
    "MARATHON_ZK": "zk://user:pass@a:2181/marathon",
    "MARATHON_ENABLE_FEATURES": "external_volumes,task_killing",
    "MARATHON_HTTP_PORT": "8080",
    "MARATHON_DISABLE_METRICS": "",
    "MARATHON_APP_ID": "not a flag",
    "JAVA_OPTS": "-Xmx512m",
}


def test_good_flags() -> None:
    found = flags(GOOD)
    assert problems(found) == []
    assert found["disable_metrics"] is True
    assert "app_id" not in found


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("MASTER", None, "Required option 'master' not found"),
        ("MESOS_ROLES", "a", "Unknown option 'mesos_roles' (did you mean mesos_role?)"),
        ("HTTP_PORT", "many", "not a number"),
        ("HTTP_PORT", "", "needs a value"),
        ("CHECKPOINT", "true", "its variable must be empty"),
        ("ENABLE_FEATURES", "external_volume", "Unknown features specified: external_volume"),
        ("MESOS_AUTHENTICATION", "", "needs mesos_authentication_principal"),
        ("ZK", "a:2181/marathon", "zk must be zk://"),
        ("ZK", "zk://a:2181", "zk must be zk://"),
        ("SSL_KEYSTORE_PATH", "/k", "need each other"),
        ("HTTP_CREDENTIALS", "user", "user:password"),
    ],
)
def test_bad_flags(name: str, value: str | None, words: str) -> None:
    given = {**GOOD, f"MARATHON_{name}": value}
    found = flags({key: text for key, text in given.items() if text is not None})
    assert words in "; ".join(problems(found))
