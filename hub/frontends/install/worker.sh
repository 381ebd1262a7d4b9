#!/bin/sh
# Puts the Deskhand worker on this computer and pairs it with the hub this came from:
#   curl -fsSL @HUB@/worker.sh | sh -s -- CODE [--service] [--folder DIR] [--name NAME] [--yes]
# Everything stands in functions, and only the last line runs one: half a download does nothing.

hub='@HUB@'
trouble='@TROUBLE@'
mending='@MENDING@'
# Self-contained workers: system-arch version file sha256 bytes
frozen='@FROZEN@'
# For all other systems, with Python 3.11 or newer: file sha256
wheel='@WHEEL@'
lock_slim='@LOCK_SLIM@'
lock_ml='@LOCK_ML@'

slim_mb=250
ml_mb=2000

say() { printf '%s\n' "$*"; }

die() {
  printf 'Deskhand: %s\n' "$1" >&2
  shift
  for line in "$@"; do printf '  %s\n' "$line" >&2; done
  exit 1
}

have() { command -v "$1" >/dev/null 2>&1; }

usage() {
  say "Usage: curl -fsSL $hub/worker.sh | sh -s -- CODE [options]"
  say "  CODE            from /connect in the chat; without one this computer shows one to send"
  say "  --service       start the worker at every login or boot, and now"
  say "  --folder DIR    a folder whose files may be used (repeat for more)"
  say "  --name NAME     what this computer is called in chats"
  say "  --slim | --ml   without or with machine learning (default: with, when the disk has room)"
  say "  --pip           install with pip even where a self-contained worker is offered"
  say "  --again         pair although this computer is paired with this hub already"
  say "  --yes           do not ask before starting"
}

wrong_usage() {
  printf 'Deskhand: %s\n' "$1" >&2
  usage >&2
  exit 2
}

fetch() { # name, where to, sha256
  if have curl; then
    curl -fsSL --connect-timeout 20 --retry 2 -o "$2" "$hub/download/$1" || fetch_failed "$1"
  else
    wget -q -O "$2" "$hub/download/$1" || fetch_failed "$1"
  fi
  if have sha256sum; then
    got=$(sha256sum <"$2")
  else
    got=$(shasum -a 256 <"$2")
  fi
  got=${got%% *}
  [ "$got" = "$3" ] || die "$1 did not arrive as the hub sent it; nothing was installed." \
    "expected $3" "got      $got" "Try again. If it repeats, something between here and the hub changes files."
}

fetch_failed() {
  die "$1 could not be fetched from $hub; nothing was installed." \
    "See whether the network is up and the disk has room, then try again."
}

room_mb() { # where
  df -Pk "$1" | awk 'NR == 2 { printf "%d", $4 / 1024 }'
}

need_room() { # MB, for what
  free=$(room_mb "$root")
  [ "$free" -ge "$1" ] || die "$2 needs $1 MB, and $root has $free MB free." \
    "Free some space, or use another disk: XDG_DATA_HOME=/other/disk"
}

is_musl() {
  for file in /lib/ld-musl-*; do [ -e "$file" ] && return 0; done
  return 1
}

choose_frozen() { # sets frozen_* for this computer; fails when the hub has none that fits
  [ "$pip_only" = no ] || return 1
  case $(uname -s) in
    Linux) system=linux ;;
    Darwin) system=macos ;;
    *) return 1 ;;
  esac
  case $(uname -m) in
    x86_64 | amd64) arch=x86_64 ;;
    aarch64 | arm64) arch=aarch64 ;;
    *) return 1 ;;
  esac
  line=$(printf '%s\n' "$frozen" | grep "^$system-$arch ") || return 1
  if is_musl; then
    say "The self-contained worker is for systems with glibc, this one has musl: using Python instead."
    return 1
  fi
  # shellcheck disable=SC2086 # five words, none of them with spaces
  set -- $line
  frozen_version=$2 frozen_file=$3 frozen_sum=$4 frozen_mb=$((($5 + 999999) / 1000000))
}

find_python() {
  for name in python3 python3.14 python3.13 python3.12 python3.11 python; do
    if have "$name" && "$name" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
      python=$name
      return 0
    fi
  done
  return 1
}

need_python() {
  if ! find_python; then
    set -- "Install it, then try again."
    have apt-get && set -- "Install it, then try again: ${sudo}apt-get install python3 python3-venv"
    have dnf && set -- "Install it, then try again: ${sudo}dnf install python3"
    have apk && set -- "Install it, then try again: ${sudo}apk add python3"
    have brew && set -- "Install it, then try again: brew install python@3.13"
    die "This computer has no Python 3.11 or newer, and the hub has no self-contained worker for $(uname -sm)." "$@"
  fi
  if ! "$python" -c 'import ensurepip, venv' 2>/dev/null; then
    version=$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
    die "Python $version here comes without its venv module." \
      "Install it, then try again: ${sudo}apt-get install python$version-venv"
  fi
}

unpack_frozen() { # where to
  need_room $((frozen_mb * 5)) "The worker"
  say "Fetching $frozen_file ($frozen_mb MB) …"
  fetch "$frozen_file" "$fresh/worker.tar.gz" "$frozen_sum"
  tar -xzf "$fresh/worker.tar.gz" -o -C "$fresh" ||
    die "The worker could not be unpacked; nothing was installed." "See whether the disk has room."
  rm -f "$fresh/worker.tar.gz"
  "$fresh/deskhand/deskhand" --help >/dev/null 2>"$fresh/why" </dev/null || {
    why=$(tail -n 1 "$fresh/why")
    die "The self-contained worker does not start on this system: ${why:-no reason given}." \
      "Use the other way, which needs Python 3.11 or newer: add --pip"
  }
  mv "$fresh/deskhand" "$1"
}

install_wheel() { # where to
  need_room "$needed_mb" "The worker with its packages"
  say "Fetching $wheel_file …"
  fetch "$wheel_file" "$fresh/$wheel_file" "$wheel_sum"
  fetch "$lock_file" "$fresh/requirements.txt" "$lock_sum"
  # A venv cannot be moved, so it is made in its place and marked when it is complete.
  unfinished=$1
  rm -rf "$1"
  "$python" -m venv "$1" || die "$python could not make a virtual environment."
  say "Installing its packages, $what_ml; this takes a minute or two …"
  PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_INPUT=1
  export PIP_DISABLE_PIP_VERSION_CHECK PIP_NO_INPUT
  "$1/bin/python" -m pip install -q --require-hashes --no-deps --only-binary :all: \
    -r "$fresh/requirements.txt" </dev/null ||
    die "pip could not install the worker's packages; nothing was changed." \
      "Its last lines say why: often the network, or no package for $(uname -sm)."
  "$1/bin/python" -m pip install -q --no-deps --no-index "$fresh/$wheel_file" </dev/null ||
    die "pip could not install the worker; nothing was changed."
  "$1/bin/deskhand" --help >/dev/null </dev/null || die "The worker does not start."
  ln -s bin/deskhand "$1/deskhand"
  : >"$1/.complete"
  unfinished=''
}

point() { # link, what it shall point to: in one step, so that there is always one of the two
  ln -s "$2" "$1.$$"
  mv -Tf "$1.$$" "$1" 2>/dev/null || mv -hf "$1.$$" "$1" 2>/dev/null || {
    rm -f "$1"
    mv -f "$1.$$" "$1"
  }
}

tidy() {
  [ -z "$fresh" ] || rm -rf "$fresh"
  [ -z "$unfinished" ] || rm -rf "$unfinished"
}

is_paired() { "$root/program/current/deskhand" status </dev/null 2>/dev/null | grep -qF "($hub)"; }

confirm() {
  [ "$sure" = no ] || return 0
  # Standard input is this script; the person, when there is one, is at the terminal.
  if (: </dev/tty) 2>/dev/null; then
    printf 'Go on? [Y/n] ' >/dev/tty
    read -r answer </dev/tty || answer=n
    case $answer in
      '' | [Yy]*) ;;
      *) die "Stopped; nothing was changed." ;;
    esac
  fi
}

main() {
  set -eu
  umask 077
  [ -z "$trouble" ] || die "$trouble" "$mending"

  frozen_file='' code='' service=no sure=no ml=auto again=no pip_only=no fresh='' unfinished='' sudo=''
  left=$#
  while [ "$left" -gt 0 ]; do
    option=$1
    shift
    left=$((left - 1))
    case $option in
      --service) service=yes ;;
      --yes | -y) sure=yes ;;
      --slim) ml=no ;;
      --ml) ml=yes ;;
      --again) again=yes ;;
      --pip) pip_only=yes ;;
      --help | -h)
        usage
        exit 0
        ;;
      --folder | --name)
        [ "$left" -gt 0 ] || wrong_usage "$option needs a value."
        # What is meant for \`deskhand pair\` goes to the end of the list, and stays there.
        set -- "$@" "$option" "$1"
        shift
        left=$((left - 1))
        ;;
      -*) wrong_usage "there is no option $option." ;;
      *)
        [ -z "$code" ] || wrong_usage "one code is enough."
        code=$(printf '%s' "$option" | tr '[:lower:]' '[:upper:]' | tr -d ' -')
        case $code in
          *[!BCDFGHJKLMNPQRSTVWXZ]*) code='' ;;
        esac
        [ "${#code}" -eq 8 ] || wrong_usage "'$option' is not a code; one looks like BCDF-GHJK."
        code=$(printf '%s' "$code" | cut -c 1-4)-$(printf '%s' "$code" | cut -c 5-8)
        ;;
    esac
  done

  have curl || have wget || die "This computer has neither curl nor wget." "Install one of them."
  have sha256sum || have shasum || die "This computer has neither sha256sum nor shasum."
  [ -n "${HOME:-}" ] || HOME=$(getent passwd "$(id -u)" | cut -d: -f6)
  [ -d "$HOME" ] || die "There is no home folder to put the worker into."
  export HOME
  if [ "$(id -u)" -ne 0 ] && have sudo; then sudo='sudo '; fi
  if [ "$(uname -s)" = Darwin ]; then
    root="$HOME/Library/Application Support/deskhand"
  else
    root="${XDG_DATA_HOME:-$HOME/.local/share}/deskhand"
  fi
  mkdir -p "$root/program" 2>/dev/null || die "$root cannot be made." "Choose another place: XDG_DATA_HOME=/other/place"

  if choose_frozen; then
    id="$frozen_version-$(printf '%s' "$frozen_sum" | cut -c 1-8)"
    what="the self-contained worker $frozen_version ($frozen_mb MB, needs no Python)"
  else
    need_python
    choose_lock
    id="${wheel_file#deskhand-}"
    id="${id%%-*}-$(printf '%s' "$wheel_sum" | cut -c 1-8)-$(printf '%s' "$lock_sum" | cut -c 1-4)"
    what="the worker and its packages in a Python environment of their own, $what_ml"
  fi

  say "Deskhand: this computer becomes a worker of $hub."
  say "  Into $root/program: $what."
  say "  The command: $HOME/.local/bin/deskhand"
  if [ "$service" = yes ]; then say "  It starts by itself from now on."; fi
  say "  Files, models and keys stay on this computer. Nothing else of it is changed, and no root is needed."
  confirm

  trap tidy EXIT
  trap 'exit 130' INT
  trap 'exit 143' TERM HUP
  place="$root/program/$id"
  former=$(readlink "$root/program/current" 2>/dev/null || :)
  if [ -e "$place/.complete" ]; then
    say "This version is installed already."
  else
    fresh=$(mktemp -d "$root/program/.fresh.XXXXXX") || die "$root cannot be written."
    if [ -n "$frozen_file" ]; then
      unpack_frozen "$fresh/$id"
      : >"$fresh/$id/.complete"
      rm -rf "$place"
      mv "$fresh/$id" "$place"
    else
      install_wheel "$place"
    fi
  fi
  point "$root/program/current" "$id"
  link_command
  remove_older
  join_hub "$@"
}

choose_lock() {
  # shellcheck disable=SC2086 # two words each
  set -- $wheel $lock_slim $lock_ml
  wheel_file=$1 wheel_sum=$2
  if [ "$ml" = auto ] && [ "$(room_mb "$root")" -lt "$ml_mb" ]; then
    ml=no
    say "There is too little room for machine learning ($ml_mb MB); the worker comes without it."
  fi
  if [ "$ml" = no ]; then
    lock_file=$3 lock_sum=$4 needed_mb=$slim_mb what_ml="without machine learning"
  else
    lock_file=$5 lock_sum=$6 needed_mb=$ml_mb what_ml="with machine learning (700 MB)"
  fi
}

link_command() {
  command="$HOME/.local/bin/deskhand"
  mkdir -p "$HOME/.local/bin"
  if [ -e "$command" ] && [ ! -L "$command" ]; then
    say "There is another program at $command; it was left alone."
    command="$root/program/current/deskhand"
  else
    point "$command" "$root/program/current/deskhand"
  fi
  # What to type: the name alone works where the folder is searched.
  case ":$PATH:" in
    *":$HOME/.local/bin:"*) [ "$command" != "$HOME/.local/bin/deskhand" ] || command=deskhand ;;
  esac
}

remove_older() {
  # The former version stays: a worker may still be running from it.
  for old in "$root/program"/*; do
    case ${old##*/} in
      "$id" | "$former" | current) ;;
      *) rm -rf "$old" ;;
    esac
  done
}

join_hub() {
  program="$root/program/current/deskhand"
  if [ "$again" = no ] && is_paired; then
    say "This computer is paired with $hub already; a code was not needed (--again pairs anew)."
    if [ "$service" = yes ]; then
      "$program" autostart on </dev/null ||
        die "The worker is installed and paired, but it does not start by itself." "Start it with: $command --headless"
    fi
    if [ -n "$former" ] && [ "$former" != "$id" ]; then
      say "A worker that is running keeps its version until it is started anew."
    fi
  else
    if [ "$service" = yes ]; then set -- "$@" --service; fi
    "$program" pair ${code:+"$code"} --hub "$hub" "$@" </dev/null ||
      die "The worker is installed, but it is not paired." "Get a new code with /connect, then: $command pair CODE --hub $hub"
  fi
  if [ "$service" = no ]; then
    say "Run it:               $command --headless"
    say "Let it start itself:  $command autostart on"
  fi
}

{ main "$@"; }
