"""Why a sandbox does not work on a machine, and what its owner can do, in words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

INSTALLERS = {
    "apt-get": "sudo apt install {}",
    "dnf": "sudo dnf install {}",
    "pacman": "sudo pacman -S {}",
    "zypper": "sudo zypper install {}",
    "apk": "sudo apk add {}",
}
"""By the program that is there: how its owner installs a package."""
APPARMOR_HINT = (
    "Let bubblewrap make namespaces: sudo apt install apparmor-profiles, then "
    "sudo ln -s /usr/share/apparmor/extra-profiles/bwrap-userns-restrict /etc/apparmor.d/ and "
    "sudo systemctl reload apparmor."
)
"""The profile ships with Ubuntu 24.04's package and is on by itself since 25.04."""
LANDLOCK_ABI_MIN = 6
"""Linux 6.12: below it signals to the person's other programs cannot be held back."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reason:
    why: str
    hint: str = ""


def bubblewrap_missing(installers: tuple[str, ...]) -> Reason:
    """Say how to get it; `installers` are the programs of INSTALLERS that are there."""
    way = INSTALLERS[installers[0]].format("bubblewrap") if installers else "your package manager"
    return Reason(why="bubblewrap is not installed.", hint=f"Install it: {way}")


def bubblewrap_failed(said: str, settings: Mapping[str, str]) -> Reason:
    """Say why it does not start, by what it said and by the kernel's settings.

    `settings` are those that forbid namespaces, by their names under /proc/sys, where they exist.
    """
    if settings.get("kernel/apparmor_restrict_unprivileged_userns") == "1":
        return Reason(
            why="AppArmor forbids bubblewrap to make user namespaces here.", hint=APPARMOR_HINT
        )
    if settings.get("kernel/unprivileged_userns_clone") == "0":
        return Reason(
            why="This kernel lets no ordinary program make user namespaces.",
            hint="Allow it: sudo sysctl -w kernel.unprivileged_userns_clone=1",
        )
    if settings.get("user/max_user_namespaces") == "0":
        return Reason(
            why="This kernel is set to have no user namespaces.",
            hint="Allow some: sudo sysctl -w user.max_user_namespaces=15000",
        )
    return Reason(
        why=f"bubblewrap is installed, but does not start: {said or 'it said nothing'}.",
        hint="In a container, allow it to make user namespaces; see docs/sandbox.md.",
    )


def landlock_failed(abi: int, said: str = "") -> Reason:
    """Say why Landlock is no wall here; `abi` is what the kernel offers, 0 for nothing."""
    if abi <= 0:
        return Reason(why="This kernel has no Landlock, or it is switched off.")
    if abi < LANDLOCK_ABI_MIN:
        return Reason(
            why=f"This kernel's Landlock (version {abi}) holds back too little;"
            f" {LANDLOCK_ABI_MIN} or newer does, which came with Linux 6.12."
        )
    return Reason(why=f"Landlock does not hold here: {said or 'its trial failed'}.")


def nothing_isolates(reasons: tuple[Reason, ...]) -> Reason:
    """Put together why this machine has no sandbox at all."""
    whys = " ".join(reason.why for reason in reasons if reason.why)
    hint = next((reason.hint for reason in reasons if reason.hint), "")
    return Reason(why=whys or "There is no sandbox for this system.", hint=hint)


def told(name: str, *, is_isolating: bool, why: str) -> str:
    """Say in a line which sandbox coding jobs have, without its last full stop."""
    if is_isolating:
        better = f"; a better one does not work: {why}" if why else ""
        return f"Coding jobs run in a sandbox ({name}){better}".rstrip(".")
    return f"Coding jobs have no sandbox, so none runs without you. {why}".rstrip(". ")
