"""Values, errors and streams on their way between the daemon and its clients."""

from __future__ import annotations

import asyncio
import inspect
import json
import socket
from collections.abc import Mapping
from datetime import UTC, datetime
from ipaddress import ip_address, ip_interface, ip_network
from typing import Any
from uuid import UUID

import pytest

from vnet_tui.client.connection import IMPORTED_LATER, Connection
from vnet_tui.daemon.outlet import Outlet
from vnet_tui.engine import errors
from vnet_tui.engine.errors import (
    DocumentError,
    DriverError,
    Problem,
    StateError,
    StepFailedError,
    VnetError,
)
from vnet_tui.engine.inquiries import Inquiries
from vnet_tui.engine.model import Address, Interface, Mode, Subnet
from vnet_tui.engine.views import (
    Disturbance,
    Event,
    EventKind,
    NetworkInfo,
    NetworkTraffic,
    Rates,
    Ref,
    Sample,
    State,
    Totals,
    Traffic,
    Verb,
)
from vnet_tui.protocol import faults
from vnet_tui.protocol.codec import WrongTypeError, decoder, encoder
from vnet_tui.protocol.messages import pack, unpack
from vnet_tui.protocol.methods import methods_of
from vnet_tui.protocol.wire import Budget, Wire

TRAFFIC = Traffic(rates=Rates(in_bits=1.5), totals=Totals(in_bytes=2**63))
VALUES: list[tuple[Any, object]] = [
    (str, "lone \udc80 surrogate, zero \0 byte, ünïcode"),
    (bool, False),
    (int, 2**63),
    (float, 0.1),
    (int | None, None),
    (UUID, UUID(int=5)),
    (Ref, "web"),
    (Address, ip_address("fd00::1")),
    (Address | None, None),
    (Interface, ip_interface("10.0.0.1/24")),
    (Subnet, ip_network("fd00::/64")),
    (datetime, datetime(2026, 11, 22, 13, 0, 1, 5, tzinfo=UTC)),
    (Verb, "apply"),
    (Disturbance, Disturbance.RESTARTS_SERVICES),
    (tuple[tuple[str, ...], ...], (("a", "b"), ())),
    (Mapping[UUID, int], {UUID(int=1): 2}),
    (Mapping[Address, bool], {ip_address("10.0.0.1"): True}),
    (
        NetworkInfo,
        NetworkInfo(
            uuid=UUID(int=3),
            name="web",
            state=State.DRIFTED,
            mode=Mode.NAT,
            addresses=(ip_interface("10.0.0.1/24"), ip_interface("fd00::1/64")),
            started=1.5,
        ),
    ),
    (
        Sample,
        Sample(
            time=1.0,
            networks={
                UUID(int=3): NetworkTraffic(traffic=TRAFFIC, ports={"tap0": TRAFFIC}, port_count=1)
            },
        ),
    ),
    (
        Event,
        Event(
            time=datetime.now(UTC), kind=EventKind.LEASE_ADDED, network=None, name="", message="x"
        ),
    ),
]


@pytest.mark.parametrize(("hint", "value"), VALUES, ids=lambda one: str(one)[:40])
def test_a_value_comes_out_as_it_went_in(hint: Any, value: object) -> None:
    sent = unpack(pack({"value": encoder(hint)(value)})[:-1])
    came = decoder(hint, True)(sent["value"])
    assert came == value
    assert type(came) is type(value)


def test_enums_travel_by_names_that_varlink_can_write() -> None:
    assert encoder(EventKind)(EventKind.LEASE_ADDED) == "lease_added"
    assert encoder(Disturbance)(Disturbance.LIVE) == "live"


@pytest.mark.parametrize(
    ("hint", "value", "told"),
    [
        (int, True, "x: it has to be an integer, and is true or false"),
        (bool, 1, "x: it has to be true or false, and is an integer"),
        (str, None, "x: it has to be a string, and is missing"),
        (UUID, "web", "x: 'web' isn't a UUID"),
        (Address, "10.0.0.300", "x: '10.0.0.300' isn't an IP address"),
        (State, "asleep", "x: 'asleep' is none of defined, active, drifted, damaged"),
        (State, ["active"], "x: an array is none of"),
        (tuple[int, ...], {"a": 1}, "x: it has to be an array, and is an object"),
        (tuple[int, ...], [1, "b"], "x[1]: it has to be an integer, and is a string"),
        (Mapping[str, int], {"k": 0.5}, "x[k]: it has to be an integer, and is a number"),
        (Totals, {"in_bytes": "many"}, "x.in_bytes: it has to be an integer, and is a string"),
        (Traffic, {"rates": {}}, "x.totals: it has to be an object, and is missing"),
        (Totals, {"colour": 1}, "x.colour: there is no such field"),
    ],
)
def test_what_has_the_wrong_type_is_told_by_its_place(hint: Any, value: object, told: str) -> None:
    with pytest.raises(WrongTypeError) as caught:
        decoder(hint, True)(value)
    assert str(caught.value.within("x")).startswith(told)


def test_a_newer_daemons_fields_are_passed_over() -> None:
    assert decoder(Totals, False)({"in_bytes": 1, "colour": 1}) == Totals(in_bytes=1)


# Errors

PROBLEMS = (Problem(message="no", remedy="yes", line=3, column=4), Problem(message="and"))


def every_error() -> list[VnetError]:
    """One of each class, with every field set."""
    made = []
    for kind in vars(errors).values():
        if isinstance(kind, type) and issubclass(kind, VnetError):
            given: dict[str, Any] = {
                "problems": PROBLEMS,
                "undone": ("b", "a"),
                "left": ("c: why",),
            }
            names = list(inspect.signature(kind).parameters)
            made.append(kind(*(given.get(name, f"the {name}") for name in names)))
    return made


@pytest.mark.parametrize("error", every_error(), ids=lambda error: type(error).__name__)
def test_an_error_is_raised_again_as_it_was(error: VnetError) -> None:
    came = faults.from_wire(unpack(pack(faults.to_wire(error))[:-1]))
    assert type(came) is type(error)
    assert vars(came) == vars(error)
    assert str(came) == str(error)
    assert came.args == error.args


def test_an_error_of_a_driver_of_its_own_goes_as_its_base() -> None:
    class LinkError(DriverError):
        """Nobody else knows it."""

    came = faults.from_wire(faults.to_wire(LinkError("no link", "make one")))
    assert type(came) is DriverError
    assert (came.message, came.remedy) == ("no link", "make one")


@pytest.mark.parametrize(
    "reply",
    [
        {"error": "io.vnet.Manager.NewError", "parameters": {"message": "x"}},
        {"error": "io.vnet.Manager.StateError", "parameters": {"message": 5}},
        {"error": "io.vnet.Manager.StateError"},
        {"error": 7},
        {"error": "org.varlink.service.MethodNotFound", "parameters": {"method": "x.Y"}},
    ],
)
def test_whatever_error_comes_is_an_error_to_us(reply: dict[str, object]) -> None:
    assert type(faults.from_wire(reply)) is VnetError


def test_what_an_error_is_made_of_travels() -> None:
    sent = faults.to_wire(StepFailedError("step", "cause", ["u"], ["l"], "remedy"))
    assert json.dumps(sent["parameters"], sort_keys=True) == (
        '{"cause": "cause", "left": ["l"], "message": "step: cause", "remedy": "remedy", '
        '"step": "step", "undone": ["u"]}'
    )
    problems = faults.to_wire(DocumentError("bad", PROBLEMS))["parameters"]["problems"]
    assert problems[0]["line"] == 3
    assert faults.to_wire(StateError("x"))["error"] == "io.vnet.Manager.StateError"


# Methods


def test_every_method_of_the_api_can_travel() -> None:
    methods = methods_of(Connection, IMPORTED_LATER)
    for method in methods.values():
        if method.result is not None:
            encoder(method.result)
            decoder(method.result, False)
        for parameter in method.parameters.values():
            encoder(parameter.hint)
            decoder(parameter.hint, True)


def test_whoever_may_read_can_ask_whatever_the_engine_can_be_asked_and_no_more() -> None:
    methods = methods_of(Connection, IMPORTED_LATER)
    asked = methods.keys() & vars(Inquiries).keys()
    assert {name for name, one in methods.items() if not one.changes} == asked | {
        "checkpoint",
        "host",
    }


# The wire


async def wired() -> tuple[Wire, socket.socket]:
    ours, theirs = socket.socketpair()
    ours.setblocking(False)
    loop = asyncio.get_running_loop()
    _, wire = await loop.create_connection(lambda: Wire(1000), sock=ours)
    return wire, theirs


async def test_who_is_behind_gets_the_newest_and_is_told_what_he_missed() -> None:
    wire, theirs = await wired()
    outlet = Outlet(wire, 1)
    outlet.put(b"1")
    wire.pause_writing()  # as asyncio does when the other end doesn't read
    for item in (b"2", b"3", b"4"):
        outlet.put(item)
    wire.resume_writing()
    outlet.put(b"5")
    replies = [json.loads(one) for one in theirs.recv(1000).split(b"\0")[:-1]]
    told = [(one["parameters"]["result"], one["parameters"].get("skipped")) for one in replies]
    assert told == [(1, None), (4, 2), (5, None)]
    assert all(one["continues"] is True for one in replies)
    wire.abort()
    theirs.close()


async def test_messages_come_one_by_one_however_they_were_cut() -> None:
    wire, theirs = await wired()
    theirs.sendall(b"one\0two\0thr")
    assert [await wire.receive(), await wire.receive()] == [b"one", b"two"]
    third = asyncio.ensure_future(wire.receive())
    await asyncio.sleep(0)
    theirs.sendall(b"ee\0")
    assert await third == b"three"
    theirs.close()
    assert await wire.receive() is None
    wire.abort()


async def test_what_was_given_back_to_the_budget_can_be_used_again() -> None:
    budget = Budget(100)
    ours, theirs = socket.socketpair()
    ours.setblocking(False)
    loop = asyncio.get_running_loop()
    _, wire = await loop.create_connection(lambda: Wire(1000, budget=budget), sock=ours)
    theirs.sendall(b"x" * 60 + b"\0")
    assert await wire.receive()
    assert budget.used == 0
    theirs.sendall(b"half")
    theirs.close()
    assert await wire.receive() is None
    wire.abort()
    await asyncio.sleep(0.01)
    assert budget.used == 0
