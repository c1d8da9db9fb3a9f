// The mask of a photo, painted by hand: a canvas of the photo's own pixels over it.
//
// Knows nothing of inspections: `png()` gives the mask, 255 on the piece, or null for an empty one;
// `touched` says whether anything was painted, `frame` where alone the piece is to be looked for.

const UNDO_MOST = 8; // of up to eight megabytes each
const LEAST_FRAME = 16; // pixels
const TINT = [255, 196, 0];

export class Brush {
  /** On the photo of `panel`, steered by the buttons in `tools`. */
  static async open(panel, tools) {
    const mask = panel.dataset.mask ? await pictureLoad(panel.dataset.mask) : null;
    return new Brush(panel, tools, mask);
  }

  constructor(panel, tools, mask) {
    this.tools = tools;
    const picture = panel.querySelector(".qc-picture");
    this.width = Number(panel.dataset.width) || picture.naturalWidth;
    this.height = Number(panel.dataset.height) || picture.naturalHeight;
    this.canvas = document.createElement("canvas");
    this.canvas.className = "qc-canvas";
    this.canvas.width = this.width;
    this.canvas.height = this.height;
    this.context = this.canvas.getContext("2d", { willReadFrequently: true });
    this.cursor = document.createElement("span");
    this.cursor.className = "qc-cursor";
    this.stage = panel.querySelector(".qc-compare");
    this.stage.append(this.canvas, this.cursor);
    if (mask) this.maskDraw(mask);
    this.undone = [];
    this.strokes = 0;
    this.frame = null;
    this.framed = document.createElement("span");
    this.framed.className = "qc-frame";
    this.framed.hidden = true;
    this.canvas.before(this.framed);
    this.paint = "piece";
    this.tool = "brush";
    this.leaving = new AbortController();
    const { signal } = this.leaving;
    this.canvas.addEventListener("pointerdown", (event) => this.grab(event), { signal });
    this.canvas.addEventListener("pointermove", (event) => this.hover(event), { signal });
    this.canvas.addEventListener("pointerleave", () => this.cursor.classList.remove("on"), { signal });
    this.canvas.addEventListener("contextmenu", (event) => event.preventDefault(), { signal });
    tools.addEventListener("click", (event) => this.click(event), { signal });
    this.size = tools.querySelector("[data-size]");
    this.choose("paint", "piece");
    this.choose("tool", "brush");
    this.undoSay();
  }

  close() {
    this.leaving.abort();
    this.canvas.remove();
    this.cursor.remove();
    this.framed.remove();
  }

  /** Grey to tint: the piece shows, the ground stays clear. */
  maskDraw(image) {
    const { context, width, height } = this;
    context.drawImage(image, 0, 0, width, height);
    const pixels = context.getImageData(0, 0, width, height);
    const { data } = pixels;
    for (let at = 0; at < data.length; at += 4) {
      const piece = data[at] > 127;
      data[at] = TINT[0];
      data[at + 1] = TINT[1];
      data[at + 2] = TINT[2];
      data[at + 3] = piece ? 255 : 0;
    }
    context.putImageData(pixels, 0, 0);
  }

  get touched() {
    return this.strokes > 0;
  }

  choose(what, value) {
    this[what] = value;
    for (const button of this.tools.querySelectorAll(`[data-${what}]`)) {
      button.setAttribute("aria-pressed", button.dataset[what] === value);
    }
  }

  click(event) {
    const button = event.target.closest("button");
    if (!button) return;
    if (button.dataset.paint) this.choose("paint", button.dataset.paint);
    else if (button.dataset.tool) this.choose("tool", button.dataset.tool);
    else if (button.dataset.do === "undo") this.undo();
    else if (button.dataset.do === "empty") {
      this.keep();
      this.frameSet(null);
      this.context.clearRect(0, 0, this.width, this.height);
    }
  }

  key(event) {
    const key = event.key.toLowerCase();
    if (key === "z" || key === "u") this.undo();
    else if (key === "x") this.choose("paint", this.paint === "piece" ? "ground" : "piece");
    else if (key === "b") this.choose("tool", this.tool === "brush" ? "box" : "brush");
    else if (key === "[" || key === "]") this.size.value = Number(this.size.value) + (key === "[" ? -6 : 6);
    else return;
    event.preventDefault();
  }

  /** The brush's radius in the photo's pixels: a hundredth to a fifth of its longer side. */
  get radius() {
    return (Math.max(this.width, this.height) * Number(this.size.value)) / 1000;
  }

  at(event) {
    const bounds = this.canvas.getBoundingClientRect();
    return [
      ((event.clientX - bounds.left) / bounds.width) * this.width,
      ((event.clientY - bounds.top) / bounds.height) * this.height,
    ];
  }

  hover(event) {
    const brush = this.tool === "brush" && event.pointerType !== "touch";
    this.cursor.classList.toggle("on", brush);
    if (!brush) return;
    const bounds = this.stage.getBoundingClientRect();
    const wide = (2 * this.radius * this.canvas.clientWidth) / this.width;
    this.cursor.style.setProperty("--wide", `${wide}px`);
    this.cursor.style.setProperty("--x", `${event.clientX - bounds.left}px`);
    this.cursor.style.setProperty("--y", `${event.clientY - bounds.top}px`);
  }

  grab(event) {
    if (event.button && event.button !== 2) return;
    event.preventDefault();
    if (this.tool !== "frame") this.keep();
    // The right button wipes, whatever is chosen.
    const piece = (this.paint === "piece") !== (event.button === 2);
    this.context.globalCompositeOperation = piece ? "source-over" : "destination-out";
    this.context.fillStyle = this.context.strokeStyle = `rgb(${TINT})`;
    const begin = { box: this.boxBegin, frame: this.frameBegin, brush: this.strokeBegin };
    const stroke = begin[this.tool].call(this, event);
    const stop = new AbortController();
    const options = { signal: AbortSignal.any([stop.signal, this.leaving.signal]) };
    this.canvas.setPointerCapture(event.pointerId);
    this.canvas.addEventListener("pointermove", stroke, options);
    for (const end of ["pointerup", "pointercancel"]) {
      this.canvas.addEventListener(end, () => stop.abort(), options);
    }
  }

  strokeBegin(event) {
    let before = this.at(event);
    const draw = (to) => {
      this.context.lineWidth = 2 * this.radius;
      this.context.lineCap = "round";
      this.context.beginPath();
      this.context.moveTo(...before);
      // Where it did not move a line has no length, and some browsers then draw no cap.
      this.context.lineTo(to[0] + 0.01, to[1]);
      this.context.stroke();
      before = to;
    };
    draw(before);
    return (move) => {
      for (const one of move.getCoalescedEvents?.() ?? [move]) draw(this.at(one));
    };
  }

  boxBegin(event) {
    const [x, y] = this.at(event);
    const whole = this.undone.at(-1);
    const how = this.context.globalCompositeOperation;
    return (move) => {
      const [right, bottom] = this.at(move);
      this.context.putImageData(whole, 0, 0);
      this.context.globalCompositeOperation = how;
      this.context.fillRect(x, y, right - x, bottom - y);
    };
  }

  frameBegin(event) {
    const clip = ([x, y]) => [
      Math.min(Math.max(x, 0), this.width),
      Math.min(Math.max(y, 0), this.height),
    ];
    const start = clip(this.at(event));
    this.frameSet(null);
    return (move) => {
      const end = clip(this.at(move));
      const [x, y] = [0, 1].map((axis) => Math.round(Math.min(start[axis], end[axis])));
      const [right, bottom] = [0, 1].map((axis) => Math.round(Math.max(start[axis], end[axis])));
      if (right - x < LEAST_FRAME || bottom - y < LEAST_FRAME) return;
      this.frameSet({ x, y, width: right - x, height: bottom - y });
    };
  }

  frameSet(frame) {
    this.frame = frame;
    this.framed.hidden = !frame;
    if (!frame) return;
    const shares = {
      x: frame.x / this.width,
      y: frame.y / this.height,
      w: frame.width / this.width,
      h: frame.height / this.height,
    };
    for (const [side, share] of Object.entries(shares)) {
      this.framed.style.setProperty(`--${side}`, `${(100 * share).toFixed(3)}%`);
    }
  }

  keep() {
    this.strokes += 1;
    this.undone.push(this.context.getImageData(0, 0, this.width, this.height));
    if (this.undone.length > UNDO_MOST) this.undone.shift();
    this.undoSay();
  }

  undo() {
    const before = this.undone.pop();
    if (!before) return;
    this.context.putImageData(before, 0, 0);
    this.strokes -= 1;
    this.undoSay();
  }

  undoSay() {
    this.tools.querySelector('[data-do="undo"]').disabled = !this.undone.length;
  }

  /** The mask as a PNG, white on black; null where nothing is piece. */
  async png() {
    const { width, height } = this;
    const pixels = this.context.getImageData(0, 0, width, height);
    const { data } = pixels;
    let any = false;
    for (let at = 0; at < data.length; at += 4) {
      const value = data[at + 3] > 127 ? 255 : 0;
      any ||= value > 0;
      data[at] = data[at + 1] = data[at + 2] = value;
      data[at + 3] = 255;
    }
    if (!any) return null;
    const out = new OffscreenCanvas(width, height);
    out.getContext("2d").putImageData(pixels, 0, 0);
    return out.convertToBlob({ type: "image/png" });
  }
}

function pictureLoad(address) {
  return new Promise((done, failed) => {
    const image = new Image();
    image.onload = () => done(image);
    image.onerror = failed;
    image.src = address;
  });
}
