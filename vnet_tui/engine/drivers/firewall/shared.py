"""What all networks share of the table: the base chains, and the maps that lead to networks."""

from __future__ import annotations

from collections.abc import Mapping

from vnet_tui.engine.drivers.firewall.layout import Chain, Hook

BRIDGES_OUT = "bridges_out"
BRIDGES_IN = "bridges_in"
BRIDGES_NAT = "bridges_nat"
BRIDGES_HAIRPIN = "bridges_hairpin"
BRIDGES_SENT = "bridges_sent"
BRIDGES_GOT = "bridges_got"
CUTS_OUT = "cuts_out"
CUTS_IN = "cuts_in"
CUTS_OUT_BACK = "cuts_out_back"
CUTS_IN_BACK = "cuts_in_back"
DISPATCHES = (
    *(BRIDGES_OUT, BRIDGES_IN, BRIDGES_NAT, BRIDGES_HAIRPIN, BRIDGES_SENT, BRIDGES_GOT),
    *(CUTS_OUT, CUTS_IN, CUTS_OUT_BACK, CUTS_IN_BACK),
)
"""Maps from a bridge to a chain of its network."""

BRIDGES = "bridges"
"""All bridges. A set beside the maps, since the kernel checks wherever a map is used that all
chains it leads to may run there."""

MARKS = "marks"
"""Bridges with marks as comments; ``lo`` has the mark of what all networks share."""

PORTS = "ports"
PORT_RANGES = "port_ranges"
SHARED_MARK = '"lo"'

SHARED_CHAINS: Mapping[str, Chain] = {
    "deny": Chain(
        (
            # Who is cut off from an established connection is told so that it ends at once.
            "meta l4proto tcp ct state established reject with tcp reset",
            "reject with icmpx admin-prohibited",
        )
    ),
    # A guest must not get a port below 1024 of the host, which some servers trust.
    "masquerade_all": Chain(
        ("meta l4proto { tcp, udp } masquerade to :1024-65535", "masquerade"),
    ),
    "to_host": Chain(
        (
            f"meta l4proto . th dport vmap @{PORTS}",
            f"meta l4proto . th dport vmap @{PORT_RANGES}",
        )
    ),
    # The host's loopback addresses are for the host alone, though bridges with forwards route
    # them (route_localnet), so that it can use its forwards by 127.0.0.1.
    "guard": Chain(
        (
            f"ip daddr 127.0.0.0/8 iifname @{BRIDGES} drop",
            f"ip saddr 127.0.0.0/8 iifname @{BRIDGES} drop",
        ),
        Hook("filter", "prerouting", -300),
    ),
    "forward": Chain(
        (
            "ct state established,related goto established",
            f"iifname vmap @{BRIDGES_OUT}",
            f"oifname vmap @{BRIDGES_IN}",
        ),
        Hook("filter", "forward", 0),
    ),
    "established": Chain(("accept",)),
    # Only what wasn't denied gets as far as this.
    "traffic": Chain(
        (f"iifname vmap @{BRIDGES_SENT}", f"oifname vmap @{BRIDGES_GOT}"),
        Hook("filter", "forward", 10),
    ),
    "prerouting": Chain(
        (
            # Our own DHCP and DNS at a guest's gateway are never forwarded away from it.
            f"iifname @{BRIDGES} fib daddr . iif type local meta l4proto . th dport "
            "{ tcp . 53, udp . 53, udp . 67, udp . 547 } return",
            "fib daddr type local goto to_host",
        ),
        Hook("nat", "prerouting", -100),
    ),
    "output": Chain(
        (
            # The rest of 127.0.0.0/8 is often a resolver's own.
            "ip daddr 127.0.0.0/8 ip daddr != 127.0.0.1 return",
            "ip6 daddr ::1 return",
            "fib daddr type local goto to_host",
        ),
        Hook("nat", "output", -100),
    ),
    "postrouting": Chain(
        (
            # Replies to guests of the same network, and to the host, have to come back through us.
            f"ct status dnat oifname vmap @{BRIDGES_HAIRPIN}",
            f"ct status dnat oifname @{BRIDGES} fib saddr type local masquerade",
            "ip daddr { 224.0.0.0/4, 255.255.255.255 } return",
            "ip6 daddr ff00::/8 return",
            f"iifname vmap @{BRIDGES_NAT}",
        ),
        Hook("nat", "postrouting", 100),
    ),
}

CUTTING = Chain(
    (
        # Errors about a connection are none of their own, whatever is denied to ICMP.
        "ct state related accept",
        f"ct direction original iifname vmap @{CUTS_OUT}",
        f"ct direction original oifname vmap @{CUTS_IN}",
        f"ct direction reply oifname vmap @{CUTS_OUT_BACK}",
        f"ct direction reply iifname vmap @{CUTS_IN_BACK}",
        "accept",
    )
)
"""``established``, where any network ends connections."""
