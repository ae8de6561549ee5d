"""Where in the form a problem is to be mended."""

from __future__ import annotations

import pytest

from vnet_tui.drafts.guide_steps import GuideStep, steps_of
from vnet_tui.engine.errors import Problem
from vnet_tui.engine.xml import examine, parse

DOCUMENT = """<network>
  <name>lab</name>
  <bridge name="br0"/>
  <dns domain="lab.test">
    <host name="gate" address="10.0.0.1"/>
  </dns>
  <dhcp>
    <ip address="10.0.0.1" prefix="24" start="10.0.0.128" end="10.0.0.254"/>
    <host name="web" address="10.0.0.5"/>
  </dhcp>
  <forwarding>
    <incoming>
      <allow port="80" domain="web"/>
    </incoming>
  </forwarding>
</network>
"""


@pytest.mark.parametrize(
    ("line", "steps"),
    [
        (1, {GuideStep.NAME}),
        (2, {GuideStep.NAME}),
        (3, {GuideStep.NAME}),
        (5, {GuideStep.DHCP}),
        (7, {GuideStep.DHCP}),
        (8, {GuideStep.ADDRESSES, GuideStep.DHCP}),
        (9, {GuideStep.DHCP}),
        (11, {GuideStep.FORWARDING}),
        (13, {GuideStep.FORWARDING}),
        (0, {GuideStep.REVIEW}),
    ],
)
def test_a_line_belongs_to_the_step_that_asks_for_what_is_there(
    line: int, steps: set[GuideStep]
) -> None:
    assert steps_of(parse(DOCUMENT), Problem(message="wrong", line=line)) == steps


def test_what_cant_be_read_is_told_at_the_review() -> None:
    network, problems = examine(DOCUMENT.replace("</dhcp>", "</dcp>"))
    assert network is None
    assert {steps_of(network, one) for one in problems} == {frozenset({GuideStep.REVIEW})}
