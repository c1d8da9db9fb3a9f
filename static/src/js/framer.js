// The chosen picture with a frame on it, drawn by mouse, finger or keys.
//
// Knows nothing of searching: it calls `changed(box)` with fractions of the picture,
// [left, top, right, bottom], or null for the whole of it.

const LEAST = 0.03;
const FIRST = [0.1, 0.1, 0.9, 0.9];
const clip = (value, least = 0, most = 1) => Math.min(Math.max(value, least), most);

export class Framer {
  constructor(root, { changed }) {
    this.root = root;
    this.changed = changed;
    this.area = root.querySelector(".framer-area");
    this.image = root.querySelector("img");
    this.frame = root.querySelector(".frame");
    this.name = root.querySelector(".framer-name");
    this.box = null;
    this.own = false;
    this.area.addEventListener("pointerdown", (event) => this.grab(event));
    this.frame.addEventListener("keydown", (event) => this.key(event));
    this.button("frame").addEventListener("click", () => this.toggle());
    this.button("whole").addEventListener("click", () => {
      this.clear();
      this.changed(null);
    });
  }

  button(what) {
    return this.root.querySelector(`[data-do="${what}"]`);
  }

  show(file) {
    this.clear();
    URL.revokeObjectURL(this.image.src);
    this.image.hidden = false;
    this.image.onerror = () => {
      this.image.hidden = true; // a kind this browser cannot show; the server may
    };
    this.image.src = URL.createObjectURL(file);
    this.name.textContent = file.name;
    this.root.hidden = false;
  }

  hide() {
    this.clear();
    this.root.hidden = true;
    URL.revokeObjectURL(this.image.src);
    this.image.removeAttribute("src");
  }

  clear() {
    this.own = false;
    this.box = null;
    this.mode(false);
    this.draw();
  }

  /** The frame that the server found by itself: shown, unless there is one drawn by hand. */
  found(box) {
    if (this.own) return;
    this.box = box;
    this.draw();
  }

  toggle() {
    if (this.root.classList.contains("framing")) this.mode(false);
    else this.begin();
  }

  begin() {
    this.box ??= [...FIRST];
    this.mode(true);
    this.draw();
    this.frame.focus({ preventScroll: true });
  }

  mode(framing) {
    this.root.classList.toggle("framing", framing);
    this.button("frame").setAttribute("aria-pressed", framing);
    this.root.querySelector('[data-when="frame"]').hidden = !framing;
  }

  draw() {
    this.frame.hidden = !this.box;
    this.frame.classList.toggle("found", !this.own);
    this.button("whole").hidden = !this.own;
    if (!this.box) return;
    const [left, top, right, bottom] = this.box;
    const sides = { x: left, y: top, w: right - left, h: bottom - top };
    for (const [side, share] of Object.entries(sides)) {
      this.frame.style.setProperty(`--${side}`, `${(share * 100).toFixed(3)}%`);
    }
  }

  set(box) {
    this.box = box;
    this.own = true;
    this.draw();
  }

  grab(event) {
    const finger = event.pointerType === "touch";
    const framing = this.root.classList.contains("framing");
    // A finger scrolls the page until "crop" is pressed; a mouse draws at once.
    if (event.button || (finger && !framing)) return;
    event.preventDefault();
    if (!framing) this.mode(true);
    const bounds = this.area.getBoundingClientRect();
    const at = (e) => [
      clip((e.clientX - bounds.left) / bounds.width),
      clip((e.clientY - bounds.top) / bounds.height),
    ];
    const start = at(event);
    const before = this.box;
    const drag = this.dragOf(event.target, start, before);
    let moved = false;
    const move = (e) => {
      moved = true;
      this.set(drag(at(e)));
    };
    const end = () => {
      this.area.removeEventListener("pointermove", move);
      this.area.removeEventListener("pointerup", end);
      this.area.removeEventListener("pointercancel", end);
      if (!moved) return;
      const [left, top, right, bottom] = this.box;
      if (right - left < LEAST || bottom - top < LEAST) this.box = before ?? [...FIRST];
      this.draw();
      this.frame.focus({ preventScroll: true });
      this.changed(this.box);
    };
    this.area.setPointerCapture(event.pointerId);
    this.area.addEventListener("pointermove", move);
    this.area.addEventListener("pointerup", end);
    this.area.addEventListener("pointercancel", end);
  }

  /** What a drag does, by where it began: a corner, the inside, or bare picture. */
  dragOf(target, start, before) {
    const edge = target.dataset?.edge;
    const spanned = ([ax, ay], [bx, by]) => [
      Math.min(ax, bx),
      Math.min(ay, by),
      Math.max(ax, bx),
      Math.max(ay, by),
    ];
    if (edge) {
      const [left, top, right, bottom] = before;
      const anchor = [edge[1] === "l" ? right : left, edge[0] === "t" ? bottom : top];
      return (point) => spanned(anchor, point);
    }
    if (target === this.frame && this.own) {
      return ([x, y]) => moved(before, x - start[0], y - start[1]);
    }
    return (point) => spanned(start, point);
  }

  key(event) {
    const step = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[
      event.key
    ];
    if (!step || !this.box) return;
    event.preventDefault();
    event.stopPropagation();
    this.mode(true);
    const [dx, dy] = step.map((side) => side * 0.02);
    const [left, top, right, bottom] = this.box;
    this.set(
      event.shiftKey
        ? [left, top, clip(right + dx, left + LEAST), clip(bottom + dy, top + LEAST)]
        : moved(this.box, dx, dy),
    );
    this.changed(this.box);
  }
}

function moved([left, top, right, bottom], dx, dy) {
  const x = clip(dx, -left, 1 - right);
  const y = clip(dy, -top, 1 - bottom);
  return [left + x, top + y, right + x, bottom + y];
}
