// The page of an inspection: photo beside part, several photos, keys, and the way to corrections.
//
// What was found is exchanged by htmx when a run ends, so everything in it is begun anew then.

import { isPlain, isTyping } from "./keys.js";
import { heatRead, DEVIATION } from "./heat.js";
import { Brush } from "./brush.js";

const token = document.querySelector('meta[name="csrf-token"]').content;
const keys = document.getElementById("qc-keys");
const AGAIN_MS = 2000;
const STEP = 10; // percent that an arrow moves the slider

class Look {
  constructor(root) {
    this.root = root;
    this.layer = "differences";
    this.editor = null;
    this.panels = [...root.querySelectorAll(".qc-photo")];
    for (const panel of this.panels) this.panelBegin(panel);
    this.show(Number(root.dataset.first));
    this.layerSet(this.layer);
    root.addEventListener("click", (event) => this.click(event));
    for (const tab of root.querySelectorAll('[role="tab"]')) {
      tab.addEventListener("keydown", (event) => this.tabKey(event));
    }
  }

  get panel() {
    return this.panels.find((panel) => !panel.hidden);
  }

  panelBegin(panel) {
    const slide = panel.querySelector(".qc-slide");
    slide?.addEventListener("input", () => this.slideShow(panel));
    if (slide) this.slideShow(panel);
    const worst = panel.querySelector(".qc-ring.worst");
    if (!worst) return;
    const { width, height } = panel.dataset;
    panel.style.setProperty("--near-x", `${(100 * worst.dataset.x) / width}%`);
    panel.style.setProperty("--near-y", `${(100 * worst.dataset.y) / height}%`);
  }

  slideShow(panel) {
    const value = Number(panel.querySelector(".qc-slide").value);
    const compare = panel.querySelector(".qc-compare");
    compare.style.setProperty("--at", `${value}%`);
    compare.classList.toggle("all-photo", value > 88);
    compare.classList.toggle("all-part", value < 12);
  }

  slide(to) {
    const slide = this.panel?.querySelector(".qc-slide");
    if (!slide) return;
    slide.value = to(Number(slide.value));
    this.slideShow(this.panel);
  }

  show(place) {
    if (!this.panels.some((panel) => Number(panel.dataset.place) === place)) return;
    this.leave();
    for (const panel of this.panels) panel.hidden = Number(panel.dataset.place) !== place;
    for (const tab of this.root.querySelectorAll('[role="tab"]')) {
      const on = Number(tab.dataset.place) === place;
      tab.setAttribute("aria-selected", on);
      tab.tabIndex = on ? 0 : -1;
    }
    for (const table of document.querySelectorAll(".qc-measures")) {
      table.hidden = Number(table.dataset.of) !== place;
    }
    const near = this.button("near");
    near.hidden = !this.panel.querySelector(".qc-ring.worst");
    for (const part of this.root.querySelectorAll(".qc-choice-of button[data-layer]")) {
      part.disabled = !this.panel.querySelector(".qc-over");
    }
  }

  tabKey(event) {
    const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (!step) return;
    event.preventDefault();
    event.stopPropagation();
    const tabs = [...this.root.querySelectorAll('[role="tab"]')];
    const next = tabs[(tabs.indexOf(event.currentTarget) + step + tabs.length) % tabs.length];
    this.show(Number(next.dataset.place));
    next.focus();
  }

  layerSet(layer) {
    this.layer = layer;
    this.root.dataset.layer = layer;
    for (const button of this.root.querySelectorAll("button[data-layer]")) {
      button.setAttribute("aria-pressed", button.dataset.layer === layer);
    }
  }

  button(what) {
    return this.root.querySelector(`[data-do="${what}"]`);
  }

  near() {
    const button = this.button("near");
    if (button.hidden) return;
    const on = button.getAttribute("aria-pressed") !== "true";
    button.setAttribute("aria-pressed", on);
    this.root.classList.toggle("near", on);
  }

  click(event) {
    const button = event.target.closest("button");
    if (!button) return;
    const { layer, place } = button.dataset;
    const what = button.dataset.do;
    if (button.matches('[role="tab"]')) this.show(Number(place));
    else if (layer) this.layerSet(layer);
    else if (what === "near") this.near();
    else if (what === "brush") this.brush();
    else if (what === "pose") this.pose();
    else if (what === "leave") this.leave();
    else if (what === "reset") this.send(this.formOf({ reset: "1" }));
    else if (what === "send-mask") this.maskSend();
    else if (what === "send-pose") this.poseSend();
  }

  // Corrections ---------------------------------------------------------------------------------

  edit(kind, editor) {
    this.leave();
    if (this.root.classList.contains("near")) this.near();
    this.editor = editor;
    this.root.classList.add("editing");
    for (const tools of this.root.querySelectorAll(".qc-tools")) {
      tools.hidden = tools.dataset.tools !== kind;
    }
    this.root.querySelector(`[data-tools="${kind}"] button`).focus({ preventScroll: true });
  }

  leave() {
    this.fault("");
    if (!this.editor) return;
    this.editor.close();
    this.editor = null;
    this.root.classList.remove("editing");
    for (const tools of this.root.querySelectorAll(".qc-tools")) {
      tools.hidden = Boolean(tools.dataset.tools);
    }
  }

  async brush() {
    const panel = this.panel;
    try {
      const brush = await Brush.open(panel, this.root.querySelector(".qc-brush"));
      this.edit("brush", brush);
    } catch {
      this.fault(this.root.dataset.lost);
    }
  }

  async pose() {
    const panel = this.panel;
    try {
      const { Poser } = await import(this.root.dataset.bundle);
      const poser = await Poser.open(panel, this.root.querySelector(".qc-pose"), {
        mesh: this.root.dataset.mesh,
        mm: Number(this.root.dataset.mm),
      });
      this.edit("pose", poser);
    } catch {
      this.fault(this.root.dataset.lost);
    }
  }

  formOf(fields) {
    const form = new FormData();
    for (const [name, value] of Object.entries(fields)) form.append(name, value);
    return form;
  }

  async maskSend() {
    const { touched, frame } = this.editor;
    if (!touched && !frame) return this.fault(this.root.dataset.nothing);
    const form = new FormData();
    if (frame) form.append("rectangle", JSON.stringify(frame));
    if (touched) {
      const png = await this.editor.png();
      if (!png) return this.fault(this.root.dataset.empty);
      form.append("mask", png, "mask.png");
    }
    this.send(form);
  }

  poseSend() {
    this.send(this.formOf({ pose: JSON.stringify(this.editor.pose()) }));
  }

  async send(body) {
    this.root.setAttribute("aria-busy", "true");
    try {
      const response = await fetch(this.panel.dataset.correct, {
        method: "POST",
        body,
        headers: { "X-CSRFToken": token },
      });
      if (response.ok) return location.reload();
      const answer = await response.json().catch(() => null);
      this.fault(answer?.error?.message ?? this.root.dataset.lost);
    } catch {
      this.fault(this.root.dataset.lost);
    }
    this.root.removeAttribute("aria-busy");
  }

  fault(sentence) {
    const note = this.root.querySelector(".qc-fault");
    note.textContent = sentence;
    note.hidden = !sentence;
  }
}

// The heat on the whole part ----------------------------------------------------------------------

async function heatBegin(box) {
  try {
    const [{ viewerOpen }, response] = await Promise.all([
      import(box.dataset.viewer),
      fetch(box.dataset.heat),
    ]);
    if (!response.ok) throw new Error(`heat: ${response.status}`);
    const heat = { ...heatRead(await response.arrayBuffer()), ...DEVIATION };
    await viewerOpen(box, heat, cameraFrom(look?.panel));
  } catch {
    // No WebGL here, or the files did not come: the picture stays.
    box.querySelector(".viewer-tools").hidden = true;
    box.querySelector(".viewer-stage").title = box.dataset.failed;
  }
}

/** Where the photo's camera stood, in the part's frame: there what it saw is seen best. */
function cameraFrom(panel) {
  const pose = JSON.parse(panel?.dataset.pose ?? "null");
  if (!pose) return null;
  return [0, 1, 2].map((axis) =>
    -pose.rotation.reduce((sum, row, i) => sum + row[axis] * pose.translation[i], 0),
  );
}

/** The viewer is large: it comes when it is about to be seen. */
function heatWatch(box) {
  const seen = new IntersectionObserver(
    (entries) => {
      if (!entries.some((entry) => entry.isIntersecting)) return;
      seen.disconnect();
      heatBegin(box);
    },
    { rootMargin: "200px" },
  );
  seen.observe(box);
}

// Keys ----------------------------------------------------------------------------------------------

let look = null;

const DO = {
  " ": () => look?.slide((at) => (at > 50 ? 0 : 100)),
  ArrowLeft: () => look?.slide((at) => Math.max(0, at - STEP)),
  ArrowRight: () => look?.slide((at) => Math.min(100, at + STEP)),
  d: () => look?.layerSet(look.layer === "part" ? "differences" : "part"),
  z: () => look?.near(),
  m: () => document.getElementById("qc-note")?.focus(),
  "?": () => keys.showModal(),
};

document.addEventListener("keydown", (event) => {
  if (event.key === "Escape" && look?.editor) return look.leave();
  if (event.target.id === "qc-note") return noteKey(event);
  if (!isPlain(event) || isTyping(event.target) || keys.open) return;
  const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
  // A button under the focus keeps its own space, and a card under it its arrows.
  if (key === " " && event.target.closest?.("button, a, summary")) return;
  if (look?.editor) return look.editor.key?.(event);
  if (/^[1-4]$/.test(key)) {
    look?.show(Number(key) - 1);
  } else if (DO[key]) {
    DO[key]();
  } else {
    const button = document.querySelector(`[data-key="${CSS.escape(key)}"]`);
    if (!button) return;
    button.click();
  }
  event.preventDefault();
});

/** Out of the note with Escape; with Control and Enter it is kept as well. */
function noteKey(event) {
  if (event.key !== "Escape" && !(event.key === "Enter" && (event.ctrlKey || event.metaKey))) return;
  event.preventDefault();
  if (event.key === "Enter") event.target.form.requestSubmit();
  event.target.blur();
}

document.addEventListener("click", (event) => {
  if (event.target.closest('[data-key="?"]')) keys.showModal();
});

// -----------------------------------------------------------------------------------------------------

function begin() {
  const root = document.getElementById("qc-look");
  if (root && !root.dataset.begun) {
    root.dataset.begun = "1";
    look = new Look(root);
  }
  for (const box of document.querySelectorAll(".qc-heat:not(.begun)")) {
    box.classList.add("begun");
    heatWatch(box);
  }
}

begin();
document.addEventListener("htmx:afterSettle", (event) => {
  begin();
  const found = event.target.id === "qc-found" || event.detail.elt?.id === "qc-found";
  if (found) sayVerdict();
});

// What was found is asked for once, when the work ends: where that went wrong, again.
for (const kind of ["htmx:responseError", "htmx:sendError"]) {
  document.addEventListener(kind, (event) => {
    if (event.target.id !== "qc-found") return;
    setTimeout(() => document.body.dispatchEvent(new Event("inspection-done")), AGAIN_MS);
  });
}

function sayVerdict() {
  const said = document.querySelector(".qc-verdict header");
  document.getElementById("qc-said").textContent = said?.textContent.replace(/\s+/g, " ").trim() ?? "";
}
