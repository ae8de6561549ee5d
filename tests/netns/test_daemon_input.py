"""What bad clients send: the daemon stays up, others don't notice, memory is bounded."""

from __future__ import annotations

import contextlib
import json
import random
import resource
import socket
import time
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

from tests.support.daemon import Daemon
from tests.support.eventually import eventually
from tests.support.lab import Lab
from tests.support.networks import document
from tests.support.raw import MANAGER, Raw

INVALID = "org.varlink.service.InvalidParameter"


@pytest.fixture
def daemon(lab: Lab) -> Iterator[Daemon]:
    with Daemon(lab.paths) as running:
        yield running
        assert "Traceback" not in running.said


@pytest.fixture
def healthy(daemon: Daemon) -> Iterator[Raw]:
    """A client that was there before, and is served as before at the end."""
    with Raw(daemon.paths.socket) as client:
        assert client.call("Networks") == {"parameters": {"result": []}}
        yield client
        assert client.call("Networks") == {"parameters": {"result": []}}


WRONG = [
    ("Network", {}, "ref"),
    ("Network", {"ref": 7}, "ref"),
    ("Network", {"ref": None}, "ref"),
    ("Network", {"ref": "x", "colour": 1}, "colour"),
    ("Network", [], "parameters"),
    ("Start", {"refs": "web"}, "refs"),
    ("Start", {"refs": ["web", 4]}, "refs[1]"),
    ("Xml", {"ref": "x", "inactive": "yes"}, "inactive"),
    ("SuggestSubnet", {"prefix": True}, "prefix"),
    ("SuggestSubnet", {"prefix": 24.5}, "prefix"),
    ("Plan", {"verb": "burn", "refs": []}, "verb"),
    ("Doctor", {"ref": "x", "patience": 10**400}, "patience"),
    ("Explain", {"query": {"network": "x"}}, "query.source"),
    ("Explain", {"query": {"network": "x", "source": "a", "target": "b", "by": 1}}, "query.by"),
    ("Join", {"session": ""}, "session"),
    ("org.varlink.service.GetInterfaceDescription", {"interface": 1}, "interface"),
]


def test_wrong_types_are_told_by_their_place(healthy: Raw) -> None:
    for method, parameters, where in WRONG:
        reply = healthy.call(method, parameters)
        assert reply["error"] == INVALID, (method, parameters)
        assert reply["parameters"]["parameter"] == where, (method, parameters)
        assert reply["parameters"]["message"]


def test_a_number_without_bound_is_none(healthy: Raw) -> None:
    call = b'{"method":"io.vnet.Manager.Doctor","parameters":{"ref":"x","patience":1e999}}'
    healthy.send(call + b"\0")
    assert healthy.reply()["parameters"]["parameter"] == "patience"


def test_what_isnt_there_is_told_by_its_name(healthy: Raw) -> None:
    for name, error in (
        (f"{MANAGER}.Nonsense", "MethodNotFound"),
        (f"{MANAGER}.close", "MethodNotFound"),
        (f"{MANAGER}.__init__", "MethodNotFound"),
        ("org.varlink.service.Nonsense", "MethodNotFound"),
        ("org.example.Other.Method", "InterfaceNotFound"),
    ):
        assert healthy.call(name)["error"] == f"org.varlink.service.{error}"
    assert healthy.call("Samples")["error"] == "org.varlink.service.ExpectedMore"
    assert healthy.call("Networks", upgrade=True)["error"] == INVALID


def test_calls_without_waiting_for_answers_are_answered_in_order(healthy: Raw) -> None:
    names = [f"n{number}" for number in range(200)]
    for name in names:
        healthy.ask("Network", {"ref": name})
    for name in names:
        assert healthy.reply()["parameters"]["message"].endswith(f" '{name}'")


def test_a_oneway_call_has_no_answer(healthy: Raw) -> None:
    healthy.ask("Network", {"ref": "x"}, oneway=True)
    assert "result" in healthy.call("Host")["parameters"]


def test_who_half_closes_still_gets_his_answer(healthy: Raw, daemon: Daemon) -> None:
    with Raw(daemon.paths.socket) as client:
        client.ask("Host")
        client.socket.shutdown(socket.SHUT_WR)
        assert client.reply()["parameters"]["result"]["via"] == "daemon"
        assert client.is_cut()


NO_MESSAGES = (
    b"",
    b"nonsense",
    b"[]",
    b"42",
    b"\xff\xfe\x00",
    b'{"method": NaN}',
    b"[" * 100_000,
    b'{"a":' * 100_000,
    b'{"method": "\xc3"}',
)


def test_what_is_no_message_cuts_the_connection(healthy: Raw, daemon: Daemon) -> None:
    for message in NO_MESSAGES:
        with Raw(daemon.paths.socket) as client:
            client.send(message + b"\0")
            assert client.is_cut(), message[:12]


def test_a_message_without_end_is_cut_and_takes_no_memory(healthy: Raw, daemon: Daemon) -> None:
    before = daemon.memory
    for _ in range(3):
        with Raw(daemon.paths.socket) as client, contextlib.suppress(OSError):
            for _ in range(64):
                client.send(b"x" * (1 << 20))
    with Raw(daemon.paths.socket) as client:
        client.send(b'{"method": "')  # half a message, and gone
    assert healthy.call("Host")["parameters"]
    assert daemon.memory - before < 48 * 1024


def test_many_long_messages_that_never_end_are_bounded_together(
    healthy: Raw, daemon: Daemon
) -> None:
    before = daemon.memory
    with contextlib.ExitStack() as stack:
        clients = [stack.enter_context(Raw(daemon.paths.socket)) for _ in range(40)]
        for client in clients:
            with contextlib.suppress(OSError):
                client.send(b"x" * (4 << 20))
        assert healthy.call("Host")["parameters"]
        assert daemon.memory - before < 160 * 1024
    assert healthy.call("Host")["parameters"]


CALLS = ("Network", "Xml", "Validate", "Define", "Start", "Plan", "Explain", "Join", "Host")
JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(["ref", "refs", "xml", "verb", "query"]) | st.text(max_size=8),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


def test_random_calls_and_bytes(healthy: Raw, daemon: Daemon) -> None:
    @settings(
        max_examples=250,
        deadline=None,
        derandomize=True,
        suppress_health_check=[HealthCheck.too_slow],
    )
    @given(st.sampled_from(CALLS), JSON, JSON, st.binary(max_size=200))
    def attempt(method: str, parameters: object, flag: object, noise: bytes) -> None:
        with Raw(daemon.paths.socket) as client:
            message = {"method": f"{MANAGER}.{method}", "parameters": parameters, "more": flag}
            client.send(json.dumps(message).encode() + b"\0")
            reply = client.reply()
            assert "error" in reply or "parameters" in reply
            client.send(noise)
            client.socket.shutdown(socket.SHUT_WR)
            with contextlib.suppress(EOFError, TimeoutError):
                while True:
                    client.reply()

    attempt()
    assert "inside the daemon" not in daemon.said


def test_a_good_conversation_with_bytes_changed_at_random(healthy: Raw, daemon: Daemon) -> None:
    chance = random.Random(4)  # noqa: S311
    good = b"".join(
        json.dumps({"method": f"{MANAGER}.{name}", "parameters": parameters}).encode() + b"\0"
        for name, parameters in (
            ("Host", {}),
            ("Validate", {"xml": document("web")}),
            ("Networks", {}),
            ("Plan", {"verb": "start", "refs": ["web"]}),
        )
    )
    for _ in range(200):
        bad = bytearray(good)
        for _ in range(chance.randint(1, 8)):
            bad[chance.randrange(len(bad))] = chance.randrange(256)
        with Raw(daemon.paths.socket) as client, contextlib.suppress(OSError, EOFError):
            client.send(bytes(bad[: chance.randint(1, len(bad))]))
            client.socket.shutdown(socket.SHUT_WR)
            while True:
                client.reply()
    assert "inside the daemon" not in daemon.said


def test_ten_thousand_connections(healthy: Raw, daemon: Daemon) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    before = daemon.memory
    slowest = 0.0
    try:
        with contextlib.ExitStack() as stack:
            for number in range(10_000):
                client = stack.enter_context(Raw(daemon.paths.socket))
                if number % 500 == 0:
                    began = time.monotonic()
                    assert healthy.call("Networks")
                    slowest = max(slowest, time.monotonic() - began)
            told = client.reply()  # the last one was told why it wasn't let in
            assert told["error"] == f"{MANAGER}.BusyError"
            assert "connections" in told["parameters"]["message"]
            assert daemon.memory - before < 64 * 1024
        assert slowest < 2.0
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))

    def let_in_again() -> bool:
        with Raw(daemon.paths.socket) as client:
            return "result" in client.call("Host").get("parameters", {})

    eventually(let_in_again)
