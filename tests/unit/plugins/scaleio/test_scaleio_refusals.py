"""Every refusal of the system reaches the user as one sentence with its code, what the server said, and what to do."""

import pytest

from ansible_collections.mesos_scaleio.platform.plugins.module_utils._scaleio.errors import NotFound, refusal
from lab.scaleio.refusal import MESSAGES

REQUEST = "POST /api/types/StoragePool/instances"
# Above 206 the same text has other numbers in other versions.
DRIFT = (0, 9, 36)


def refused(code, text):
    return refusal(500, {"message": text, "httpStatusCode": 500, "errorCode": code}, REQUEST)


@pytest.mark.parametrize("code", MESSAGES)
def test_every_refusal_says_what_to_do(code):
    text = MESSAGES[code].rstrip(".")
    error = refused(code, MESSAGES[code])
    assert str(error) == f"ScaleIO refused {REQUEST}: {text} (error {code}, HTTP 500). {error.remedy}"
    assert error.remedy.endswith(".")
    failure = error.as_failure()
    assert (failure["error_code"], failure["server"], failure["object"]) == (code, text, REQUEST)
    assert failure["remedy"] == error.remedy
    assert failure["code"] in ("refused", "not_found")


@pytest.mark.parametrize("code", [code for code in MESSAGES if code > 206])
def test_above_206_the_words_decide_and_not_the_number(code):
    remedies = {refused(code + drift, MESSAGES[code]).remedy for drift in DRIFT}
    assert len(remedies) == 1


@pytest.mark.parametrize(
    ("code", "fragment"),
    [
        (61, "choose a smaller spare_percentage"),
        (104, "Unmap"),
        (132, "licence"),
        (138, "stayed busy"),
        (143, "Remove what it still holds"),
        (168, "role"),
        (213, "Activate the protection domain"),
        (249, "initial password"),
        (252, "idle sessions"),
        (306, "allow_multiple_mappings"),
        (318, "three of them"),
        (322, "Approve the SDC"),
        (337, "add devices"),
        (370, "Correct the value"),
    ],
)
def test_the_remedy_fits(code, fragment):
    assert fragment in refused(code, MESSAGES.get(code, "No words that help")).remedy


@pytest.mark.parametrize(
    ("status", "text", "fragment"),
    [
        (400, "id (x) must be a hexadecimal number", "Correct the value"),
        (403, "Forbidden", "role"),
        (404, "The path is unknown", "version of this Gateway"),
        (500, "Internal error", "logs of the Gateway"),
    ],
)
def test_what_the_gateway_refuses_itself(status, text, fragment):
    answer = {"message": text, "httpStatusCode": status, "errorCode": 0}
    assert fragment in refusal(status, answer, REQUEST).remedy


def test_what_is_not_there_is_told_apart():
    assert isinstance(refused(79, MESSAGES[79]), NotFound)
    assert not isinstance(refused(104, MESSAGES[104]), NotFound)
    assert isinstance(refusal(404, None, REQUEST), NotFound)
