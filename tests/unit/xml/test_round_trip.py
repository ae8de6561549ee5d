"""Writing a network and reading it gives the same network, whatever is in it."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings

from tests.unit.xml.networks import networks
from vnet_tui.engine.errors import DocumentError, Severity
from vnet_tui.engine.model import Network
from vnet_tui.engine.xml import examine, parse, write
from vnet_tui.engine.xml.summary import Summary, summarize

EXAMPLES = sorted((Path(__file__).parents[3] / "vnet_tui/examples").glob("*.xml"))


@settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))
@given(networks())
def test_any_network_reads_back_as_it_was_written(network: Network) -> None:
    document = write(network)
    assert parse(document) == network
    assert summarize(document) == Summary.of(network)


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_the_examples_are_without_fault_and_read_back(path: Path) -> None:
    network, problems = examine(path.read_bytes())
    assert problems == ()
    assert network is not None
    assert parse(write(network)) == network


def test_the_examples_can_all_be_defined_together() -> None:
    known: list[Network] = []
    for path in EXAMPLES:
        network, problems = examine(path.read_bytes(), known)
        assert [problem for problem in problems if problem.severity is Severity.ERROR] == []
        assert network is not None
        known.append(network)


def test_the_form_that_is_written() -> None:
    document = """\
<?xml version="1.0"?>
<!-- before -->
<network id="7"> <!-- of the network -->
  <forwarding>
    <outgoing><deny port="25" enabled="no"/></outgoing>
    <incoming default='deny'>
      <!-- of the first rule -->
      <allow port="80" domain="web" established="true"/> <!-- of it, too -->
      <!-- after the last -->
    </incoming>
  </forwarding>
  <dhcp leasetime="3600">
    <host address="10.0.0.7" mac="52:54:00:AB:CD:EF"/>
    <ip prefix="24" address="10.0.0.1"><range start="10.0.0.8" end="10.0.0.9"/></ip>
    <ip prefix="64" address="fd00:0:0::1">
      <range start="fd00::8" end="fd00::9" leasetime="90m"><!-- inside --></range>
    </ip>
  </dhcp>
  <uuid>596A5D2171F48FB2E068E2386A5C413E</uuid> <!-- of the UUID -->
  <name>
    Fo<!-- in the name -->o
  </name>
  <connections/>
</network>
<!-- after -->
"""
    assert (
        write(parse(document), id=3)
        == """\
<!-- before -->
<!-- of the network -->
<network id="3">
  <!-- in the name -->
  <name>Foo</name>
  <!-- of the UUID -->
  <uuid>596a5d21-71f4-8fb2-e068-e2386a5c413e</uuid>
  <connections/>
  <dhcp enabled="true" leasetime="1h">
    <ip address="10.0.0.1" netmask="255.255.255.0" start="10.0.0.8" end="10.0.0.9"/>
    <ip address="fd00::1" prefix="64">
      <!-- inside -->
      <range start="fd00::8" end="fd00::9" leasetime="90m"/>
    </ip>
    <host mac="52:54:00:ab:cd:ef" address="10.0.0.7"/>
  </dhcp>
  <forwarding enabled="true">
    <incoming default="deny">
      <!-- of the first rule -->
      <!-- of it, too -->
      <allow port="80" domain="web"/>
      <!-- after the last -->
    </incoming>
    <outgoing>
      <deny port="25" enabled="false"/>
    </outgoing>
  </forwarding>
</network>
<!-- after -->
"""
    )


def test_metadata_is_kept_letter_by_letter_with_the_namespaces_it_uses() -> None:
    document = (
        '<network xmlns:a="urn:a" xmlns:unused="urn:u"><name>x</name>'
        "<metadata  ><a:b  c = '1'/>\n<a:d></a:d></metadata></network>"
    )
    network = parse(document)
    assert network.metadata == (
        "<metadata xmlns:a=\"urn:a\"  ><a:b  c = '1'/>\n<a:d></a:d></metadata>"
    )
    assert parse(write(network)) == network


def test_every_element_knows_the_line_in_which_its_tag_begins() -> None:
    network = parse(
        "<network>\n<name>x</name>\n<dhcp>\n<ip\naddress='10.0.0.1'\nprefix='24'>\n"
        "<range start='10.0.0.2' end='10.0.0.3'/></ip>\n</dhcp></network>"
    )
    [ip] = network.ips
    assert (network.line, ip.line, ip.ranges[0].line) == (1, 4, 7)
    assert network.scalar_lines == (("name", 2),)


@pytest.mark.parametrize(
    "network",
    [
        Network(name="a\x00b"),
        Network(name="a", title="\x9b31m"),
        Network(name="a", prologue=("a -- b",)),
        Network(name="a", trailing=("ends with -",)),
    ],
)
def test_what_xml_cannot_hold_is_refused_and_not_written(network: Network) -> None:
    with pytest.raises(DocumentError, match="can't be written as XML"):
        write(network)
