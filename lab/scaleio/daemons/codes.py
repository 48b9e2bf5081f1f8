"""MDM error codes that the daemons themselves give or act on."""

from __future__ import annotations

UNCERTAIN = 68  # the command timed out: read before repeating
CANNOT_OPEN = 71
SDS_OF_OTHER_SYSTEM = 75
DEVICE_OF_OTHER_SYSTEM = 77
WRONG_CLUSTER_STATE = 105
NOT_ATTACHED = 107
CONFIGURED_ALREADY = 108
NOT_CONNECTED = 112
BAD_ADDRESS = 120
NOT_MASTER = 121
NO_SESSION = 248
MUST_CHANGE_PASSWORD = 249
PARTITIONED = 340
MOUNTED = 341
