#!/bin/sh
# SioGWTool.sh --reset_password --password PASSWORD --config_file FILE: set the Gateway's admin password
set -eu
password=
while [ $# -gt 0 ]; do
    case $1 in
        --reset_password) ;;
        --password) password=$2; shift ;;
        --config_file) shift ;;
        *) echo "SioGWTool.sh: unknown option $1" >&2; exit 1 ;;
    esac
    shift
done
[ -n "$password" ] || { echo "SioGWTool.sh: --password is missing" >&2; exit 1; }
printf '%s\n' "$password" | /opt/emc/scaleio/gateway/bin/scaleio-gateway --save-password
echo "Password changed successfully"
