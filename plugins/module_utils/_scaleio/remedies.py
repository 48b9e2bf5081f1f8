# Copyright: (c) 2026, The mesos_scaleio.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What to do about a refusal: by its code up to 206, where all versions agree, and by its words above that."""

from __future__ import annotations

_LIMIT = "A limit of this ScaleIO version is reached; remove what is not needed any more, or use other objects."
_LICENCE = "Check the licence of the system and install one that covers it."
_ROOM = "Free capacity or add devices to the storage pool."
_BUSY = "The system stayed busy; wait for what it does to end and run again."
_IN_USE = "It exists already, perhaps because of another run; take another name or manage that one."
_ADDRESS = "The address is used by another object; check it, and remove the stale object if there is one."
_GONE = "Check the name or id; another run may have removed it."
_VALUE = "Correct the value; the documentation of the option says what is possible."
_ROLE = "Use a Gateway user whose role may configure the system."
_PASSWORD = "Give a password that the system accepts."
_EMPTY = "Remove what it still holds first."

_BY_CODE = {
    **dict.fromkeys((3, 78, 79, 80, 91, 126, 142, 155, 171, 185, 193), _GONE),
    **dict.fromkeys((7, 75, 98, 99, 100, 141, 170, 173, 200, 206), _IN_USE),
    **dict.fromkeys((59, 74, 76, 77, 93, 192), _ADDRESS),
    **dict.fromkeys((28, 32, 33, 43, 44, 55, 68, 69, 70, 138, 149, 162, 163, 164), _BUSY),
    **dict.fromkeys((103, 124, 135, 145), "Wait until the other operation has ended and run again."),
    **dict.fromkeys((143, 172, 176, 196), _EMPTY),
    **dict.fromkeys((104, 180), "Unmap the volumes first."),
    **dict.fromkeys(
        (81, 82, 84, 108, 109, 110, 146, 147, 157, 158, 160, 183, 201), "Nothing is left to do; run again."
    ),
    **dict.fromkeys((49, 87, 94, 95, 96, 97, 106, 125, 140, 150, 169, 181, 182, 184, 186), _LIMIT),
    **dict.fromkeys((127, 128, 129, 130, 159, 177, 178, 179), _LICENCE),
    **dict.fromkeys((131, 132), "Extend the licence of the system."),
    **dict.fromkeys((58, 62, 63, 64, 88, 89, 90, 133, 174, 190, 194, 195, 197, 198, 203), _VALUE),
    **dict.fromkeys((66, 167), _PASSWORD),
    **dict.fromkeys((67, 166, 189, 191), _ROOM),
    37: "Check the disk on the SDS's host and the option that describes it.",
    45: "Give the device's path on the SDS's host.",
    61: "Add devices or free capacity first, or choose a smaller spare_percentage.",
    71: "Check that the path exists on the SDS's host and that nothing else there uses the disk.",
    72: "Use a disk within the size range that this ScaleIO version supports.",
    73: "Check the disk and the kernel log on the SDS's host.",
    101: "Several SDCs have this address; name the SDC by its GUID.",
    105: "Bring the MDM cluster into order first (scaleio_info tells its state).",
    107: "Make the MDM cluster first (scaleio_mdm_bootstrap).",
    111: "Bring the MDM cluster into order first (scaleio_info tells its state).",
    112: "Bring the MDM cluster into order first (scaleio_info tells its state).",
    120: "Correct the host name, or give an IP address.",
    121: "Give the Gateway the addresses of all MDMs, so that it finds the primary one.",
    134: "Give the secondary MDM addresses of its own.",
    136: "Remove the SDS itself, or give it another device first.",
    137: "The device is not being removed; look at its state (scaleio_info) and run again.",
    139: "Check the id of the device; another run may have removed it.",
    144: "Add devices on at least three SDSs or fault sets to the storage pool.",
    161: "Add the device again with another test_mode.",
    165: "Spread devices more evenly over the fault units of the storage pool.",
    168: _ROLE,
    175: "Remove the protection domain itself, or make another storage pool first.",
    187: "Add another address first, or remove the SDS.",
    188: "Name the storage pool; the system has no default one.",
    199: "Give one address the role all or sdsOnly.",
}
# The Gateway's own, without a code.
_BY_STATUS = {403: _ROLE, 404: "Check the id, and whether the version of this Gateway offers this."}
# The numbers above 206 differ between versions; the first fragment that occurs decides.
_BY_WORDS = (
    ("permission", _ROLE),
    ("password must be changed", "Change the user's initial password first (scli --set_password)."),
    ("password", _PASSWORD),
    ("too many sessions", "Wait ten minutes for idle sessions to end, or log other clients out."),
    ("not protected", "Wait for rebuilds and maintenance to end and run again."),
    ("degraded", "Wait for rebuilds and maintenance to end and run again."),
    ("maintenance", "Check the maintenance state of the SDSs first."),
    ("must not contain devices", "Remove the devices of the storage pool first."),
    ("still contains", _EMPTY),
    ("not enough devices", "Add devices on other fault units first; each pool needs three of them for its data."),
    ("not active", "Activate the protection domain first."),
    ("must be approved", "Approve the SDC first (scaleio_sdc)."),
    ("already approved", "Nothing is left to do; run again."),
    ("currently connected", "Stop the SDC's driver on its host first."),
    ("single sdc", "Unmap the volume from the other SDC first, or set allow_multiple_mappings."),
    ("partitioned", "Choose a disk without partitions, or clear this one on its host if nothing needs it."),
    ("mounted", "Choose a disk that is not mounted, or unmount this one on its host if nothing needs it."),
    ("error state", "Repair or replace the disk, then clear the device's error (scaleio_device with clear_error)."),
    ("migration", "Wait for the migration of the volume's VTree to end and run again."),
    ("zero padding must", "Enable zero padding first, while the storage pool has no device (scaleio_storage_pool)."),
    ("not normal", "Bring the SDS back first: scaleio_info tells its state."),
    ("update the path", "Take the present path as the right one (scaleio_device with accept_path)."),
    ("device path already exists", _IN_USE),
    ("device path", "Give the path of a disk below /dev on the SDS's host."),
    ("already in use", _IN_USE),
    ("already exists", _IN_USE),
    ("already", "Nothing is left to do; run again."),
    ("could not find", _GONE),
    ("not found", _GONE),
    ("too many", _LIMIT),
    ("thin allocation", "Use thick volumes, free volumes, or add devices to the storage pool."),
    ("critical capacity", _ROOM),
    ("free capacity", _ROOM),
    ("device is too small", "Use a disk within the size range that this ScaleIO version supports."),
    ("licen", _LICENCE),
    ("wait for", _BUSY),
    ("try again", _BUSY),
)


def remedy_for(error_code: int, text: str, status: int) -> str:
    known = _BY_CODE.get(error_code) or _BY_STATUS.get(status)
    if known is not None:
        return known
    words = text.lower()
    unknown = _VALUE if error_code or status == 400 else "Look for the reason in the logs of the Gateway and the MDM."
    return next((remedy for fragment, remedy in _BY_WORDS if fragment in words), unknown)
