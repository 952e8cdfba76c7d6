// Class shares over the last minutes, as lines on a canvas.

import { clock, percent } from "./format.js";

const SPANS_S = [60, 120, 300, 600];
const HEIGHTS = [0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1];
const GAP_S = 3;
const LEFT = 44, RIGHT = 10, TOP = 10, BOTTOM = 24;

export class Plot {
  constructor(canvas, tip, summary) {
    Object.assign(this, { canvas, tip, summary, classes: [], rows: [], chosen: new Set(), pointer: null });
    new ResizeObserver(() => this.draw()).observe(canvas);
    canvas.addEventListener("pointermove", (event) => this.point(event.offsetX));
    canvas.addEventListener("pointerleave", () => this.point(null));
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.draw());
  }

  begin(classes, rows) {
    this.classes = classes;
    this.rows = rows;
    this.draw();
  }

  choose(ids) {
    this.chosen = new Set(ids);
    this.draw();
  }

  add(time, shares) {
    this.rows.push([time, ...this.classes.map((item) => shares[item.name] ?? 0)]);
    while (this.rows[0][0] < time - SPANS_S.at(-1)) this.rows.shift();
    this.draw();
  }

  point(x) {
    this.pointer = x;
    this.draw();
  }

  get lines() {
    return this.classes.map((item, index) => ({ ...item, column: index + 1 })).filter((item) => this.chosen.has(item.id));
  }

  draw() {
    const { width, height, pen } = this.prepare();
    const lines = this.lines;
    const end = this.rows.length ? this.rows.at(-1)[0] : 0;
    const age = this.rows.length ? end - this.rows[0][0] : 0;
    const span = SPANS_S.find((seconds) => seconds >= age) ?? SPANS_S.at(-1);
    const most = Math.max(0, ...this.rows.flatMap((row) => lines.map((line) => row[line.column])));
    const top = HEIGHTS.find((value) => value >= most * 1.05) ?? 1;
    const x = (time) => LEFT + ((time - end + span) / span) * (width - LEFT - RIGHT);
    const y = (share) => TOP + (1 - share / top) * (height - TOP - BOTTOM);
    this.drawGrid(pen, width, height, span, top, y);
    for (const line of lines) this.drawLine(pen, line, x, y);
    this.showTip(pen, lines, x, y, width, height);
    this.describe(lines);
  }

  prepare() {
    const { clientWidth: width, clientHeight: height } = this.canvas;
    const scale = devicePixelRatio || 1;
    this.canvas.width = Math.round(width * scale);
    this.canvas.height = Math.round(height * scale);
    const pen = this.canvas.getContext("2d");
    pen.scale(scale, scale);
    const style = getComputedStyle(document.documentElement);
    this.colours = { soft: style.getPropertyValue("--soft"), line: style.getPropertyValue("--line"), ink: style.getPropertyValue("--ink") };
    pen.font = `12px ${getComputedStyle(document.body).fontFamily}`;
    pen.lineJoin = pen.lineCap = "round";
    return { width, height, pen };
  }

  drawGrid(pen, width, height, span, top, y) {
    pen.strokeStyle = this.colours.line;
    pen.fillStyle = this.colours.soft;
    pen.lineWidth = 1;
    pen.textBaseline = "middle";
    pen.textAlign = "right";
    for (const part of [0, 0.25, 0.5, 0.75, 1]) {
      const at = Math.round(y(top * part)) + 0.5;
      pen.beginPath();
      pen.moveTo(LEFT, at);
      pen.lineTo(width - RIGHT, at);
      pen.stroke();
      if (part * 2 === Math.round(part * 2)) pen.fillText(percent(top * part), LEFT - 8, at);
    }
    pen.textBaseline = "alphabetic";
    for (const [part, align] of [[0, "left"], [0.5, "center"], [1, "right"]]) {
      const back = span * (1 - part);
      pen.textAlign = align;
      const text = back === 0 ? "now" : back % 60 ? `${back} s ago` : `${back / 60} min ago`;
      pen.fillText(text, LEFT + part * (width - LEFT - RIGHT), height - 5);
    }
  }

  drawLine(pen, line, x, y) {
    pen.beginPath();
    let before = -Infinity;
    for (const row of this.rows) {
      if (row[0] - before > GAP_S) pen.moveTo(x(row[0]), y(row[line.column]));
      else pen.lineTo(x(row[0]), y(row[line.column]));
      before = row[0];
    }
    pen.strokeStyle = this.colours.ink; // a casing, so that light colours stand out on a light card, too
    pen.globalAlpha = 0.4;
    pen.lineWidth = 4;
    pen.stroke();
    pen.globalAlpha = 1;
    pen.strokeStyle = line.colour;
    pen.lineWidth = 2.4;
    pen.stroke();
  }

  showTip(pen, lines, x, y, width, height) {
    const row = this.pointer === null ? null : nearest(this.rows, (item) => Math.abs(x(item[0]) - this.pointer));
    this.tip.hidden = !row || !lines.length;
    if (this.tip.hidden) return;
    const at = x(row[0]);
    pen.strokeStyle = this.colours.soft;
    pen.lineWidth = 1;
    pen.beginPath();
    pen.moveTo(at, TOP);
    pen.lineTo(at, height - BOTTOM);
    pen.stroke();
    for (const line of lines) {
      pen.fillStyle = line.colour;
      pen.strokeStyle = this.colours.ink;
      pen.beginPath();
      pen.arc(at, y(row[line.column]), 4, 0, 2 * Math.PI);
      pen.fill();
      pen.stroke();
    }
    this.tip.textContent = [clock(row[0]), ...lines.map((line) => `${line.name}  ${percent(row[line.column])}`)].join("\n");
    this.tip.style.left = `${at > width / 2 ? at - this.tip.offsetWidth - 12 : at + 12}px`;
  }

  describe(lines) {
    const row = this.rows.at(-1);
    if (!row || !lines.length) {
      this.summary.textContent = "Nothing is plotted.";
      return;
    }
    const words = lines.map((line) => {
      const values = this.rows.map((item) => item[line.column]);
      return `${line.name} ${percent(row[line.column])}, between ${percent(Math.min(...values))} and ${percent(Math.max(...values))}`;
    });
    this.summary.textContent = words.join("; ");
  }
}

const nearest = (items, distance) => items.reduce((best, item) => (best && distance(best) <= distance(item) ? best : item), null);
