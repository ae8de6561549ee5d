"""The blocking API: a script for libvirt's networks, on a real engine."""

from __future__ import annotations

import gc
import threading
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import vnet_tui.virnet as libvirt
from tests.support.inventory import links
from tests.support.lab import Lab

FOO = (Path(__file__).parents[2] / "vnet_tui/examples/foo.xml").read_text()
UUID = "596a5d21-71f4-8fb2-e068-e2386a5c413e"
EMBEDDED = "vnet:///embedded"


@pytest.fixture
def conn(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> Iterator[libvirt.virConnect]:
    monkeypatch.setenv("VNET_STATE_DIR", str(lab.paths.state))
    monkeypatch.setenv("VNET_RUN_DIR", str(lab.paths.run))
    with libvirt.open(EMBEDDED) as made:
        yield made
        for net in made.listAllNetworks(libvirt.VIR_CONNECT_LIST_NETWORKS_ACTIVE):
            net.destroy()


def code(caught: pytest.ExceptionInfo[libvirt.libvirtError]) -> tuple[int | None, int | None]:
    return caught.value.get_error_code(), caught.value.get_error_domain()


def test_a_persistent_network_lives_as_with_libvirt(conn: libvirt.virConnect) -> None:
    net = conn.networkDefineXML(FOO)
    assert (net.name(), net.UUIDString(), net.UUID().hex()) == ("Foo", UUID, UUID.replace("-", ""))
    assert (net.isActive(), net.isPersistent(), net.autostart(), net.ID()) == (0, 1, 0, -1)
    assert (conn.numOfNetworks(), conn.listDefinedNetworks()) == (0, ["Foo"])
    with pytest.raises(libvirt.libvirtError, match="does not run") as caught:
        net.bridgeName()
    assert code(caught) == (libvirt.VIR_ERR_OPERATION_INVALID, libvirt.VIR_FROM_NETWORK)

    assert net.create() == 0
    assert net.bridgeName() in links()
    assert (net.isActive(), net.ID(), conn.listNetworksID()) == (1, 1, [1])
    assert (conn.listNetworks(), conn.numOfDefinedNetworks()) == (["Foo"], 0)
    assert 'id="1"' in net.XMLDesc()
    assert "id=" not in net.XMLDesc(libvirt.VIR_NETWORK_XML_INACTIVE).splitlines()[0]
    with pytest.raises(libvirt.libvirtError, match="running already") as caught:
        net.create()
    assert code(caught) == (libvirt.VIR_ERR_OPERATION_INVALID, libvirt.VIR_FROM_NETWORK)

    assert net.setAutostart(1) == 0
    assert net.autostart() == 1
    assert net.undefine() == 0
    assert net.isPersistent() == 0
    assert net.destroy() == 0
    with pytest.raises(libvirt.libvirtError) as caught:
        net.isActive()
    assert code(caught) == (libvirt.VIR_ERR_NO_NETWORK, libvirt.VIR_FROM_NETWORK)


def test_a_network_is_found_by_name_id_and_uuid_only_as_what_was_asked(
    conn: libvirt.virConnect,
) -> None:
    net = conn.networkCreateXML(FOO)
    assert net.isPersistent() == 0
    for found in (
        conn.networkLookupByName("Foo"),
        conn.networkLookupByID(1),
        conn.networkLookupByUUID(net.UUID()),
        conn.networkLookupByUUIDString(UUID.replace("-", "")),
    ):
        assert found.UUIDString() == UUID
    for wrong in ("1", UUID, "foo"):
        with pytest.raises(libvirt.libvirtError, match="Network not found") as caught:
            conn.networkLookupByName(wrong)
        assert code(caught) == (libvirt.VIR_ERR_NO_NETWORK, libvirt.VIR_FROM_NETWORK)
    with pytest.raises(libvirt.libvirtError) as caught:
        conn.networkLookupByUUIDString("12")
    assert caught.value.get_error_code() == libvirt.VIR_ERR_INVALID_ARG
    with pytest.raises(libvirt.libvirtError) as caught:
        conn.networkLookupByUUID(b"12")
    assert caught.value.get_error_code() == libvirt.VIR_ERR_INVALID_ARG


def test_flags_choose_what_is_listed(conn: libvirt.virConnect) -> None:
    conn.networkDefineXML(FOO).setAutostart(1)
    other = "<network><name>bar</name></network>"
    conn.networkCreateXMLFlags(other, libvirt.VIR_NETWORK_CREATE_VALIDATE)

    def names(flags: int = 0) -> list[str]:
        return [net.name() for net in conn.listAllNetworks(flags)]

    assert names() == ["bar", "Foo"]
    assert names(libvirt.VIR_CONNECT_LIST_NETWORKS_ACTIVE) == ["bar"]
    assert names(libvirt.VIR_CONNECT_LIST_NETWORKS_INACTIVE) == ["Foo"]
    assert names(libvirt.VIR_CONNECT_LIST_NETWORKS_PERSISTENT) == ["Foo"]
    assert names(libvirt.VIR_CONNECT_LIST_NETWORKS_TRANSIENT) == ["bar"]
    assert names(libvirt.VIR_CONNECT_LIST_NETWORKS_AUTOSTART) == ["Foo"]
    assert names(libvirt.VIR_CONNECT_LIST_NETWORKS_NO_AUTOSTART) == ["bar"]
    assert names(1 | 2) == ["bar", "Foo"]
    assert names(1 | 8) == []
    with pytest.raises(libvirt.libvirtError, match="unsupported flags"):
        conn.networkDefineXMLFlags(FOO, 4)


def test_a_broken_document_is_an_xml_error_with_its_line(conn: libvirt.virConnect) -> None:
    heard: list[tuple[Any, Any]] = []
    libvirt.registerErrorHandler(lambda context, error: heard.append((context, error)), "mine")
    try:
        with pytest.raises(libvirt.libvirtError) as caught:
            conn.networkDefineXML("<network>\n<name>a</name>\n<dhpc/>\n</network>")
    finally:
        libvirt.registerErrorHandler(None, None)
    assert code(caught) == (libvirt.VIR_ERR_XML_ERROR, libvirt.VIR_FROM_NETWORK)
    assert caught.value.get_int1() == 3
    assert "dhcp" in str(caught.value)
    assert heard == [("mine", caught.value.err)]


def test_a_connection_for_reading_changes_nothing(conn: libvirt.virConnect) -> None:
    net = conn.networkDefineXML(FOO)
    with libvirt.openReadOnly(EMBEDDED) as reading:
        seen = reading.networkLookupByName("Foo")
        assert seen.XMLDesc() == net.XMLDesc()
        for change in (seen.create, seen.undefine, lambda: reading.networkDefineXML(FOO)):
            with pytest.raises(libvirt.libvirtError) as caught:
                change()
            assert caught.value.get_error_code() == libvirt.VIR_ERR_OPERATION_DENIED
    assert reading.isAlive() == 0
    with pytest.raises(libvirt.libvirtError) as caught:
        seen.isActive()
    assert caught.value.get_error_code() == libvirt.VIR_ERR_INVALID_CONN
    assert conn.isAlive() == 1


def test_leases_have_the_keys_of_libvirts(conn: libvirt.virConnect, lab: Lab) -> None:
    net = conn.networkDefineXML(FOO)
    net.create()
    lease = f"{int(time.time()) + 600} 52:54:00:00:00:01 10.0.0.130 web 01:52:54:00:00:00:01\n"
    lab.paths.lease_file(uuid.UUID(UUID)).write_text(lease)
    (found,) = net.DHCPLeases()
    assert found["ipaddr"] == "10.0.0.130"
    assert found["prefix"] == 24
    assert found["hostname"] == "web"
    assert found["iface"] == net.bridgeName()
    assert found["expirytime"] > time.time()
    assert net.DHCPLeases("52:54:00:00:00:01".upper()) == [found]
    assert net.DHCPLeases("52:54:00:00:00:02") == []


def test_lifecycle_events_are_called_in_the_thread_that_runs_the_loop(
    conn: libvirt.virConnect,
) -> None:
    with pytest.raises(libvirt.libvirtError, match="virEventRegisterDefaultImpl"):
        conn.networkEventRegisterAny(None, 0, print, None)
    libvirt.virEventRegisterDefaultImpl()
    net = conn.networkDefineXML(FOO)
    heard: list[tuple[str, int, Any, str]] = []

    def called(
        _: libvirt.virConnect, which: libvirt.virNetwork, event: int, detail: int, opaque: Any
    ) -> None:
        assert detail == 0
        heard.append((which.name(), event, opaque, threading.current_thread().name))

    number = conn.networkEventRegisterAny(net, libvirt.VIR_NETWORK_EVENT_ID_LIFECYCLE, called, "x")
    assert conn.numOfNetworks() == 0  # by now it listens,
    gc.collect()  # and nobody but the connection itself holds that
    conn.networkDefineXML("<network><name>bar</name></network>")
    net.create()
    net.destroy()

    until = time.monotonic() + 10
    while len(heard) < 2 and time.monotonic() < until:
        libvirt.virEventRunDefaultImpl()
    me = threading.current_thread().name
    assert heard == [
        ("Foo", libvirt.VIR_NETWORK_EVENT_STARTED, "x", me),
        ("Foo", libvirt.VIR_NETWORK_EVENT_STOPPED, "x", me),
    ]
    conn.networkEventDeregisterAny(number)
    with pytest.raises(libvirt.libvirtError, match="no callback"):
        conn.networkEventDeregisterAny(number)


def test_many_threads_use_one_connection(conn: libvirt.virConnect) -> None:
    net = conn.networkDefineXML(FOO)
    net.create()
    wrong: list[BaseException] = []

    def use() -> None:
        try:
            for _ in range(10):
                assert net.isActive() == 1
                assert conn.networkLookupByName("Foo").XMLDesc() == net.XMLDesc()
        except BaseException as error:  # told in the main thread
            wrong.append(error)

    threads = [threading.Thread(target=use) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


@pytest.mark.parametrize(
    ("uri", "meant"),
    [
        ("qemu:///system", "vnet:///system"),
        ("lxc:///", "vnet:///system"),
    ],
)
def test_a_hypervisors_uri_means_this_host(conn: libvirt.virConnect, uri: str, meant: str) -> None:
    with libvirt.open(uri) as other:
        assert other.getURI() == meant
        assert other.getType() == "VNET"
        assert other.numOfDefinedNetworks() == conn.numOfDefinedNetworks()


def test_a_uri_that_names_nothing_is_told() -> None:
    with pytest.raises(libvirt.libvirtError, match="names no manager"):
        libvirt.open("nowhere:///")
    with pytest.raises(libvirt.libvirtError, match=r"vnet\+ssh://far/system"):
        libvirt.open("qemu://far/system")


HOST = '<host mac="52:54:00:99:00:10" name="printer" address="10.0.0.10"/>'


def test_single_elements_are_updated_in_what_runs_and_in_what_is_defined(
    conn: libvirt.virConnect,
) -> None:
    net = conn.networkDefineXML(FOO)
    net.create()
    host = libvirt.VIR_NETWORK_SECTION_IP_DHCP_HOST
    add, delete = (
        libvirt.VIR_NETWORK_UPDATE_COMMAND_ADD_LAST,
        libvirt.VIR_NETWORK_UPDATE_COMMAND_DELETE,
    )
    live, config = (
        libvirt.VIR_NETWORK_UPDATE_AFFECT_LIVE,
        libvirt.VIR_NETWORK_UPDATE_AFFECT_CONFIG,
    )

    def there() -> tuple[bool, bool]:
        inactive = libvirt.VIR_NETWORK_XML_INACTIVE
        return HOST in net.XMLDesc(), HOST in net.XMLDesc(inactive)

    assert net.update(add, host, -1, HOST) == 0
    assert there() == (True, False)
    assert net.update(add, host, 0, HOST, config) == 0
    assert there() == (True, True)
    assert net.update(delete, host, 0, '<host name="printer"/>', live | config) == 0
    assert there() == (False, False)
    with pytest.raises(libvirt.libvirtError, match="has no <host> like that") as caught:
        net.update(delete, host, -1, HOST)
    assert code(caught) == (libvirt.VIR_ERR_OPERATION_INVALID, libvirt.VIR_FROM_NETWORK)
    with pytest.raises(libvirt.libvirtError, match="no section portgroup"):
        net.update(add, libvirt.VIR_NETWORK_SECTION_PORTGROUP, -1, "<portgroup/>")
    with pytest.raises(libvirt.libvirtError) as caught:
        net.update(9, host, -1, HOST)
    assert code(caught) == (libvirt.VIR_ERR_INVALID_ARG, libvirt.VIR_FROM_NETWORK)
