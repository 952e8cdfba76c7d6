"""Alerts: rules on what the camera sees, and the ways by which they tell of it.

    result ─▶ Alarm ─▶ AlertEvent ─▶ Dispatcher ─┬─▶ Courier ─▶ alerts.jsonl
              a Watch per rule       snapshot     ├─▶ Courier ─▶ MQTT broker
                                                  ├─▶ Courier ─▶ webhook
                                                  └─▶ Courier ─▶ command

The alarm runs on the pipeline's thread and only counts. Everything that may take time is behind it:
the dispatcher writes the snapshot and puts the event into the outbox of each courier, on the disk; a
courier carries the events of its outbox, in order, until the receiver has confirmed them. So an event
is delivered at least once, over outages and restarts; its id tells a second copy.
"""

from edge_seg.alerts.alarm import Alarm
from edge_seg.alerts.event import AlertEvent, Origin
from edge_seg.alerts.grammar import parse_rule, parse_rules
from edge_seg.alerts.rule import Rule

__all__ = ["Alarm", "AlertEvent", "Origin", "Rule", "parse_rule", "parse_rules"]
