"""The live page in a real browser: Debian's Chromium, headless, driven by Playwright."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from alert_events import alert_event
from live_camera import CLASSES, Camera, camera, wait_until

playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
CHROMIUM = Path("/usr/bin/chromium")
DESKTOP, PHONE = {"width": 1280, "height": 900}, {"width": 360, "height": 740}
RED, BLUE = CLASSES[0].rgb, CLASSES[1].rgb

if not CHROMIUM.exists():
    pytest.skip(f"{CHROMIUM} is absent (apt install chromium)", allow_module_level=True)

# The picture as a browser shows it, at a fraction of its width and height.
PIXEL = """([x, y]) => {
  const image = document.getElementById("stream"), canvas = document.createElement("canvas");
  canvas.width = image.naturalWidth; canvas.height = image.naturalHeight;
  const pen = canvas.getContext("2d");
  pen.drawImage(image, 0, 0);
  return [...pen.getImageData(canvas.width * x, canvas.height * y, 1, 1).data].slice(0, 3);
}"""
GRAB = """() => {
  const image = document.getElementById("stream"), canvas = document.createElement("canvas");
  canvas.width = 40; canvas.height = 30;
  canvas.getContext("2d").drawImage(image, 0, 0, 40, 30);
  return canvas.toDataURL();
}"""
PLOTTED = """([red, green, blue]) => {
  const plot = document.getElementById("plot"), canvas = document.createElement("canvas");
  canvas.width = plot.width; canvas.height = plot.height;
  const pen = canvas.getContext("2d", { willReadFrequently: true });
  pen.drawImage(plot, 0, 0);
  const { data } = pen.getImageData(0, 0, canvas.width, canvas.height);
  let count = 0;
  const far = i => Math.abs(data[i] - red) + Math.abs(data[i + 1] - green) + Math.abs(data[i + 2] - blue);
  for (let i = 0; i < data.length; i += 4) count += far(i) < 30 && data[i + 3] > 200;
  return count;
}"""


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with playwright.sync_playwright() as started:
        browser = started.chromium.launch(executable_path=str(CHROMIUM), args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def open_page(browser: Any) -> Iterator[Callable[..., Any]]:
    """Open pages that must not say anything on the console, such as a violation of the content policy."""
    said: list[str] = []
    with ExitStack() as contexts:

        def open_page(url: str, **settings: Any) -> Any:
            context = contexts.enter_context(browser.new_context(**{"viewport": DESKTOP, **settings}))
            page = context.new_page()
            page.on("console", lambda message: said.append(message.text))
            page.on("pageerror", lambda error: said.append(str(error)))
            page.goto(url, wait_until="domcontentloaded")
            return page

        yield open_page
    unexpected = [line for line in said if "ERR_CONNECTION_REFUSED" not in line and "ERR_INCOMPLETE" not in line]
    assert unexpected == []


@pytest.fixture(scope="module")
def running() -> Iterator[Camera]:
    with camera(rate=20.0) as running:
        yield running


@pytest.fixture
def live(running: Camera, open_page: Callable[..., Any]) -> Any:
    return seen(open_page(running.page.url))


def seen(page: Any) -> Any:
    page.wait_for_selector("#stream:visible")
    page.wait_for_selector("#classes input")
    return page


def close_to(pixel: list[int], colour: tuple[int, ...]) -> bool:
    return all(abs(a - b) < 45 for a, b in zip(pixel, colour, strict=True))


def until_pixel(page: Any, x: float, colour: tuple[int, ...]) -> None:
    wait_until(lambda: page.wait_for_timeout(50) is None and close_to(page.evaluate(PIXEL, [x, 0.5]), colour))


def test_the_picture_moves(live: Any) -> None:
    grabs = set()
    wait_until(lambda: live.wait_for_timeout(50) is None and grabs.add(live.evaluate(GRAB)) is None and len(grabs) > 3)


def test_the_numbers_and_shares_are_shown(live: Any) -> None:
    live.wait_for_function("parseFloat(document.getElementById('fps').textContent) > 1")
    assert live.text_content("#condition") == "Live"
    assert live.text_content("#temperature") == "62 °C"
    assert live.text_content("#throttling") == "under-voltage now"
    assert live.text_content("h1") == "gate"
    assert "160 × 120" in live.text_content("#subtitle")
    shares = [float(text.rstrip("%")) for text in live.locator("#classes .share").all_text_contents()]
    assert sum(shares) == pytest.approx(100, abs=1.1)


def test_view_opacity_and_classes_change_the_picture(live: Any) -> None:
    """At the left edge of the picture there is always red, at the right edge blue."""
    live.get_by_role("radio", name="Camera").check(force=True)
    until_pixel(live, 0.02, (255, 30, 0))
    assert live.get_by_role("slider", name="Opacity").is_disabled()
    live.get_by_role("radio", name="Mask").check(force=True)
    until_pixel(live, 0.02, RED)
    until_pixel(live, 0.98, BLUE)
    live.get_by_role("checkbox", name="red").uncheck()
    until_pixel(live, 0.02, (0, 0, 0))
    until_pixel(live, 0.98, BLUE)
    live.get_by_role("radio", name="Overlay").check(force=True)
    until_pixel(live, 0.02, (255, 30, 0))
    live.get_by_role("slider", name="Opacity").fill("1")
    until_pixel(live, 0.98, BLUE)
    assert live.text_content("#opacity-value") == "100%"
    live.get_by_role("slider", name="Opacity").fill("0")
    until_pixel(live, 0.98, (0, 30, 255))


def test_the_plot_draws_the_ticked_classes(live: Any) -> None:
    wait_until(lambda: live.wait_for_timeout(100) is None and live.evaluate(PLOTTED, list(RED)) > 20)
    assert live.evaluate(PLOTTED, list(BLUE)) > 20
    live.get_by_role("checkbox", name="blue").uncheck()
    wait_until(lambda: live.evaluate(PLOTTED, list(BLUE)) == 0)
    assert "red" in live.text_content("#plot-summary")
    live.locator("#plot").scroll_into_view_if_needed()
    box = live.locator("#plot").bounding_box()
    live.mouse.move(box["x"] + box["width"] - 15, box["y"] + 40)
    live.wait_for_selector("#tip:visible")
    assert "red  " in live.text_content("#tip")


def test_the_keyboard_reaches_and_moves_every_control(live: Any) -> None:
    reached = []
    for _ in range(9):
        live.keyboard.press("Tab")
        reached.append(
            live.evaluate(
                "document.activeElement.id || document.activeElement.value || document.activeElement.pathname"
            )
        )
        outlined = "e => getComputedStyle(e.matches('[name=view]') ? e.nextElementSibling : e).outlineStyle"
        assert live.evaluate(f"({outlined})(document.activeElement)") == "solid"
    assert reached == ["overlay", "pause", "snapshot", "fullscreen", "opacity", "0", "1", "/metrics", "/state.json"]
    live.locator("[value=overlay]").focus()
    live.keyboard.press("ArrowRight")
    assert live.get_by_role("radio", name="Camera").is_checked()
    live.locator("[value='0']").focus()
    live.keyboard.press("Space")
    assert not live.get_by_role("checkbox", name="red").is_checked()


def test_everything_has_a_name_for_a_screen_reader(running: Camera, live: Any) -> None:
    running.telemetry.alert(alert_event("red > 40%", "raised", 1_700_000_000.0, 0.4321))
    live.wait_for_selector("#alerts li")
    tree = live.locator("body").aria_snapshot()
    for expected in (
        'heading "gate" [level=1]', "status: Live", 'img "Live picture of the camera"', 'radio "Overlay" [checked]',
        'button "Pause"', 'link "Snapshot"', 'button "Full screen"', 'slider "Opacity"', 'checkbox "red" [checked]',
        'region "Shares over time"', 'img "Shares over time', 'heading "How it runs" [level=2]', "term: Frame rate",
        'log "Alerts', "red > 40%",
    ):  # fmt: skip
        assert expected in tree, tree
    assert live.get_attribute("#alerts", "aria-live") == "polite"
    assert live.evaluate("document.documentElement.lang") == "en"
    assert live.text_content("#alert-count") == "1 now"
    assert "43%" in live.text_content("#alerts li")
    running.telemetry.alert(alert_event("red > 40%", "cleared", 1_700_000_009.0, 0.1))
    live.wait_for_selector("#alerts .cleared")
    assert live.locator("#alert-count").is_hidden()


def test_a_phone_shows_it_without_scrolling_sideways_and_with_room_for_fingers(
    running: Camera, open_page: Callable[..., Any]
) -> None:
    page = seen(open_page(running.page.url, viewport=PHONE, has_touch=True, is_mobile=True, device_scale_factor=2))
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    for control in page.locator("button:visible, .button, .segments label, #opacity, #classes label").all():
        box = control.bounding_box()
        assert box["height"] >= 40
        assert box["width"] >= 44
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= PHONE["width"]
    assert page.evaluate("document.getElementById('stream').src").find("width=960") > 0


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_stands_out_by_wcag_aa(running: Camera, open_page: Callable[..., Any], scheme: str) -> None:
    page = seen(open_page(running.page.url, color_scheme=scheme, reduced_motion="reduce"))
    assert page.evaluate("getComputedStyle(document.getElementById('condition'), '::before').animationName") == "none"
    for selector in (
        "h1",
        ".hint",
        "#condition",
        "dt",
        "dd",
        "footer a",
        "#pause span",
        ".segments input:checked + span",
    ):
        assert contrast(*page.evaluate(COLOURS, selector)) >= 4.5, selector


COLOURS = """selector => {
  const element = document.querySelector(selector);
  let ground = element;
  while (getComputedStyle(ground).backgroundColor === "rgba(0, 0, 0, 0)") ground = ground.parentElement;
  const numbers = text => text.match(/[0-9.]+/g).slice(0, 3).map(Number);
  return [numbers(getComputedStyle(element).color), numbers(getComputedStyle(ground).backgroundColor)];
}"""


def contrast(one: list[float], other: list[float]) -> float:
    """https://www.w3.org/TR/WCAG22/#dfn-contrast-ratio"""
    dark, light = sorted((luminance(one), luminance(other)))
    return (light + 0.05) / (dark + 0.05)


def luminance(rgb: list[float]) -> float:
    linear = [v / 255 / 12.92 if v / 255 <= 0.04045 else ((v / 255 + 0.055) / 1.055) ** 2.4 for v in rgb]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def test_pausing_frees_the_camera_from_drawing_and_keeps_the_picture(running: Camera, live: Any) -> None:
    viewers = lambda: '"viewers":0' not in running.get("/state.json").text  # noqa: E731
    wait_until(viewers)
    live.get_by_role("button", name="Pause").click()
    live.wait_for_selector("#still:visible")
    assert live.locator("#stream").is_hidden()
    wait_until(lambda: live.wait_for_timeout(50) is None and not viewers())
    live.get_by_role("button", name="Resume").click()
    live.wait_for_selector("#stream:visible")
    wait_until(lambda: live.wait_for_timeout(50) is None and viewers())


def test_a_snapshot_is_downloaded_as_it_is_seen(live: Any, tmp_path: Path) -> None:
    live.get_by_role("radio", name="Mask").check(force=True)
    with live.expect_download() as started:
        live.get_by_role("link", name="Snapshot").click()
    assert started.value.suggested_filename.startswith("edge-seg-")
    assert "view=mask" in started.value.url
    started.value.save_as(tmp_path / "s.jpg")
    assert (tmp_path / "s.jpg").read_bytes().startswith(b"\xff\xd8")


def test_full_screen_shows_the_picture_alone(live: Any) -> None:
    live.get_by_role("button", name="Full screen").click()
    live.wait_for_function("document.fullscreenElement?.id === 'picture'")


def test_trouble_is_said_and_goes_away(running: Camera, live: Any) -> None:
    running.source.silent.set()
    live.wait_for_timeout(300)
    running.telemetry.trouble("gate: the camera is unplugged; trying again")
    live.wait_for_selector("#over:visible")
    assert live.text_content("#over") == "gate: the camera is unplugged; trying again"
    assert live.text_content("#condition") == "Trouble"
    running.source.silent.clear()
    live.wait_for_selector("#condition[data-condition=live]")
    assert live.locator("#over").is_hidden()


def test_the_page_says_that_the_camera_has_stopped_and_comes_back_by_itself(open_page: Callable[..., Any]) -> None:
    with camera() as first:
        port = first.port
        page = seen(open_page(first.page.url))
        page.get_by_role("checkbox", name="red").uncheck()
    page.wait_for_selector("#condition[data-condition=lost]")
    assert "has stopped" in page.text_content("#over")
    with camera(port=port):
        page.wait_for_selector("#condition[data-condition=live]")
        grabs = {page.evaluate(GRAB)}
        wait_until(lambda: page.wait_for_timeout(50) is None and (grabs.add(page.evaluate(GRAB)) or len(grabs) > 2))
        assert not page.get_by_role("checkbox", name="red").is_checked()


def test_the_card_to_log_in_is_in_the_middle(open_page: Callable[..., Any]) -> None:
    with camera(token="abc", rate=1.0) as closed:
        page = open_page(closed.page.url)
        for width in (390, 800, 1280, 1920):
            page.set_viewport_size({"width": width, "height": 800})
            box = page.locator("form.card").bounding_box()
            assert box["x"] + box["width"] / 2 == pytest.approx(width / 2, abs=1)
            assert box["y"] + box["height"] / 2 == pytest.approx(400, abs=1)
            assert box["width"] <= 352


def test_logging_in(open_page: Callable[..., Any]) -> None:
    with camera(token="correct-horse") as guarded:
        page = open_page(guarded.page.url)
        assert page.url.endswith("/login")
        assert "textbox" in page.locator("body").aria_snapshot()
        page.get_by_label("Token").fill("correct-horse")
        page.keyboard.press("Enter")
        seen(page)
        assert page.context.cookies()[0]["httpOnly"]
        by_link = seen(open_page(f"{guarded.page.url}?token=correct-horse"))
        assert by_link.url == guarded.page.url
