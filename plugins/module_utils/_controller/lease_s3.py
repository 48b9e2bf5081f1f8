# Copyright: (c) 2026, The mesos_scaleio.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lock as an object in S3, written on condition that nobody else wrote it."""

from __future__ import annotations

import contextlib
import json
import secrets
import time
from email.utils import parsedate_to_datetime
from typing import Optional

from .lease import Holder, LeaseError

try:
    import boto3
    from botocore.exceptions import BotoCoreError, ClientError

    MISSING = ""
except ImportError:
    MISSING = "boto3"

# Renewed every ten seconds, free for others a minute after the last time.
RENEW_SECONDS = 10.0
LEASE_SECONDS = 60.0


class S3Lease:
    """One object. Time is the service's own: when the object was last written, and what date the answer carries."""

    renew_seconds = RENEW_SECONDS

    def __init__(
        self,
        *,
        bucket: str,
        key: str = "mesos_scaleio/platform.lock",
        region: Optional[str] = None,
        endpoint_url: Optional[str] = None,
        access_key: Optional[str] = None,
        secret_key: Optional[str] = None,
        lease_seconds: float = LEASE_SECONDS,
    ) -> None:
        self._place = {"Bucket": bucket, "Key": key}
        self._seconds = lease_seconds
        self.renew_seconds = min(RENEW_SECONDS, lease_seconds / 4)
        self._client = boto3.client(
            "s3",
            region_name=region,
            endpoint_url=endpoint_url,
            aws_access_key_id=access_key,
            aws_secret_access_key=secret_key,
        )
        self._holder: Holder = {}
        self._tag: Optional[str] = None
        self._written = 0.0

    def acquire(self, holder: Holder) -> Optional[Holder]:
        self._holder = holder
        try:
            if self._write(IfNoneMatch="*"):
                return None
            found = self._client.get_object(**self._place)
            other = dict(json.loads(found["Body"].read()))
            now = parsedate_to_datetime(found["ResponseMetadata"]["HTTPHeaders"]["date"])
            if not other.get("released") and (now - found["LastModified"]).total_seconds() < self._seconds:
                return other
            # Of many who find it free, S3 lets one write.
            return None if self._write(IfMatch=found["ETag"]) else other
        except (BotoCoreError, ClientError, ValueError) as error:
            raise LeaseError(
                f"The lock {self._place['Key']} in the bucket {self._place['Bucket']} cannot be used: {error}. "
                "It needs s3:GetObject and s3:PutObject."
            ) from error

    def renew(self) -> bool:
        """Away from the service, the lease is given up when another may take it."""
        try:
            return self._tag is not None and self._write(IfMatch=self._tag)
        except (BotoCoreError, ClientError):
            return time.monotonic() - self._written < self._seconds

    def release(self) -> None:
        if self._tag is not None:
            with contextlib.suppress(BotoCoreError, ClientError):  # it ends by itself a minute later
                self._write(released=True, IfMatch=self._tag)

    def _write(self, released: bool = False, **condition: str) -> bool:
        # A new content every time, for its tag to be new.
        body = json.dumps({**self._holder, "released": released, "written": secrets.token_hex(8)}).encode()
        sent = time.monotonic()
        try:
            self._tag = str(self._client.put_object(**self._place, Body=body, **condition)["ETag"])
        except ClientError as error:
            if error.response["Error"]["Code"] in ("PreconditionFailed", "ConditionalRequestConflict"):
                return False
            raise
        self._written = sent
        return True
