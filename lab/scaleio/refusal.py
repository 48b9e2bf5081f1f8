"""How a system says no: an MDM error code with its text, or a validation error of the Gateway."""

from __future__ import annotations

# The numbers up to 206 are what clients compare with; above that only the wording is reliable. The wording of 3, 79,
# 93, 99, 133 and 370 is the product's own, which clients look for.
MESSAGES = {
    3: "Not found",
    7: "The object already exists",
    58: "Write access is required for this command",
    61: "The operation would violate the spare capacity policy of the storage pool",
    62: "Wrong parameters",
    63: "The percentage value is invalid",
    64: "The value is out of range",
    66: "The password was used before",
    67: "Not enough resources for the operation",
    69: "Communication error with the SDS",
    71: "The SDS could not open the device",
    78: "Could not find the SDS",
    79: "Could not find the volume",
    80: "Could not find the SDC",
    81: "The volume is already mapped to this SDC",
    82: "The volume is already mapped to all SDCs",
    84: "The volume is not mapped to this SDC",
    93: "The SDS IP address and port already in use",
    98: "The SDS name is already in use",
    99: "Volume name already in use. Please use a different name.",
    100: "A device with this name already exists",
    103: "The SDS is being removed",
    104: "The volume is mapped; unmap it first",
    105: "The MDM cluster state is not correct for this command",
    109: "The MDM cluster is already in single mode",
    110: "The MDM cluster is already in this mode",
    125: "Too many devices in this SDS",
    126: "Could not find the SDS device",
    131: "The licence does not allow this much capacity",
    133: "Volume capacity can only be increased",
    135: "The device is being removed",
    138: "Another device is being added to this SDS, try again later",
    140: "Too many protection domains",
    141: "The protection domain name is already in use",
    142: "Could not find the protection domain",
    143: "The protection domain still contains SDSs",
    144: "The storage pool has fewer than three devices on different SDSs or fault sets",
    157: "The DRL mode is already set to this value",
    159: "The licence has expired",
    160: "The device is active already",
    161: "The device test mode is wrong for this command",
    162: "The device test is not complete",
    163: "The device test is running",
    167: "The password is wrong",
    168: "The user has no permission for this command",
    170: "The storage pool name is already in use",
    171: "Could not find the storage pool",
    172: "The storage pool still contains devices",
    173: "The storage pool already exists",
    176: "The protection domain still contains storage pools",
    180: "The SDC still has mapped volumes",
    181: "Too many storage pools in the protection domain",
    182: "Too many volumes in the VTree",
    184: "Too many devices in the storage pool",
    185: "The consistency group has no volumes",
    186: "Too many IP addresses for one SDS",
    187: "The last IP address of an SDS cannot be removed",
    190: "The volume is too large",
    192: "The IP address belongs to another SDS",
    193: "Could not find the SDS IP address",
    194: "The port is invalid",
    195: "The capacity alert threshold is invalid",
    196: "The storage pool still contains volumes",
    197: "The storage pool does not belong to the protection domain",
    198: "The volumes belong to different VTrees",
    199: "At least one IP address must have a role that serves SDSs",
    200: "The SDS already has this IP address",
    201: "The IP address already has this role",
    206: "The device name is already in use on this SDS",
    207: "The device is too small",
    208: "The size exceeds the size of the device",
    213: "The protection domain is not active",
    216: "Part of the capacity is not protected; wait for rebuild or the end of maintenance",
    225: "The volume size must be a multiple of 8 GB",
    226: "The name is longer than 31 characters",
    227: "The name contains characters that are not allowed",
    234: "Could not find the user",
    244: "The current path of the device differs from the original one; update the path first",
    247: "The user has no permission for this command",
    249: "The password must be changed before other commands",
    250: "The user already exists",
    251: "Too many users",
    252: "Too many sessions",
    253: "The old password does not match",
    255: "The password needs characters of three of these classes: lower case, upper case, digits, others",
    262: "The storage pool must not contain devices",
    264: "The fault set name is already in use",
    265: "Could not find the fault set",
    268: "The fault set still contains SDSs",
    269: "The protection domain still contains fault sets",
    272: "The fault set does not belong to the protection domain",
    274: "Parameters of the IO priority policy are missing",
    275: "At least one IP address must have a role that serves SDCs",
    283: "The device path is invalid",
    298: "The SDC is currently connected; disconnect it first",
    299: "The value is already set",
    300: "The volume exceeds the limit for thin allocation",
    306: "Only a single SDC may be mapped to this volume unless multiple mappings are allowed",
    307: "The network limits are invalid",
    314: "The storage pool has not enough free capacity for a thick volume",
    316: "The spare percentage must be between 0 and 99",
    318: "Not enough devices are left in the storage pool for this removal",
    322: "The SDC must be approved first",
    323: "The RAM read cache size is out of range",
    337: "The storage pool is at critical capacity; no thin volume can be created",
    362: "The device path already exists on this SDS",
    370: "The high threshold value must be lower than the critical threshold value",
    371: "The SDC is already approved",
    372: "The media type is missing",
    373: "The media type of the device does not match the storage pool",
    374: "Maintenance is refused while capacity is degraded or another SDS is in maintenance",
    375: "The SDS is in maintenance already",
    376: "The SDS is not in maintenance",
    717: "The migration of the VTree is in progress",
    718: "The VTree is in this storage pool already",
}


class Refusal(Exception):
    """The system refuses a call. `code` 0 with status 400 is the Gateway's own validation."""

    def __init__(self, code: int, message: str = "", status: int = 500, detailed: bool = False) -> None:
        self.code = code
        self.message = message or MESSAGES[code]
        self.status = status
        self.detailed = detailed
        super().__init__(f"{self.message} (code {code})")

    def body(self) -> dict[str, object]:
        body: dict[str, object] = {"message": self.message, "httpStatusCode": self.status, "errorCode": self.code}
        if self.detailed:
            body["details"] = [{"error": f"MDM_{self.code}", "rc": self.code, "errorMessage": self.message}]
        return body


def invalid(message: str) -> Refusal:
    return Refusal(0, message, status=400)


def unknown_path(path: str) -> Refusal:
    return Refusal(0, f"The path {path} is unknown", status=404)
