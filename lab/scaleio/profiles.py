"""What differs between product versions: version texts, login, fields, rules."""

from __future__ import annotations

from dataclasses import dataclass

from lab.scaleio.refusal import Refusal


@dataclass(frozen=True)
class Profile:
    name: str
    api_version: str
    system_version: str
    mdm_version: str

    @property
    def release(self) -> tuple[int, int]:
        major, minor = self.api_version.split(".")
        return int(major), int(minor)

    @property
    def bearer_login(self) -> bool:
        return self.release >= (4, 0)

    @property
    def media_types(self) -> bool:
        """Pools and devices know HDD and SSD, and a new pool must say which."""
        return self.release >= (3, 0)

    @property
    def users(self) -> bool:
        """From 4.0 on they are the management system's too."""
        return self.release < (4, 0)

    @property
    def replication(self) -> bool:
        return self.release >= (3, 5)

    @property
    def protected_maintenance(self) -> bool:
        return self.release >= (3, 5)

    @property
    def names_missing_volume(self) -> bool:
        """A volume's name that does not exist is "Could not find the volume" (79), and before that "Not found" (3)."""
        return self.release >= (3, 5)

    @property
    def alert_list(self) -> bool:
        """From 4.0 on alerts are the management system's, not the Gateway's."""
        return self.release < (4, 0)


def release_of(package_version: str) -> str:
    """What a daemon of this package calls its version: 3.6-700.103 is R3_6.700.103."""
    release, separator, build = package_version.partition("-")
    if not separator:
        raise ValueError(f"{package_version!r} is no version of a ScaleIO package, as 3.6-700.103 is")
    return f"R{release.replace('.', '_')}.{build}"


PROFILES = {
    profile.name: profile
    for profile in (
        Profile("2.0", "2.0", "EMC ScaleIO Version: R2_0.6035.0", "R2_0.6035.0"),
        Profile("2.5", "2.5", "DellEMC ScaleIO Version: R2_5.0.254", "R2_5.0.254"),
        Profile("2.6", "2.6", "DellEMC ScaleIO Version: R2_6.11000.113", "R2_6.11000.0"),
        Profile("3.0", "3.0", "DellEMC VxFlex OS Version: R3_0.0.168", "R3_0.0.168"),
        Profile("3.5", "3.5", "DellEMC PowerFlex Version: R3_5.0.229", "R3_5.0.229"),
        Profile("3.6", "3.6", "DellEMC PowerFlex Version: R3_6.0.354", "R3_6.0.354"),
        Profile("4.5", "4.5", "DellEMC PowerFlex Version: R4_5.0.287", "R4_5.0.287"),
    )
}


def profile(name: str) -> Profile:
    try:
        return PROFILES[name]
    except KeyError:
        raise Refusal(62, f"Unknown version {name!r}; known: {', '.join(PROFILES)}") from None
