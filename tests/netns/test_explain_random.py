"""Any policies: explanations come to what the documents mean, which packets have proved."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import replace

from hypothesis import HealthCheck, Phase, given, settings, strategies as st

from tests.netns.test_firewall_property import forwardings, some_probes
from tests.support.firewall_lab import FirewallLab, address, find_guest, network
from tests.support.lab import Lab
from tests.support.networks import record
from tests.support.packets import Fate, Probe
from tests.support.reference import expected
from vnet_tui.engine.desired import DesiredNetwork, desired_network
from vnet_tui.engine.doctor.explain import Answer, Query, explain
from vnet_tui.engine.doctor.host import Host
from vnet_tui.engine.doctor.reading import read_tables
from vnet_tui.engine.doctor.subject import Subject
from vnet_tui.engine.drivers.foreign import read_foreign
from vnet_tui.engine.drivers.links import Links
from vnet_tui.engine.drivers.sysctl import Sysctl
from vnet_tui.engine.model import Network
from vnet_tui.engine.policy import network_rules


def question(probe: Probe, family: int) -> Query:
    """What somebody asks to whom a probe would tell the same."""
    who = "host" if probe.who == "host" else probe.source or address(probe.who, family)
    return Query(
        network="foo",
        source=who,
        target=probe.to,
        protocol=probe.protocol,
        port=probe.port or None,
        family=family,
    )


def running(networks: Mapping[str, Network], lab: Lab) -> list[DesiredNetwork]:
    """The networks as they run, their guests where the laboratory has them."""
    made = []
    for name, one in networks.items():
        assert one.uuid is not None
        rules = network_rules(one, one.uuid, f"vnet-{name}", find_guest)
        made.append(replace(desired_network(record(one), one, (), lab.paths), rules=rules))
    return made


async def test_explanations_come_to_what_documents_mean(lab: Lab) -> None:
    world = FirewallLab(lab)
    async with await Links.open() as links:
        host = Host(await links.snapshot())
    others, setting = read_tables(read_foreign()), Sysctl(lab.paths).read
    wrong: list[str] = []

    @settings(
        max_examples=60,
        phases=[Phase.generate],
        deadline=None,
        derandomize=True,
        suppress_health_check=[HealthCheck.too_slow],
    )
    @given(foo=forwardings("foo"), bar=forwardings("bar"), seed=st.integers(0, 2**32))
    def ask(foo: str, bar: str, seed: int) -> None:
        networks = {"foo": network("foo", foo), "bar": network("bar", bar)}
        own = running(networks, lab)
        subject = Subject(
            network=own[0],
            networks={one.record.uuid: one for one in own},
            host=host,
            others=others,
            setting=setting,
        )
        chance = random.Random(seed)  # noqa: S311  (to be the same every time)
        for family, probe in some_probes(chance, foo + bar):
            arrives = expected(networks, probe, family).fate in (Fate.PASS, Fate.REFUSED)
            found = explain(question(probe, family), subject, find_guest)
            if found.answer is not (Answer.YES if arrives else Answer.NO):
                wrong.append(f"{probe}: {found}\n{foo}\n{bar}")

    ask()
    await world.close()
    assert not wrong, "\n".join(wrong[:5])
