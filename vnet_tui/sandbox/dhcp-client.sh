#!/bin/sh
# What a guest's DHCP client (udhcpc) runs: its first argument is what happened, the environment
# has what the server said. GUEST is set by the sandbox: the beginning of the guest's file names.
set -e

case $1 in
deconfig)
    ip link set "$interface" up
    ip -4 address flush dev "$interface"
    rm -f "$GUEST.lease" "$GUEST.resolv.conf"
    ;;
bound | renew)
    ip -4 address replace "$ip/$mask" dev "$interface" \
        valid_lft "$lease" preferred_lft "$lease"
    if [ -n "$router" ]; then
        ip -4 route replace default via "${router%% *}" dev "$interface"
    fi
    for server in $dns; do
        echo "nameserver $server"
    done > "$GUEST.resolv.conf"
    printf '%s\n%s\n%s\n' "$ip" "${router%% *}" "${dns%% *}" > "$GUEST.lease.new"
    mv "$GUEST.lease.new" "$GUEST.lease"
    ;;
esac
