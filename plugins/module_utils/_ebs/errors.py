# Copyright: (c) 2026, The mesos_scaleio.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""EC2's refusals, each with what to do about it."""

from __future__ import annotations

import re
from typing import Any

from ansible_collections.mesos_scaleio.platform.plugins.module_utils._planning.ebs_limits import NO_CAPACITY, BatchError

RIGHTS = "Allow it in the policy of these credentials; remediation_iam_policy generates what remediation needs."
SERVER_STATUS = {"500", "502", "503", "504"}
# EC2, STS and S3, and the services that speak JSON.
DENIED = {"UnauthorizedOperation", "AccessDenied", "AccessDeniedException"}
# About these credentials or this account, whatever they ask for: no waiting cures it, and nothing else should be tried.
NO_RIGHT = DENIED | {
    "AuthFailure",
    "InvalidClientTokenId",
    "SignatureDoesNotMatch",
    "ExpiredToken",
    "OptInRequired",
    "Blocked",
    "NoCredentialsError",
    "PartialCredentialsError",
}
# Later forms of the message name the right and what it is missing for.
MISSING = re.compile(r"not authorized to perform: (?P<right>\S+)(?: on resource: (?P<resource>\S+))?")
LATER = "Run again: what was done is found and the rest is made up for."
REMEDIES = {
    "RequestLimitExceeded": "Run again later, or raise the account's API limits.",
    "Throttling": "Run again later, or raise the account's API limits.",
    "Unavailable": LATER,
    "InternalError": LATER,
    "VolumeLimitExceeded": "Ask AWS for a larger storage quota of this volume type, or delete unused volumes.",
    "MaxIOPSLimitExceeded": "Ask AWS for a larger EBS IOPS quota, or use fewer provisioned IOPS.",
    NO_CAPACITY: (
        "Run again in half an hour: what was created is found, and only the rest is asked for. "
        "Or allow further volume types (fallback_types)."
    ),
    "AttachmentLimitExceeded": "Use fewer, larger volumes, another SDS, or a larger instance type.",
    "IncorrectState": LATER,
    "IncorrectInstanceState": LATER,
    "VolumeInUse": "Find out which instance uses the volume. It is never taken away from there.",
    "InvalidVolume.ZoneMismatch": "Plan the volume in the zone of its instance.",
    "InvalidVolume.NotFound": "Somebody deleted the volume. Run again to have another one bought.",
    "InvalidInstanceID.NotFound": "Check the instance id, the Region and the account.",
    "InvalidZone.NotFound": "Check the zone and the Region.",
    "UnauthorizedOperation": RIGHTS,
    "AccessDenied": RIGHTS,
    "AccessDeniedException": RIGHTS,
    "AuthFailure": "Check access_key, secret_key and session_token. The clock of this controller may be wrong too.",
    "RequestExpired": "Set the clock of this controller (NTP).",
    "InvalidClientTokenId": "Check access_key, secret_key and session_token.",
    "SignatureDoesNotMatch": "Check secret_key.",
    "ExpiredToken": "Get a new session token.",
    "OptInRequired": "Activate EC2 for the account and the Region.",
    "Blocked": "AWS has blocked the account: talk to its support.",
    "EncryptedVolumesNotSupported": "Use an instance type that supports encrypted volumes.",
    "TagLimitExceeded": "Use fewer tags.",
    "ConcurrentTagAccess": LATER,
    "KMSKeyNotAccessibleFault": "Check the key's state, Region and policy.",
}


class EbsError(BatchError):
    """A call that failed, with what the server said."""

    def __init__(self, code: str, object_name: str, message: str, remedy: str, server: str = "") -> None:
        super().__init__(code, object_name, message, remedy)
        self.server = server


def translate(error: Any, action: str, object_name: str) -> EbsError:
    """Our error for one of botocore's, for whose class no import is needed: a ClientError has a response."""
    response = getattr(error, "response", None)
    if response and "Error" in response:
        code = response["Error"].get("Code", "Unknown")
        said = response["Error"].get("Message", "")
        # A gateway on the way has no codes of EC2: botocore passes the HTTP status.
        unknown = LATER if code in SERVER_STATUS else "Look the code up in the EC2 API reference."
        remedy = REMEDIES.get(code, unknown)
        if code in DENIED:
            missing = f"the right {missing_right(said, action)} is missing, or its conditions do not allow this"
            return EbsError(code, object_name, f"{action} failed for {object_name}: {missing}", remedy, said)
        return EbsError(code, object_name, f"{action} failed for {object_name}: {code}: {said}", remedy, said)
    kind = type(error).__name__
    if kind == "ResponseParserError":
        return unreadable(action, object_name, str(error).partition("\n")[0])
    remedy = {
        "NoCredentialsError": "Set access_key and secret_key, a profile, or the AWS_* environment variables.",
        "PartialCredentialsError": "Set both access_key and secret_key.",
        "EndpointConnectionError": "Check endpoint_url, the Region and the network.",
        "ConnectTimeoutError": "Check endpoint_url, the Region and the network.",
        "ReadTimeoutError": LATER,
        "ConnectionClosedError": LATER,
    }.get(kind, "Check the connection options.")
    return EbsError(kind, object_name, f"{action} failed for {object_name}: {error}", remedy, str(error))


def unreadable(action: str, object_name: str, why: str) -> EbsError:
    """The call may have had its effect: a further run looks."""
    message = f"{action} failed for {object_name}: what answered is no answer of EC2 ({why[:200]})"
    remedy = f"Check endpoint_url and what stands between here and EC2, such as a proxy. {LATER}"
    return EbsError("UnreadableAnswer", object_name, message, remedy, why[:200])


def missing_right(said: str, action: str) -> str:
    """What a refusal is about. `action` is the call's name in boto3, create_volume."""
    found = MISSING.search(said)
    right = found["right"] if found else "ec2:" + "".join(word.capitalize() for word in action.split("_"))
    return f"{right} on {found['resource']}" if found and found["resource"] else right


def as_failure(error: BatchError) -> dict[str, Any]:
    return {
        "code": error.code,
        "object": error.object_name,
        "server": getattr(error, "server", ""),
        "remedy": error.remedy,
        "no_right": error.code in NO_RIGHT,
    }
