// The motion JPEG picture: which view of it is asked for, pausing it, and getting it back when it breaks off.

const WIDTHS = [320, 480, 640, 960, 1280, 1920];
const AGAIN_MS = 2000;
const SETTLE_MS = 120;

export class Picture {
  constructor(image, still, figure) {
    Object.assign(this, { image, still, figure, query: {}, paused: false, asked: "", width: 640 });
    image.addEventListener("load", () => (image.hidden = this.paused));
    image.addEventListener("error", () => this.later(AGAIN_MS));
    document.addEventListener("visibilitychange", () => this.restart());
    new ResizeObserver(() => this.fit()).observe(figure);
  }

  show(query) {
    this.query = query;
    this.later(SETTLE_MS);
  }

  restart() {
    this.asked = "";
    this.load();
  }

  pause(paused) {
    this.paused = paused;
    if (paused) this.freeze();
    this.still.hidden = !paused;
    this.image.hidden = paused;
    this.restart();
  }

  address(path, more) {
    return `${path}?${new URLSearchParams({ ...this.query, ...more })}`;
  }

  later(ms) {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => (ms === AGAIN_MS ? this.restart() : this.load()), ms);
  }

  load() {
    if (this.paused || document.hidden) {
      this.image.removeAttribute("src"); // nobody looks: the camera need not draw
      this.asked = "";
      return;
    }
    const address = this.address("/stream.mjpeg", { width: this.width });
    if (address === this.asked) return;
    this.asked = address;
    this.image.src = `${address}&t=${Date.now()}`;
  }

  freeze() {
    const { naturalWidth: width, naturalHeight: height } = this.image;
    if (!width) return;
    Object.assign(this.still, { width, height });
    this.still.getContext("2d").drawImage(this.image, 0, 0);
  }

  fit() {
    const needed = this.figure.clientWidth * (devicePixelRatio || 1);
    const width = WIDTHS.find((value) => value >= needed) ?? WIDTHS.at(-1);
    if (width === this.width) return;
    this.width = width;
    this.later(SETTLE_MS);
  }
}
