#!/bin/sh
# What the maintainer scripts of all components share. The build puts it in front of each of them.
set -eu
root=/opt/emc/scaleio/@COMPONENT@
unit=@UNIT@

# setting NAME: its value from the environment of the installation, else from a file that only root can read
setting() {
    eval "found=\${$1:-}"
    if [ -z "$found" ] && [ -r /etc/emc-scaleio/install.env ]; then
        found=$(sed -n "s/^$1=//p" /etc/emc-scaleio/install.env | tail -n 1)
    fi
    printf '%s' "$found"
}

# private FILE: an empty file for root only, to be written next
private() {
    mkdir -p "$(dirname "$1")"
    (umask 077 && : > "$1")
}

# certificate FILE NAME...: key and self-signed certificate in one file, made once
certificate() {
    [ -s "$1" ] && return 0
    target=$1; shift
    names=
    for name in "$@"; do
        case $name in *[!0-9.]*) kind=DNS ;; *) kind=IP ;; esac
        names=$names${names:+,}$kind:$name
    done
    private "$target"
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -sha256 -days 3650 -subj "/CN=$1" \
        -addext "subjectAltName=$names" -addext "keyUsage=critical,digitalSignature,keyCertSign" \
        -keyout "$target.key" -out "$target.crt" 2>/dev/null
    cat "$target.key" "$target.crt" > "$target"
    rm -f "$target.key" "$target.crt"
}

# run_unit: enable the service; start it, or start it again with the new version
run_unit() {
    if [ -d /run/systemd/system ]; then
        systemctl daemon-reload
        systemctl enable --quiet "$unit"
        systemctl restart "$unit"
    else
        systemctl enable --quiet "$unit"
    fi
}
