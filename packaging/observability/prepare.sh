#!/usr/bin/env bash
# Makes what compose.yaml needs and nobody should know beforehand: Grafana's password, and the key
# with which Prometheus reads the hub's figures. What is there already stays.
#   ./prepare.sh               asks for the key
#   ./prepare.sh < key-file    reads it
set -euo pipefail
cd "$(dirname "$0")"

umask 077
mkdir -p secrets
if [ ! -s secrets/grafana_password ]; then
  # 24 random bytes; `tr` takes out what addresses and shells would read as something else.
  head -c 24 /dev/urandom | base64 | tr -d '\n/+=' >secrets/grafana_password
fi
if [ ! -s secrets/hub_metrics_key ]; then
  echo "Make a key where the hub runs, and paste it here:" >&2
  echo "  deskhand-hub keys create prometheus --scope metrics" >&2
  read -r key
  case $key in
    dh_metrics_*) printf '%s' "$key" >secrets/hub_metrics_key ;;
    *) echo "That is no key of the scope metrics: it would begin with dh_metrics_." >&2 && exit 2 ;;
  esac
fi
# The folder is yours alone; in the containers, programs that are not you read these two files.
chmod 444 secrets/grafana_password secrets/hub_metrics_key
echo "Grafana: user ${GRAFANA_USER:-operator}, password in $PWD/secrets/grafana_password" >&2
