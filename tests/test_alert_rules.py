"""Alert rules: how they are written, when they raise, what part of the picture they look at."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from device_fixtures import frame, result
from edge_seg.alerts import Alarm, AlertEvent, Origin, Rule, parse_rule, parse_rules
from edge_seg.alerts.grammar import parse_region
from edge_seg.alerts.region import Region, region_mask
from edge_seg.alerts.rule import COMPARISONS, LONGEST_S, check_rules
from edge_seg.alerts.shares import RegionCounter, shares
from edge_seg.alerts.slugs import slug, slugs
from edge_seg.alerts.watch import Watch
from edge_seg.classes import make_classes
from edge_seg.errors import AlertError
from edge_seg.images import ClassMap
from edge_seg.segmenter import Segmentation

LEFT = Region(((0.0, 0.0), (0.5, 0.0), (0.5, 1.0), (0.0, 1.0)), "left")


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("fire > 2%", Rule("fire", ">", 0.02)),
        ("fire>2%for 3s", None),
        ("fire > 2% for 3s", Rule("fire", ">", 0.02, for_s=3)),
        ("fire>=.5 for 500ms", Rule("fire", ">=", 0.5, for_s=0.5)),
        ("fire > 2 % for 3 s", Rule("fire", ">", 0.02, for_s=3)),
        (
            "dry pond: deep water < 30% for 10m hysteresis 0.5% cooldown 1h in left",
            Rule("deep water", "<", 0.3, 600, 0.005, 3600, LEFT, "dry pond"),
        ),
        ("x <= 0 in (0,0 50%,0 0.5,1 0,100%)", Rule("x", "<=", 0.0, region=replace(LEFT, name=None))),
        (r'"a: \"b\"" : "> 2%" > 2%', Rule("> 2%", ">", 0.02, name='a: "b"')),
        ("'feu de forêt' > 1%", Rule("feu de forêt", ">", 0.01)),
    ],
)
def test_a_rule_is_read(text: str, rule: Rule | None) -> None:
    if rule is None:
        with pytest.raises(AlertError, match="2%for"):
            parse_rule(text)
        return
    parsed = parse_rule(text, {"left": LEFT})
    assert parsed == rule
    assert parse_rule(str(parsed), {"left": LEFT}) == parsed


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "a comparison is missing"),
        ("fire", "a comparison is missing"),
        ("> 2%", "a class is missing"),
        (": fire > 2%", "a name before ':' is missing"),
        ("fire > lots", "after '>' a share such as 2% or 0.02 is expected, not 'lots'"),
        ("fire > 2", "at most 100% or 1, not '2'"),
        ("fire > -2%", "not '-2%'"),
        ("fire > 2% for", "after 'for' a duration .* but it ends there"),
        ("fire > 2% for 3", "a duration .* not '3'"),
        ("fire > 2% for 3d", "not '3d'"),
        ("fire > 2% cooldown 9999h", "at most 8784h, not '9999h'"),
        ("fire > 2% for 3s for 4s", "'for' may stand once only"),
        ("fire > 2% when it burns", "for, hysteresis, cooldown or in is expected, not 'when'"),
        ("fire > 2% in kitchen", "no region 'kitchen': those given are left; .*--region"),
        ("fire > 2% in (0,0 1,1)", "three points or more, this one 2"),
        ("fire > 2% in (0 0 1,1)", "a ',' is expected between x and y, not '0'"),
        ("fire > 2% in (0,0 1,1 1,0", r"a '\)' is expected .* but it ends there"),
        ("fire > 2% in (0,0 640,0 1,0)", "at most 100% or 1, not '640'"),
        ("fire > 100%", "never holds"),
        ("fire <= 1", "always holds"),
        ("fire > 2% hysteresis 3%", "can never be cleared.*at most 2%"),
        ("fire < 90% hysteresis 20%", "can never be cleared.*at most 10%"),
        ("a 'b' > 2%", "a class is a few words, or anything in quotes"),
        ("\udcff: fire > 2%", "no UTF-8"),
    ],
)
def test_what_is_no_rule_is_pointed_at(text: str, says: str) -> None:
    with pytest.raises(AlertError, match=says) as caught:
        parse_rule(text, {"left": LEFT})
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("text", ["", "left", "=0,0 1,0 1,1", "left=0,0 1,0", "left=0,0 1,0 1,1 x", "left=0,0 1,0 2,1"])
def test_what_is_no_region_is_told_with_the_right_form(text: str) -> None:
    with pytest.raises(AlertError, match=r"write it as in {2}pond=0\.1,0\.5"):
        parse_region(text)


def test_a_region_of_other_bytes_than_utf_8() -> None:
    with pytest.raises(AlertError, match="no UTF-8"):
        parse_region("\udcff=0,0 1,0 1,1")


def test_two_regions_of_one_name_are_refused() -> None:
    with pytest.raises(AlertError, match="two regions go by the name 'a'"):
        parse_rules([], ["a=0,0 1,0 1,1", "a=0,0 1,0 0,1"])


share_values = st.floats(0, 1)
names = st.text(min_size=1).filter(lambda text: bool(text.strip()))
durations = st.floats(0, LONGEST_S)
polygons = st.lists(st.tuples(share_values, share_values), min_size=3, max_size=6).map(
    lambda points: Region(tuple(points))
)


@given(
    class_name=names,
    comparison=st.sampled_from(sorted(COMPARISONS)),
    threshold=st.floats(0.1, 0.9),
    for_s=durations,
    hysteresis=st.floats(0, 0.09),
    cooldown_s=durations,
    region=st.none() | polygons,
    name=st.just("") | names,
)
def test_a_rule_as_text_reads_back_as_the_same_rule(**fields) -> None:
    rule = Rule(**fields)
    assert parse_rule(str(rule)) == rule


@given(st.text() | st.text(alphabet=list("fire> <=2%.s(),:'\"\\0for in")))
def test_any_text_is_a_rule_or_one_sentence(text: str) -> None:
    try:
        rule = parse_rule(text)
    except AlertError as error:
        sentence = str(error)
    else:
        sentence = str(rule)
        assert parse_rule(sentence) == rule
    assert sentence.isprintable() or not text.isprintable()


def test_a_class_the_model_has_not_is_told_with_those_it_has() -> None:
    with pytest.raises(AlertError, match="no class 'fire'; its classes are red, blue"):
        check_rules([parse_rule("fire > 2%")], ["red", "blue"])


def test_two_alerts_of_one_name_are_refused() -> None:
    with pytest.raises(AlertError, match="two alerts go by the name 'red above 2%'"):
        check_rules([parse_rule("red > 2%"), parse_rule("red > 2% for 3s")], ["red"])


def every_second(*percents: float) -> list[tuple[float, float]]:
    return [(100.0 + second, percent / 100) for second, percent in enumerate(percents)]


@pytest.mark.parametrize(
    ("rule", "observations", "changes"),
    [
        ("x > 2%", every_second(1, 3, 3, 1), {101: "raised", 103: "cleared"}),
        ("x > 2%", every_second(2, 2), {}),
        ("x >= 2%", every_second(1, 2, 1), {101: "raised", 102: "cleared"}),
        ("x < 2%", every_second(3, 1, 3), {101: "raised", 102: "cleared"}),
        ("x > 2% for 3s", every_second(3, 3, 3, 3, 3), {103: "raised"}),
        ("x > 2% for 3s", every_second(3, 3, 1, 3, 3, 3), {}),
        ("x > 2% for 3s", every_second(3, 3, 1, 3, 3, 3, 3), {106: "raised"}),
        ("x > 2% hysteresis 0.5%", every_second(3, 1.8, 1.6, 1.4, 1.8), {100: "raised", 103: "cleared"}),
        ("x < 2% hysteresis 0.5%", every_second(1, 2.2, 2.4, 2.6, 2.2), {100: "raised", 103: "cleared"}),
        ("x > 2% hysteresis 2%", every_second(3, 0.1, 0), {100: "raised", 102: "cleared"}),
        ("x > 2% cooldown 3s", every_second(3, 1, 3, 1, 3, 3), {100: "raised", 101: "cleared", 104: "raised"}),
        (
            "x > 2% for 2s cooldown 2s",
            every_second(3, 3, 3, 1, 3, 3, 3),
            {102: "raised", 103: "cleared", 106: "raised"},
        ),
        # Nothing is seen from 101 to 200: two seconds of it count.
        ("x > 2% for 5s", [(100, 1), (101, 1), (200, 1), (201, 1), (202, 1)], {202: "raised"}),
        ("x > 2% for 3s", [(100, 1), (200, 1)], {}),
        ("x > 2%", [(100, 1), (5000, 1), (5001, 0)], {100: "raised", 5001: "cleared"}),
        ("x > 2% for 2s", [(100, 1), (90, 1), (91, 1), (92, 1)], {92: "raised"}),
    ],
)
def test_when_an_alert_is_raised_and_cleared(
    rule: str, observations: list[tuple[float, float]], changes: dict[float, str]
) -> None:
    watch = Watch(parse_rule(rule))
    seen = {time_s: watch.observe(time_s, share) for time_s, share in observations}
    assert {time_s: change for time_s, change in seen.items() if change} == changes


def test_the_states_of_an_alert() -> None:
    watch = Watch(parse_rule("x > 2% for 1s cooldown 2s"))
    states = [watch.state]
    for time_s, share in every_second(3, 3, 1, 3, 3, 1, 1, 1):
        watch.observe(time_s, share)
        states.append(watch.state)
    assert states == ["idle", "pending", "active", "cooldown", "cooldown", "active", "cooldown", "cooldown", "idle"]


@pytest.mark.parametrize(("height", "width"), [(480, 640), (96, 96), (1, 1), (1080, 1920)])
def test_a_region_keeps_its_share_of_any_picture(height: int, width: int) -> None:
    mask = region_mask(LEFT, height, width)
    assert set(np.unique(mask)) <= {0, 255}
    assert (mask > 0).mean() == pytest.approx(0.5, abs=2 / width)


def test_a_region_smaller_than_a_pixel_has_one() -> None:
    mask = region_mask(Region(((0.5, 0.5), (0.5, 0.5), (0.5, 0.5))), 48, 64)
    assert np.count_nonzero(mask) >= 1


def segmentation_of(class_map: ClassMap) -> Segmentation:
    return Segmentation(class_map, make_classes(("background", "fire", "smoke")), 0, 0, 0)


def test_shares_are_those_of_the_region() -> None:
    class_map = np.zeros((100, 200), np.uint8)
    class_map[:, :50] = 1
    rules = parse_rules(
        [
            "fire > 2%",
            "fire > 2% in left",
            "fire > 2% in (.5,0 1,0 1,1 .5,1)",
            "smoke > 2% in left",
            "fire < 9% in left",
        ],
        ["left=0,0 .5,0 .5,1 0,1"],
    )
    counter = RegionCounter()
    assert shares(segmentation_of(class_map), rules, counter) == pytest.approx([0.25, 0.5, 0, 0, 0.5], abs=0.01)
    larger = class_map.repeat(2, axis=0).repeat(2, axis=1)
    assert shares(segmentation_of(larger), rules, counter) == pytest.approx([0.25, 0.5, 0, 0, 0.5], abs=0.01)


@given(polygons, st.integers(0, 2**32 - 1))
def test_the_quick_count_is_the_plain_count(region: Region, seed: int) -> None:
    class_map = np.random.default_rng(seed).integers(0, 3, (37, 53), np.uint8)
    inside = region_mask(region, 37, 53) > 0
    (found,) = shares(segmentation_of(class_map), [Rule("fire", ">", 0.5, region=region)], RegionCounter())
    assert found == pytest.approx((class_map[inside] == 1).mean())


def test_the_alarm_tells_of_every_change() -> None:
    events: list[AlertEvent] = []
    alarm = Alarm(
        parse_rules(["red > 40%", "late: blue > 40% for 1s"]),
        Origin("pi", "cam"),
        lambda event, _: events.append(event),
        clock=lambda frame: frame.captured_monotonic_s,
    )
    picture = np.zeros((32, 48, 3), np.uint8)
    picture[..., 0] = 255
    for index in range(30):
        item = replace(frame(index), captured_monotonic_s=index / 10)
        alarm.observe(result(item if index < 20 else replace(item, image=picture)))
    assert [(event.kind, event.alert, event.frame) for event in events] == [
        ("raised", "red above 40%", 0),
        ("raised", "late", 10),
        ("cleared", "late", 20),
    ]
    raised, cleared = events[1:]
    assert raised.incident == cleared.incident == raised.id != cleared.id
    assert (raised.device, raised.source, raised.share, raised.threshold) == ("pi", "cam", 0.5, 0.4)
    assert raised.time == pytest.approx(1_700_000_001)
    assert alarm.raised == {"red above 40%": 1, "late": 1}
    assert alarm.active == ("red above 40%",)
    assert [AlertEvent.from_json(event.to_json()) for event in events] == events


@pytest.mark.parametrize(
    ("text", "expected"), [("Fire above 2.5%", "fire_above_2_5"), ("Forêt", "foret"), ("../#+ $", None), ("火", None)]
)
def test_slugs_are_plain(text: str, expected: str | None) -> None:
    assert slug(text) == expected if expected else slug(text).isalnum()


def test_a_long_slug_is_cut_and_still_another() -> None:
    cut, other = slug("x" * 201), slug("x" * 202)
    assert len(cut) == len(other) == 200
    assert cut != other
    assert slug("x" * 200) == "x" * 200


def test_slugs_differ() -> None:
    assert list(slugs(["a b", "a-b", "a_b"]).values()) == ["a_b", "a_b_2", "a_b_3"]
