"""Which MDM certificates are approved."""

from __future__ import annotations

import pytest

from ansible_collections.mesos_scaleio.platform.plugins.module_utils._planning.mdm_trust import (
    Verdict,
    judge,
    malformed,
    normal,
)

ONE, TWO = "1a" * 32, "2b" * 32


def test_what_is_seen_first_is_approved_and_new() -> None:
    assert judge({"10.0.0.1": ONE}, {}, []) == Verdict({"10.0.0.1": ONE}, {"10.0.0.1": ONE})


def test_what_was_seen_before_is_nothing_new() -> None:
    assert judge({"10.0.0.1": ONE}, {"10.0.0.1": ONE, "10.0.0.2": TWO}, []) == Verdict({"10.0.0.1": ONE})


def test_another_one_at_a_known_address_is_refused_with_both() -> None:
    verdict = judge({"10.0.0.1": TWO, "10.0.0.3": ONE}, {"10.0.0.1": ONE}, [])
    assert verdict.approved == {"10.0.0.3": ONE}
    (problem,) = verdict.problems
    assert ONE in problem
    assert TWO in problem
    assert "10.0.0.1" in problem


def test_a_list_has_the_only_say() -> None:
    listed = ["SHA256:" + ":".join(["1A"] * 32)]
    assert judge({"10.0.0.1": ONE}, {"10.0.0.1": TWO}, listed).new == {"10.0.0.1": ONE}
    assert "not in the list" in judge({"10.0.0.1": TWO}, {"10.0.0.1": TWO}, listed).problems[0]


@pytest.mark.parametrize("text", ["sha256 Fingerprint=" + ":".join(["1A"] * 32), ONE, ONE.upper(), f" sha256:{ONE}\n"])
def test_fingerprints_are_taken_as_tools_print_them(text: str) -> None:
    assert normal(text) == ONE
    assert malformed([text]) == []


@pytest.mark.parametrize("text", ["", "12:34", "1g" * 32, "SHA1:" + "1a" * 20])
def test_what_is_no_fingerprint_is_named(text: str) -> None:
    assert malformed([text]) == [text]
