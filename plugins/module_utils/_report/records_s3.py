# Copyright: (c) 2026, The mesos_scaleio.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The records of remediation in S3.

Every line of the audit log is an object of its own, audit/00000001.json and so on, which is only ever created: of two
controllers that write a number at once one is refused, and continues behind the other. The chain cannot fork, and a
bucket with object lock keeps it from everybody. The history is one object, written on condition that nobody else did.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Optional

from .._planning.audit import line_after
from .._planning.history import recent
from .records import HISTORY, NOTIFIED, Records, RecordsError

try:
    import boto3
    from botocore.config import Config
    from botocore.exceptions import BotoCoreError, ClientError

    MISSING = ""
except ImportError:
    MISSING = "boto3"

# What a module takes for a Bucket.
OPTIONS: dict[str, Any] = {
    "bucket": {"type": "str", "required": True},
    "prefix": {"type": "str", "default": "mesos_scaleio/remediation"},
    "region": {"type": "str"},
    "endpoint_url": {"type": "str"},
    "access_key": {"type": "str", "no_log": False},
    "secret_key": {"type": "str", "no_log": True},
}
RIGHTS = (
    "Look at the name of the bucket and at the rights s3:GetObject, s3:PutObject, s3:DeleteObject and s3:ListBucket."
)
# Of so many others that write at the same moment one has to let go.
MOST_TRIES = 50
CONCURRENT_CALLS = 10
AUDIT_KEY = re.compile(r"audit/(\d{8,})\.json")
NOT_THERE = ("NoSuchKey", "404")
REFUSED = ("PreconditionFailed", "ConditionalRequestConflict")
TYPES = {".json": "application/json", ".html": "text/html; charset=utf-8", ".txt": "text/plain; charset=utf-8"}


class Bucket:
    """A prefix in a bucket. What must not be overtaken is written with S3's own conditions."""

    def __init__(
        self,
        *,
        bucket: str,
        prefix: str = "mesos_scaleio/remediation",
        region: Optional[str] = None,
        endpoint_url: Optional[str] = None,
        access_key: Optional[str] = None,
        secret_key: Optional[str] = None,
        client: Any = None,
    ) -> None:
        self._bucket, self._prefix = bucket, prefix.strip("/")
        self._client = client or boto3.client(
            "s3",
            region_name=region,
            endpoint_url=endpoint_url,
            aws_access_key_id=access_key,
            aws_secret_access_key=secret_key,
            config=Config(
                connect_timeout=5,
                read_timeout=30,
                max_pool_connections=CONCURRENT_CALLS,
                retries={"mode": "standard", "total_max_attempts": 3},
            ),
        )

    def fetch(self) -> dict[str, str]:
        """What decisions are made with, by file name: as much of it as there is."""
        found = {name: self._read(name)[0] for name in (HISTORY, NOTIFIED)}
        return {name: content for name, content in found.items() if content is not None}

    def keep(self, records: Records, now_seconds: float) -> None:
        if records.audit is not None:
            self._audit(records.audit)
        if records.history:
            self._history(records.history, now_seconds)
        for name, content in records.files.items():
            self._write(name, content)
        if records.notified:
            self._write(NOTIFIED, records.notified)
        elif records.notified is not None:
            self._call("delete_object", Key=self._key(NOTIFIED))

    def audit_lines(self) -> list[str]:
        with ThreadPoolExecutor(CONCURRENT_CALLS) as pool:
            lines = pool.map(lambda number: self._read(_audit_name(number))[0], self._numbers())
        return [line for line in lines if line is not None]

    def _audit(self, event: Mapping[str, Any]) -> None:
        number, last = self._end_of_audit()
        for _attempt in range(MOST_TRIES):
            line = line_after(last, event)
            number += 1
            if self._write(_audit_name(number), line, IfNoneMatch="*"):
                break
            last = self._read(_audit_name(number))[0]
            if last == line:  # ours: the answer to the first try was lost
                break
        else:
            raise RecordsError(f"{MOST_TRIES} others wrote to the audit log in {self._place} at once. Run again.")
        # Only says where to begin to look.
        self._write("audit/last", f"{number}\n")

    def _end_of_audit(self) -> tuple[int, Optional[str]]:
        """The last number and line, or a number not far before it: writing finds the way to the end."""
        said = (self._read("audit/last")[0] or "").strip()
        if said.isdigit():
            line = self._read(_audit_name(int(said)))[0]
            if line is not None:
                return int(said), line
        numbers = self._numbers()
        return (numbers[-1], self._read(_audit_name(numbers[-1]))[0]) if numbers else (0, None)

    def _numbers(self) -> list[int]:
        numbers: list[int] = []
        token: dict[str, str] = {}
        while True:
            found = self._call("list_objects_v2", Prefix=self._key("audit/"), **token)
            keys = [item["Key"][len(self._key("")) :] for item in found.get("Contents", ())]
            numbers += [int(match[1]) for match in map(AUDIT_KEY.fullmatch, keys) if match]
            if not found.get("IsTruncated"):
                return sorted(numbers)
            token = {"ContinuationToken": found["NextContinuationToken"]}

    def _history(self, lines: Iterable[str], now_seconds: float) -> None:
        for _attempt in range(MOST_TRIES):
            content, tag = self._read(HISTORY)
            kept = recent((content or "").splitlines(), now_seconds)
            known = set(kept)
            everything = [*kept, *(line for line in lines if line not in known)]
            condition = {"IfMatch": tag} if tag else {"IfNoneMatch": "*"}
            if self._write(HISTORY, "".join(f"{line}\n" for line in everything), **condition):
                return
        raise RecordsError(f"{MOST_TRIES} others wrote to the history in {self._place} at once. Run again.")

    @property
    def _place(self) -> str:
        return f"s3://{self._bucket}/{self._prefix}"

    def _key(self, name: str) -> str:
        return f"{self._prefix}/{name}" if self._prefix else name

    def _read(self, name: str) -> tuple[Optional[str], str]:
        """Content and tag of an object; None where there is none."""
        try:
            found = self._call("get_object", Key=self._key(name))
        except _Answer as answer:
            if answer.code in NOT_THERE:
                return None, ""
            raise
        return found["Body"].read().decode(errors="replace"), str(found["ETag"])

    def _write(self, name: str, content: str, **condition: str) -> bool:
        """False where the condition does not hold any more."""
        kind = TYPES.get(name[name.rfind(".") :], "application/x-ndjson")
        try:
            self._call("put_object", Key=self._key(name), Body=content.encode(), ContentType=kind, **condition)
        except _Answer as answer:
            if condition and answer.code in REFUSED:
                return False
            raise
        return True

    def _call(self, method: str, **arguments: Any) -> Any:
        try:
            return getattr(self._client, method)(Bucket=self._bucket, **arguments)
        except ClientError as error:
            raise _Answer(
                error.response["Error"]["Code"], f"{self._place} cannot be used: {error}. {RIGHTS}"
            ) from error
        except BotoCoreError as error:
            raise RecordsError(f"{self._place} cannot be reached: {error}. Look at region and endpoint_url.") from error


class _Answer(RecordsError):
    """What S3 said; some of it is expected."""

    def __init__(self, code: str, text: str) -> None:
        super().__init__(text)
        self.code = code


def _audit_name(number: int) -> str:
    return f"audit/{number:08d}.json"
