#!/usr/bin/env bash
# What Deskhand takes from the system besides Python; installs it where it may, else names it.
#   packaging/system.sh windows   what Qt needs to open at all, and the sandbox of coding jobs
#   packaging/system.sh session   what the tests of a real tray need: screens, panels, a bus, a safe;
#                                 and those of disks that fail: strace, libfiu;
#                                 and those of clocks that jump: faketime;
#                                 and those of web pages: chromium;
#                                 and those of the fleet: brokers, containers, rules of alerts
set -euo pipefail

windows="libegl1 libgl1 libglib2.0-0 libdbus-1-3 libfontconfig1 libxkbcommon0"
boxes="bubblewrap git"
session="chromium podman prometheus rabbitmq-server redis-server runc dbus faketime fiu-utils fonts-dejavu-core gnome-keyring libfiu0 openbox \
  strace trayer weston x11-utils xdotool xvfb \
  libwayland-cursor0 libwayland-egl1 libxcb-cursor0 libxcb-icccm4 libxcb-image0 libxcb-keysyms1 \
  libxcb-randr0 libxcb-render-util0 libxcb-shape0 libxcb-xkb1 libxkbcommon-x11-0"

case ${1:-} in
  windows) wanted="$windows $boxes" ;;
  session) wanted="$windows $boxes $session" ;;
  *) echo "usage: $0 windows|session" >&2 && exit 2 ;;
esac
# Elsewhere Qt brings all it needs, or packages have other names.
command -v dpkg-query >/dev/null || exit 0

missing=""
for package in $wanted; do
  # Newer releases of Debian and Ubuntu call some of them by another name, with "t64" behind it.
  state=$(dpkg-query -W -f '${db:Status-Status} ' "$package" "${package}t64" 2>/dev/null || true)
  [[ $state == *"installed "* && $state != "not-installed " ]] || missing="$missing $package"
done
[ -n "$missing" ] || exit 0

if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
  echo "Installing$missing …" >&2
  # Servers are for the tests to start: none is to run by itself.
  export DEBIAN_FRONTEND=noninteractive RUNLEVEL=1
  # shellcheck disable=SC2086
  { apt-get update -qq && apt-get install -y -qq --no-install-recommends $missing; } >/dev/null
else
  echo "Missing of the system:$missing" >&2
  echo "Install them with: sudo apt-get install$missing" >&2
  echo "Without them the tests that need them are left out." >&2
fi
