"""What deserves a look on this host as it is now: told by `validate`, and as networks start."""

from __future__ import annotations

import contextlib
import os
import socket
from collections.abc import Iterator

import pytest

from tests.support.lab import Lab
from vnet_tui.engine.drivers.sockets import program
from vnet_tui.engine.engine import Engine
from vnet_tui.engine.errors import ConflictError, Severity
from vnet_tui.engine.views import EventKind

ANY = "0.0.0.0"  # noqa: S104  (only there to be seen)

FORWARDS = """<network>
  <name>{name}</name>
  <dhcp><ip address="10.{number}.0.1" prefix="24" start="10.{number}.0.8" end="10.{number}.0.9"/>
    <host name="web" address="10.{number}.0.5"/></dhcp>
  <forwarding>
    <incoming>
      {rules}
    </incoming>
  </forwarding>
</network>
"""


def document(rules: str, name: str = "foo", number: int = 5) -> str:
    return FORWARDS.format(rules=rules, name=name, number=number)


@contextlib.contextmanager
def listening(kind: socket.SocketKind, address: str, port: int) -> Iterator[None]:
    """A socket of this very process."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.socket(family, kind) as made:
        made.bind((address, port))
        if kind is socket.SOCK_STREAM:
            made.listen()
        yield


async def told(engine: Engine, text: str) -> list[tuple[int, str]]:
    """The warnings about a document, and that there are no errors."""
    problems = await engine.validate(text)
    assert all(problem.severity is Severity.WARNING and problem.remedy for problem in problems)
    return [(problem.line, problem.message) for problem in problems]


async def test_a_forward_of_a_port_that_the_host_listens_on(lab: Lab) -> None:
    text = document('<allow port="22" protocol="tcp" domain="web"/>')
    me = program(os.getpid())
    async with Engine(lab.paths) as engine:
        assert await told(engine, text) == []
        with listening(socket.SOCK_DGRAM, ANY, 22):
            assert await told(engine, text) == []
        with listening(socket.SOCK_STREAM, "127.0.0.1", 22):
            assert await told(engine, text) == [
                (
                    7,
                    f"the host itself listens on 22/tcp ({me} on 127.0.0.1): the host's own "
                    "connections to it go to web instead",
                )
            ]
        with listening(socket.SOCK_STREAM, "::", 22):
            message = (
                f"the host itself listens on 22/tcp ({me} on all addresses): connections to it "
                "go to web instead"
            )
            assert await told(engine, text) == [(7, message)]
            await engine.define(text)
            assert [one.message for one in await engine.warnings("foo")] == [message]
            await engine.start(["foo"])
            events = [one for one in await engine.past_events() if one.kind is EventKind.WARNING]
            assert [(one.name, message in one.message) for one in events] == [("foo", True)]
            await engine.stop(["foo"])


async def test_our_own_dnsmasqs_and_sockets_of_clients_are_none_of_the_hosts_services(
    lab: Lab,
) -> None:
    text = document('<allow port="1-65535" domain="web"/>')
    async with Engine(lab.paths) as engine:
        await engine.define(text)
        await engine.start(["foo"])
        with listening(socket.SOCK_DGRAM, ANY, 40000):
            assert await told(engine, text) == []
        with listening(socket.SOCK_DGRAM, ANY, 5353):
            ((_, message),) = await told(engine, text)
            assert "5353/udp" in message
        await engine.stop(["foo"])


async def test_a_guest_whom_nobody_knows_is_waited_for(lab: Lab) -> None:
    text = document('<allow port="80" domain="wep"/>\n<deny domain="mail"/>')
    async with Engine(lab.paths) as engine:
        problems = await engine.validate(text)
        assert [(one.line, one.remedy.split(" (")[0]) for one in problems] == [
            (7, "did you mean web?"),
            (8, 'give the guest this host name, or add <host name="mail" …/> to <dhcp>'),
        ]
        foo = await engine.define(text)
        lab.paths.leases.mkdir(parents=True)
        lab.paths.lease_file(foo.uuid).write_text("0 52:54:00:00:00:01 10.5.0.8 Mail *\n")
        named = text.replace("<name>", f"<uuid>{foo.uuid}</uuid><name>")
        assert [line for line, _ in await told(engine, named)] == [7]
        # As it starts guests are yet to come; what looks like a slip of the pen is told then, too.
        later = await engine.define(named.replace('"mail"', '"elsewhere"'))
        (slip,) = await engine.warnings(later.uuid)
        assert slip.remedy == "did you mean web?"


async def test_a_forward_that_another_network_has_as_it_runs(lab: Lab) -> None:
    rule = '<allow port="80" domain="web"/>'
    async with Engine(lab.paths) as engine:
        await engine.define(document(rule))
        await engine.start(["foo"])
        await engine.define(document(""))
        await engine.define(document(rule, "bar", 6))
        with pytest.raises(ConflictError) as caught:
            await engine.start(["bar"])
        (problem,) = caught.value.problems
        lines = (await engine.xml("foo")).splitlines()
        line = next(number for number, text in enumerate(lines, 1) if 'port="80"' in text)
        assert problem.message == (
            f"port 80 of the host leads to web of the network foo (line {line} of its document)"
        )
        assert problem.line
        await engine.apply("foo")
        await engine.start(["bar"])
        await engine.stop(["foo", "bar"])


async def test_a_forward_at_an_address_that_the_host_hasnt(lab: Lab) -> None:
    lab.ip("address", "add", "198.51.100.1/24", "dev", "lo")
    there = ("198.51.100.1", "198.51.0.0/16", "127.0.0.1", "10.5.0.1")
    sound = "".join(
        f'<allow port="{port}" domain="web" destination="{own}"/>'
        for port, own in enumerate(there, 1)
    )
    text = document(f"""{sound}
      <allow port="80" domain="web" destination="198.51.100.2"/>
      <allow port="81" domain="web" destination="198.51.100.2" enabled="false"/>""")
    async with Engine(lab.paths) as engine:
        message = "this host has no address in 198.51.100.2/32 now: nobody is led to web there"
        assert await told(engine, text) == [(8, message)]
        lab.ip("address", "add", "198.51.100.2/24", "dev", "lo")
        assert await told(engine, text) == []


async def test_what_is_wrong_is_told_once(lab: Lab) -> None:
    text = document("""<allow port="80" protocol="icmp"/>
      <allow port="81" destport="82"/>
      <allow port="83" domain="no name"/>
      <allow port="84" domain="nobody"/>""")
    async with Engine(lab.paths) as engine:
        problems = await engine.validate(text)
    assert [(one.line, one.severity) for one in problems] == [
        (7, Severity.ERROR),
        (8, Severity.ERROR),
        (9, Severity.ERROR),
        (10, Severity.WARNING),
    ]
