// Ties the page together: server-sent events in, controls out.

import { dayAndClock, milliseconds, millisecondUnit, percent } from "./format.js";
import { Picture } from "./picture.js";
import { Plot } from "./plot.js";

const AGAIN_MS = 3000;
const WORDS = { starting: "Starting", live: "Live", stalled: "No picture", trouble: "Trouble", ended: "Ended", lost: "Not connected" };
const STOPPED = "The camera has stopped. This page connects again by itself.";

const at = (id) => document.getElementById(id);
const picture = new Picture(at("stream"), at("still"), at("picture"));
const plot = new Plot(at("plot"), at("tip"), at("plot-summary"));
let classes = [];
let opacityKnown = false;
let alertsShown = "";

// Controls

const value = (name) => document.querySelector(`input[name=${name}]:checked`).value;
const ticked = () => [...document.querySelectorAll("#classes input:checked")].map((box) => Number(box.value));

function choose() {
  const view = value("view");
  const query = { view };
  if (view === "overlay") query.opacity = at("opacity").value;
  if (view !== "raw" && classes.length) query.classes = ticked().join(",");
  at("opacity").disabled = view !== "overlay";
  at("opacity-value").textContent = percent(Number(at("opacity").value));
  plot.choose(ticked());
  picture.show(query);
  at("snapshot").href = picture.address("/snapshot.jpg");
}

at("controls").addEventListener("input", choose);
at("controls").addEventListener("submit", (event) => event.preventDefault());
at("classes").addEventListener("input", choose);
at("pause").addEventListener("click", () => {
  picture.pause(!picture.paused);
  at("pause").classList.toggle("is-paused", picture.paused);
  at("pause").querySelector("span").textContent = picture.paused ? "Resume" : "Pause";
});
at("fullscreen").hidden = !document.fullscreenEnabled;
at("fullscreen").addEventListener("click", () => at("picture").requestFullscreen());

// What the camera says

function begin(hello) {
  at("title").textContent = hello.title;
  document.title = `${hello.title} · edge-seg`;
  at("version").textContent = `edge-seg ${hello.version}`;
  if (JSON.stringify(classes) !== JSON.stringify(hello.classes)) {
    classes = hello.classes;
    at("classes").replaceChildren(...classes.map(classRow));
  }
  if (!opacityKnown) at("opacity").value = hello.opacity;
  opacityKnown = true;
  plot.begin(classes, hello.history);
  choose();
  picture.restart();
}

function classRow(item) {
  const row = document.createElement("li");
  const label = document.createElement(item.background ? "div" : "label");
  const swatch = make("span", "swatch");
  swatch.style.background = item.colour;
  if (item.background) label.className = "background";
  else label.append(tickBox(item));
  label.append(swatch, make("span", "name", item.name));
  const fill = document.createElement("i");
  fill.style.background = item.background ? "var(--soft)" : item.colour;
  const bar = make("div", "bar");
  bar.append(fill);
  row.append(label, make("span", "share", "–"), bar);
  row.dataset.name = item.name;
  return row;
}

function tickBox(item) {
  return Object.assign(document.createElement("input"), { type: "checkbox", value: item.id, checked: true });
}

function make(tag, className, text = "") {
  return Object.assign(document.createElement(tag), { className, textContent: text });
}

function modelName(model) {
  return model?.version ? `${model.name} version ${model.version}` : model?.name;
}

function show(state) {
  showCondition(state.source.condition, state.source.sentence);
  at("subtitle").textContent = [modelName(state.model), state.width ? `${state.width} × ${state.height}` : ""].filter(Boolean).join(" · ");
  if (state.width) at("picture").style.setProperty("--ratio", `${state.width} / ${state.height}`);
  showNumbers(state);
  showShares(state.shares);
  if (state.source.condition === "live" && state.frames) plot.add(state.time, state.shares);
  showAlerts(state);
}

function showCondition(condition, sentence) {
  at("condition").dataset.condition = condition;
  if (at("condition").textContent !== WORDS[condition]) at("condition").textContent = WORDS[condition];
  at("over").hidden = !sentence;
  at("over").textContent = condition === "ended" ? STOPPED : sentence;
}

function showNumbers(state) {
  const frameMs = state.preprocess_ms + state.invoke_ms + state.postprocess_ms;
  number("fps", state.fps.toFixed(1), "per s");
  number("age", milliseconds(state.age_ms), millisecondUnit(state.age_ms));
  number("latency", milliseconds(frameMs), millisecondUnit(frameMs));
  number("dropped", state.dropped.toLocaleString(), `of ${(state.frames + state.dropped).toLocaleString()}`);
  const { temperature_c: temperature, throttling } = state.board;
  number("temperature", temperature === null ? "–" : temperature.toFixed(0), temperature === null ? "not told" : "°C");
  number("viewers", state.viewers, "");
  at("throttling").textContent = throttling === null ? "not told by this board" : throttling.join(", ") || "none";
  at("throttling").classList.toggle("warn", Boolean(throttling?.length));
}

function number(id, text, unit) {
  at(id).replaceChildren(`${text} `, make("small", "", unit));
}

function showShares(shares) {
  for (const row of at("classes").children) {
    const share = shares[row.dataset.name] ?? 0;
    row.querySelector(".share").textContent = percent(share);
    row.querySelector(".bar i").style.width = `${share * 100}%`;
  }
}

function showAlerts({ active_alerts: active, recent_alerts: recent }) {
  const told = JSON.stringify(recent);
  if (told === alertsShown) return;
  alertsShown = told;
  at("alerts").replaceChildren(...recent.map(alertRow));
  at("no-alerts").hidden = recent.length > 0;
  at("alert-count").hidden = active.length === 0;
  at("alert-count").textContent = `${active.length} now`;
}

function alertRow(alert) {
  const row = document.createElement("li");
  row.append(
    make("span", `badge ${alert.state}`, alert.state),
    make("span", "rule", alert.rule),
    make("span", "when", `${dayAndClock(alert.time)} · ${percent(alert.value)}`),
  );
  return row;
}

// The connection

function connect() {
  const source = new EventSource("/events");
  source.addEventListener("hello", (event) => begin(JSON.parse(event.data)));
  source.addEventListener("state", (event) => show(JSON.parse(event.data)));
  source.addEventListener("error", () => {
    showCondition("lost", STOPPED);
    if (source.readyState === EventSource.CLOSED) setTimeout(reconnect, AGAIN_MS);
  });
}

async function reconnect() {
  const answer = await fetch("/state.json").catch(() => null);
  if (answer?.status === 401) location.assign("/login");
  else connect();
}

connect();
