"""Hosts on which another firewall was there first, built as their makers build them.

Each function puts one into the network namespace of the calling thread. What Docker, ufw and
firewalld install is as on Debian 12 (docker.io 20.10 and docker-ce 28, ufw 0.36.2, firewalld
1.3.3), less what has nothing to do with packets that pass by.
"""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Mapping

_DOCKER = """*filter
:FORWARD DROP [0:0]
:DOCKER - [0:0]
:DOCKER-ISOLATION-STAGE-1 - [0:0]
:DOCKER-ISOLATION-STAGE-2 - [0:0]
:DOCKER-USER - [0:0]
-A FORWARD -j DOCKER-USER
-A FORWARD -j DOCKER-ISOLATION-STAGE-1
-A FORWARD -o docker0 -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A FORWARD -o docker0 -j DOCKER
-A FORWARD -i docker0 ! -o docker0 -j ACCEPT
-A FORWARD -i docker0 -o docker0 -j ACCEPT
-A DOCKER -d 172.17.0.2/32 ! -i docker0 -o docker0 -p tcp -m tcp --dport 80 -j ACCEPT
-A DOCKER-ISOLATION-STAGE-1 -i docker0 ! -o docker0 -j DOCKER-ISOLATION-STAGE-2
-A DOCKER-ISOLATION-STAGE-1 -j RETURN
-A DOCKER-ISOLATION-STAGE-2 -o docker0 -j DROP
-A DOCKER-ISOLATION-STAGE-2 -j RETURN
-A DOCKER-USER -j RETURN
COMMIT
*nat
:DOCKER - [0:0]
-A PREROUTING -m addrtype --dst-type LOCAL -j DOCKER
-A OUTPUT ! -d 127.0.0.0/8 -m addrtype --dst-type LOCAL -j DOCKER
-A POSTROUTING -s 172.17.0.0/16 ! -o docker0 -j MASQUERADE
-A DOCKER -i docker0 -j RETURN
-A DOCKER ! -i docker0 -p tcp -m tcp --dport 8080 -j DNAT --to-destination 172.17.0.2:80
COMMIT
"""

_DOCKER_28 = """*filter
:FORWARD DROP [0:0]
:DOCKER - [0:0]
:DOCKER-BRIDGE - [0:0]
:DOCKER-CT - [0:0]
:DOCKER-FORWARD - [0:0]
:DOCKER-ISOLATION-STAGE-1 - [0:0]
:DOCKER-USER - [0:0]
-A FORWARD -j DOCKER-USER
-A FORWARD -j DOCKER-FORWARD
-A DOCKER ! -i docker0 -o docker0 -j DROP
-A DOCKER-BRIDGE -o docker0 -j DOCKER
-A DOCKER-CT -o docker0 -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A DOCKER-FORWARD -j DOCKER-CT
-A DOCKER-FORWARD -j DOCKER-ISOLATION-STAGE-1
-A DOCKER-FORWARD -j DOCKER-BRIDGE
-A DOCKER-FORWARD -i docker0 -j ACCEPT
COMMIT
"""

_UFW = """*filter
:INPUT DROP [0:0]
:FORWARD DROP [0:0]
:OUTPUT ACCEPT [0:0]
:{u}-after-input - [0:0]
:{u}-after-forward - [0:0]
:{u}-before-forward - [0:0]
:{u}-before-input - [0:0]
:{u}-before-logging-forward - [0:0]
:{u}-before-logging-input - [0:0]
:{u}-logging-deny - [0:0]
:{u}-not-local - [0:0]
:{u}-skip-to-policy-input - [0:0]
:{u}-user-forward - [0:0]
:{u}-user-input - [0:0]
-A INPUT -j {u}-before-logging-input
-A INPUT -j {u}-before-input
-A INPUT -j {u}-after-input
-A FORWARD -j {u}-before-logging-forward
-A FORWARD -j {u}-before-forward
-A FORWARD -j {u}-after-forward
-A {u}-before-input -i lo -j ACCEPT
-A {u}-before-input -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A {u}-before-forward -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A {u}-before-input -m conntrack --ctstate INVALID -j {u}-logging-deny
-A {u}-before-input -m conntrack --ctstate INVALID -j DROP
{icmp}
-A {u}-before-input -j {u}-user-input
-A {u}-before-forward -j {u}-user-forward
-A {u}-logging-deny -m conntrack --ctstate INVALID -m limit --limit 3/min --limit-burst 10 -j RETURN
-A {u}-logging-deny -m limit --limit 3/min --limit-burst 10 -j LOG --log-prefix "[UFW BLOCK] "
-A {u}-skip-to-policy-input -j DROP
-A {u}-after-input -p udp --dport 137 -j {u}-skip-to-policy-input
-A {u}-after-input -p udp --dport 67 -j {u}-skip-to-policy-input
-A {u}-user-input -p tcp -m tcp --dport 22 -j ACCEPT
COMMIT
"""

_UFW_4 = """-A ufw-before-input -p icmp --icmp-type echo-request -j ACCEPT
-A ufw-before-forward -p icmp --icmp-type echo-request -j ACCEPT
-A ufw-before-input -p udp --sport 67 --dport 68 -j ACCEPT
-A ufw-before-input -j ufw-not-local
-A ufw-not-local -m addrtype --dst-type LOCAL -j RETURN
-A ufw-not-local -m addrtype --dst-type MULTICAST -j RETURN
-A ufw-not-local -m addrtype --dst-type BROADCAST -j RETURN
-A ufw-not-local -m limit --limit 3/min --limit-burst 10 -j ufw-logging-deny
-A ufw-not-local -j DROP
-A ufw-before-input -p udp -d 224.0.0.251 --dport 5353 -j ACCEPT"""

_UFW_6 = """-A ufw6-before-input -m rt --rt-type 0 -j DROP
-A ufw6-before-forward -m rt --rt-type 0 -j DROP
-A ufw6-before-input -p icmpv6 --icmpv6-type echo-request -j ACCEPT
-A ufw6-before-input -p icmpv6 --icmpv6-type router-solicitation -m hl --hl-eq 255 -j ACCEPT
-A ufw6-before-input -p icmpv6 --icmpv6-type router-advertisement -m hl --hl-eq 255 -j ACCEPT
-A ufw6-before-input -p icmpv6 --icmpv6-type neighbor-solicitation -m hl --hl-eq 255 -j ACCEPT
-A ufw6-before-input -p icmpv6 --icmpv6-type neighbor-advertisement -m hl --hl-eq 255 -j ACCEPT
-A ufw6-before-input -p udp -s fe80::/10 --sport 547 -d fe80::/10 --dport 546 -j ACCEPT"""

_FIREWALLD = """
table inet firewalld {
    chain mangle_PREROUTING {
        type filter hook prerouting priority mangle + 10; policy accept;
    }
    chain filter_PREROUTING {
        type filter hook prerouting priority filter + 10; policy accept;
        icmpv6 type { nd-router-advert, nd-neighbor-solicit } accept
        meta nfproto ipv6 fib saddr . mark . iif oif missing drop
    }
    chain filter_INPUT {
        type filter hook input priority filter + 10; policy accept;
        ct state { established, related } accept
        ct status dnat accept
        iifname "lo" accept
        ct state invalid drop
        jump filter_INPUT_ZONES
        reject with icmpx admin-prohibited
    }
    chain filter_FORWARD {
        type filter hook forward priority filter + 10; policy accept;
        ct state { established, related } accept
        ct status dnat accept
        iifname "lo" accept
        ct state invalid drop
        ip6 daddr { ::/96, ::ffff:0.0.0.0/96, 2002::/24, 2002:a00::/24 } reject
        jump filter_FORWARD_ZONES
        reject with icmpx admin-prohibited
    }
    chain filter_OUTPUT {
        type filter hook output priority filter + 10; policy accept;
        ct state { established, related } accept
        oifname "lo" accept
    }
    chain filter_INPUT_ZONES {
        iifname "uplink" goto filter_IN_public
        goto filter_IN_public
    }
    chain filter_FORWARD_ZONES {
        iifname "uplink" goto filter_FWD_public
        goto filter_FWD_public
    }
    chain filter_IN_public {
        jump filter_IN_public_allow
        meta l4proto { icmp, ipv6-icmp } accept
        reject with icmpx admin-prohibited
    }
    chain filter_IN_public_allow {
        tcp dport 22 accept
        ip6 daddr fe80::/64 udp dport 546 accept
    }
    chain filter_FWD_public {
        jump filter_FWD_public_allow
        reject with icmpx admin-prohibited
    }
    chain filter_FWD_public_allow {
        oifname "uplink" iifname "uplink" accept
    }
}
"""

_NFT_FILTER = """
table inet filter {
    set friends {
        type ipv4_addr
        flags interval
        elements = { 192.0.2.0/24, 203.0.113.7-203.0.113.9 }
    }
    chain input {
        type filter hook input priority filter; policy drop;
        ct state vmap { established : accept, related : accept, invalid : drop }
        iifname lo accept
        icmp type echo-request limit rate 5/second accept
        icmpv6 type { nd-neighbor-solicit, nd-neighbor-advert, nd-router-advert } accept
        ip saddr @friends accept
        tcp dport { 22, 8000-8080 } accept
    }
    chain forward {
        type filter hook forward priority filter; policy drop;
        ct state established,related accept
        iifname "wg*" jump from_vpn
    }
    chain from_vpn {
        counter accept
    }
}
"""


_EARLY_AND_LATE = """
table inet early {
    chain pre {
        type filter hook prerouting priority raw; policy accept;
        iifname "uplink" meta l4proto { tcp, udp } th dport 123 drop
        ip saddr 10.0.0.0/8 udp dport 53 drop
        iifname "vnet-foo" ip6 daddr 2000::/3 drop
    }
    chain post {
        type filter hook postrouting priority 0; policy accept;
        oifname "vnet-foo" tcp dport 321 drop
        oifname "uplink" ip saddr 10.0.0.0/8 drop
    }
}
"""


def _restore(program: str, text: str) -> None:
    subprocess.run([f"{program}-restore", "--noflush"], input=text, text=True, check=True)


def _run(*argv: str) -> None:
    subprocess.run(argv, check=True)


def _ufw(kind: str) -> None:
    _restore(f"iptables-{kind}", _UFW.format(u="ufw", icmp=_UFW_4))
    _restore(f"ip6tables-{kind}", _UFW.format(u="ufw6", icmp=_UFW_6))


def docker() -> None:
    """Docker 20.10 with iptables on nftables."""
    _restore("iptables-nft", _DOCKER)


def docker_legacy() -> None:
    """The same with legacy iptables."""
    _restore("iptables-legacy", _DOCKER)


def docker_28() -> None:
    """docker-ce 28, which also sets the policy of IPv6."""
    _restore("iptables-nft", _DOCKER_28)
    _restore("ip6tables-nft", _DOCKER_28)


def ufw() -> None:
    """ufw, enabled, with its defaults and ssh."""
    _ufw("nft")


def ufw_legacy() -> None:
    """The same with legacy iptables."""
    _ufw("legacy")


def firewalld() -> None:
    """firewalld with the uplink in zone public."""
    subprocess.run(["nft", "-f", "-"], input=_FIREWALLD, text=True, check=True)


def nft_filter() -> None:
    """A ruleset as people write them by hand, with policies that drop."""
    subprocess.run(["nft", "-f", "-"], input=_NFT_FILTER, text=True, check=True)


def early_and_late() -> None:
    """Rules before routing, and after it."""
    subprocess.run(["nft", "-f", "-"], input=_EARLY_AND_LATE, text=True, check=True)


def early_legacy() -> None:
    """The same in tables of iptables."""
    _run("iptables-legacy", "-t", "raw", "-A", "PREROUTING", "-i", "vnet-foo", "-j", "DROP")
    _run("ip6tables-legacy", "-t", "mangle", "-A", "POSTROUTING", "-o", "vnet-foo", "-j", "DROP")


def input_drop() -> None:
    """Policies set with three commands."""
    _run("iptables-nft", "-P", "INPUT", "DROP")
    _run("iptables-nft", "-A", "INPUT", "-m", "state", "--state", "ESTABLISHED", "-j", "ACCEPT")
    _run("ip6tables-nft", "-P", "INPUT", "DROP")


def output_drop() -> None:
    """A host that lets nothing out but what it knows."""
    _run("iptables-legacy", "-P", "OUTPUT", "DROP")
    _run("iptables-legacy", "-A", "OUTPUT", "-o", "lo", "-j", "ACCEPT")
    _run("iptables-legacy", "-A", "OUTPUT", "-p", "tcp", "-j", "ACCEPT")


def legacy_and_nft() -> None:
    """Two firewalls at once, each of which stops the same things."""
    docker_legacy()
    nft_filter()


FIREWALLS: Mapping[str, Callable[[], None]] = {
    made.__name__: made
    for made in (
        docker,
        docker_legacy,
        docker_28,
        ufw,
        ufw_legacy,
        firewalld,
        nft_filter,
        early_and_late,
        early_legacy,
        input_drop,
        output_drop,
        legacy_and_nft,
    )
}
"""All of them, by name."""
