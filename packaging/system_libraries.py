"""Libraries that come from the person's system, never from us: they fit its drivers and theme.

`build.spec` leaves them out, the .deb depends on their packages. A library brought along from
another distribution breaks the app in ways nobody can guess (no theme, no GL, a crash at a dialog).
"""

from __future__ import annotations

PACKAGES = {
    "libEGL": "libegl1",
    "libGL": "libgl1",
    "libGLX": "libgl1",
    "libGLdispatch": "libgl1",
    "libOpenGL": "libopengl0",
    "libX11-xcb": "libx11-xcb1",
    "libX11": "libx11-6",
    "libdbus-1": "libdbus-1-3",
    "libfontconfig": "libfontconfig1",
    "libfreetype": "libfreetype6",
    "libgcc_s": "libgcc-s1",
    "libglib-2.0": "libglib2.0-0t64 | libglib2.0-0",
    "libgthread-2.0": "libglib2.0-0t64 | libglib2.0-0",
    "libcrypto": "libssl3t64 | libssl3",
    "libssl": "libssl3t64 | libssl3",
    "libstdc++": "libstdc++6",
    "libwayland-client": "libwayland-client0",
    "libwayland-cursor": "libwayland-cursor0",
    "libwayland-egl": "libwayland-egl1",
    "libxcb": "libxcb1",
    "libxcb-cursor": "libxcb-cursor0",
    "libxcb-icccm": "libxcb-icccm4",
    "libxcb-image": "libxcb-image0",
    "libxcb-keysyms": "libxcb-keysyms1",
    "libxcb-randr": "libxcb-randr0",
    "libxcb-render-util": "libxcb-render-util0",
    "libxcb-render": "libxcb-render0",
    "libxcb-shape": "libxcb-shape0",
    "libxcb-shm": "libxcb-shm0",
    "libxcb-sync": "libxcb-sync1",
    "libxcb-util": "libxcb-util1",
    "libxcb-xfixes": "libxcb-xfixes0",
    "libxcb-xkb": "libxcb-xkb1",
    "libxcb-glx": "libxcb-glx0",
    "libxkbcommon-x11": "libxkbcommon-x11-0",
    "libxkbcommon": "libxkbcommon0",
    "libzstd": "libzstd1",
}
"""Library -> Debian package. What Qt and Python link themselves; TLS is the system's, too, so that
its security updates reach us."""
BEHIND = (
    "libkrb5", "libk5crypto", "libgssapi", "libkeyutils", "libcom_err",
    "libXau", "libXdmcp", "libXext", "libXrender", "libatk", "libatspi", "libblkid", "libbrotli",
    "libbsd", "libcairo", "libcap", "libdatrie", "libepoxy", "libexpat", "libfribidi", "libgbm",
    "libgcrypt", "libgdk", "libgio", "libgmodule", "libgobject", "libgpg-error", "libgraphite2",
    "libgtk", "libharfbuzz", "libjpeg", "liblz4", "libmd", "libmount", "libpango", "libpcre2",
    "libpixman", "libpng16", "libselinux", "libsystemd", "libthai", "libwayland-server",
    "libXcomposite", "libXcursor", "libXdamage", "libXfixes", "libXi", "libXinerama", "libXrandr",
    "libXxf86vm", "libdrm", "libcloudproviders",
)  # fmt: skip
"""What those link in turn: it comes with their packages."""


def is_of_the_system(library: str, source: str) -> bool:
    """Say whether a library is the system's.

    Args:
        library: its file name, as in "libxcb-cursor.so.0".
        source: the file it was taken from; what wheels bring is ours whatever it is called.
    """
    if "site-packages" in source:
        return False
    stem = library.split(".so", maxsplit=1)[0]
    return stem in PACKAGES or stem.startswith(BEHIND)


def depends() -> str:
    """Return the Depends field's packages, for Debian 12, Ubuntu 22.04 and newer."""
    return ", ".join(["libc6 (>= 2.34)", *sorted(set(PACKAGES.values()))])
