// The part laid over a photo by hand.
//
// A pose maps a point p (mm, about the middle of the part's box) to rotation p + translation before
// a camera that looks along z, x right, y down; it is seen at pixel (focal x / z + w / 2, ...).
// three.js looks along -z with y up, so its camera's frame is ours with y and z turned round.

import {
  AmbientLight,
  DirectionalLight,
  EdgesGeometry,
  LineBasicMaterial,
  LineSegments,
  Matrix3,
  Matrix4,
  Mesh,
  MeshStandardMaterial,
  PerspectiveCamera,
  Quaternion,
  Scene,
  Vector3,
  WebGLRenderer,
} from "three";
import { STLLoader } from "three/examples/jsm/loaders/STLLoader.js";

const EDGE = 24; // degrees from which an edge of the part is drawn
const FILLS = 0.55; // of the photo's shorter side, where no pose was found
const KEY_TURN = 0.03; // radians a key press
const AXES = { x: new Vector3(1, 0, 0), y: new Vector3(0, 1, 0), z: new Vector3(0, 0, 1) };

export class Poser {
  /** Over the photo of `panel`; `mm`: millimetres in a unit of the mesh at address `mesh`. */
  static async open(panel, tools, { mesh, mm }) {
    const canvas = document.createElement("canvas");
    const context = canvas.getContext("webgl2", { antialias: true, alpha: true });
    if (!context) throw new Error("no WebGL");
    const response = await fetch(mesh);
    if (!response.ok) throw new Error(`mesh: ${response.status}`);
    const geometry = new STLLoader().parse(await response.arrayBuffer());
    geometry.scale(mm, mm, mm);
    return new Poser(panel, tools, canvas, context, geometry);
  }

  constructor(panel, tools, canvas, context, geometry) {
    this.tools = tools;
    this.canvas = canvas;
    this.width = Number(panel.dataset.width);
    this.height = Number(panel.dataset.height);
    this.stage = panel.querySelector(".qc-compare");
    canvas.className = "qc-canvas qc-canvas-pose";
    canvas.tabIndex = 0;
    this.renderer = new WebGLRenderer({ canvas, context, antialias: true, alpha: true });
    this.scene = new Scene();
    this.scene.add(new AmbientLight(0xffffff, 1.1));
    const lamp = new DirectionalLight(0xffffff, 2.2);
    lamp.position.set(-0.4, 0.6, 1);
    this.scene.add(lamp);
    geometry.computeBoundingSphere();
    this.radius = geometry.boundingSphere.radius || 1;
    const look = { color: 0xffb300, transparent: true, opacity: 0.5, metalness: 0, roughness: 0.8 };
    this.part = new Mesh(geometry, new MeshStandardMaterial(look));
    const lines = new LineBasicMaterial({ color: 0x7a4a00, transparent: true, opacity: 0.9 });
    this.part.add(new LineSegments(new EdgesGeometry(geometry, EDGE), lines));
    this.part.matrixAutoUpdate = false;
    this.scene.add(this.part);
    this.found = JSON.parse(panel.dataset.pose);
    this.back();
    this.drag = "turn";
    this.fingers = new Map();
    this.leaving = new AbortController();
    this.listen();
    this.stage.append(canvas);
    new ResizeObserver(() => this.resize()).observe(canvas);
    this.resize();
    this.choose("turn");
  }

  listen() {
    const options = { signal: this.leaving.signal };
    const on = (target, kind, act) => target.addEventListener(kind, act, options);
    on(this.canvas, "pointerdown", (event) => this.down(event));
    on(this.canvas, "pointermove", (event) => this.move(event));
    on(this.canvas, "pointerup", (event) => this.fingers.delete(event.pointerId));
    on(this.canvas, "pointercancel", (event) => this.fingers.delete(event.pointerId));
    on(this.canvas, "contextmenu", (event) => event.preventDefault());
    this.canvas.addEventListener("wheel", (event) => {
      event.preventDefault();
      this.scale(Math.exp(-event.deltaY * 0.0012));
    }, { ...options, passive: false });
    on(this.tools, "click", (event) => {
      const button = event.target.closest("button");
      if (button?.dataset.drag) this.choose(button.dataset.drag);
      else if (button?.dataset.do === "back") this.back();
    });
    this.slider = this.tools.querySelector("[data-scale]");
    on(this.slider, "input", () => {
      // The slider scales what was there when it was last let go.
      const to = Math.exp(Number(this.slider.value) / 180);
      this.scale(to / (this.slid ?? 1));
      this.slid = to;
    });
    on(this.slider, "change", () => {
      this.slider.value = 0;
      this.slid = 1;
    });
  }

  close() {
    this.leaving.abort();
    this.canvas.remove();
    this.renderer.dispose();
    this.part.geometry.dispose();
  }

  choose(drag) {
    this.drag = drag;
    for (const button of this.tools.querySelectorAll("[data-drag]")) {
      button.setAttribute("aria-pressed", button.dataset.drag === drag);
    }
  }

  /** The pose that was found; where none was, the part in the middle of the photo, seen aslant. */
  back() {
    const found = this.found;
    if (found) {
      this.rotation = new Matrix3().set(...found.rotation.flat());
      this.translation = new Vector3(...found.translation);
      this.focal = found.focal;
    } else {
      this.focal = 1.2 * Math.max(this.width, this.height);
      const far = (this.focal * 2 * this.radius) / (FILLS * Math.min(this.width, this.height));
      const aslant = new Matrix4().makeRotationFromQuaternion(
        new Quaternion().setFromAxisAngle(AXES.x, -2.2).multiply(new Quaternion().setFromAxisAngle(AXES.z, 0.6)),
      );
      this.rotation = new Matrix3().setFromMatrix4(aslant);
      this.translation = new Vector3(0, 0, far);
    }
    this.draw();
  }

  pose() {
    const [a, d, g, b, e, h, c, f, i] = this.rotation.elements;
    return {
      rotation: [[a, b, c], [d, e, f], [g, h, i]],
      translation: this.translation.toArray(),
      focal: this.focal,
    };
  }

  // Moving --------------------------------------------------------------------------------------

  down(event) {
    event.preventDefault();
    this.canvas.focus({ preventScroll: true });
    this.canvas.setPointerCapture(event.pointerId);
    this.fingers.set(event.pointerId, [event.clientX, event.clientY]);
  }

  move(event) {
    const before = this.fingers.get(event.pointerId);
    if (!before) return;
    const now = [event.clientX, event.clientY];
    if (this.fingers.size === 2) this.pinch(event.pointerId, before, now);
    else {
      const drag = event.buttons === 2 || event.shiftKey ? "move" : event.altKey ? "roll" : this.drag;
      this.dragged(drag, before, now);
    }
    this.fingers.set(event.pointerId, now);
  }

  dragged(drag, before, now) {
    const [dx, dy] = [now[0] - before[0], now[1] - before[1]];
    if (drag === "move") return this.shift(dx, dy);
    if (drag === "roll") {
      const middle = this.middle();
      const angle = (at) => Math.atan2(at[1] - middle[1], at[0] - middle[0]);
      return this.turn("z", angle(now) - angle(before));
    }
    // Half a turn across the photo's shorter side.
    const share = Math.PI / Math.min(this.canvas.clientWidth, this.canvas.clientHeight);
    this.turn("y", -dx * share);
    this.turn("x", dy * share);
  }

  /** Two fingers: apart scales, round turns, along shifts. */
  pinch(id, before, now) {
    const other = [...this.fingers].find(([finger]) => finger !== id)[1];
    const far = (at) => Math.hypot(at[0] - other[0], at[1] - other[1]);
    const angle = (at) => Math.atan2(at[1] - other[1], at[0] - other[0]);
    if (far(before) > 10) this.scale(far(now) / far(before));
    this.turn("z", angle(now) - angle(before));
    this.shift((now[0] - before[0]) / 2, (now[1] - before[1]) / 2);
  }

  /** The part's middle on the screen. */
  middle() {
    const bounds = this.canvas.getBoundingClientRect();
    const { x, y, z } = this.translation;
    return [
      bounds.left + ((this.focal * x) / z / this.width + 0.5) * bounds.width,
      bounds.top + ((this.focal * y) / z / this.height + 0.5) * bounds.height,
    ];
  }

  turn(axis, angle) {
    const by = new Matrix4().makeRotationAxis(AXES[axis], angle);
    this.rotation.premultiply(new Matrix3().setFromMatrix4(by));
    this.draw();
  }

  shift(dx, dy) {
    const each = (this.translation.z / this.focal) * (this.width / this.canvas.clientWidth);
    this.translation.x += dx * each;
    this.translation.y += dy * each;
    this.draw();
  }

  /** Larger is nearer: the part stays where it is seen. */
  scale(factor) {
    const z = Math.max(this.translation.z / factor, this.radius * 1.05);
    this.translation.multiplyScalar(z / this.translation.z);
    this.draw();
  }

  key(event) {
    const arrows = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
    const step = arrows[event.key];
    if (step && event.shiftKey) this.shift(step[0] * 2, step[1] * 2);
    else if (step && this.drag === "roll") this.turn("z", step[0] * KEY_TURN);
    else if (step && this.drag === "move") this.shift(step[0] * 2, step[1] * 2);
    else if (step) {
      this.turn("y", -step[0] * KEY_TURN);
      this.turn("x", step[1] * KEY_TURN);
    } else if (event.key === "+" || event.key === "=") this.scale(1.02);
    else if (event.key === "-") this.scale(1 / 1.02);
    else return;
    event.preventDefault();
  }

  // Drawing -------------------------------------------------------------------------------------

  resize() {
    const { clientWidth, clientHeight } = this.canvas;
    if (!clientWidth) return;
    this.renderer.setPixelRatio(Math.min(devicePixelRatio, 2));
    this.renderer.setSize(clientWidth, clientHeight, false);
    this.draw();
  }

  draw() {
    if (this.asked) return;
    this.asked = true;
    requestAnimationFrame(() => {
      this.asked = false;
      this.render();
    });
  }

  render() {
    const upright = (2 * Math.atan(this.height / 2 / this.focal) * 180) / Math.PI;
    const { z } = this.translation;
    const near = Math.max(z - 2 * this.radius, z * 0.01);
    const camera = new PerspectiveCamera(upright, this.width / this.height, near, z + 2 * this.radius);
    const { elements: r } = this.rotation;
    const { x, y } = this.translation;
    // prettier-ignore
    this.part.matrix.set(
      r[0], r[3], r[6], x,
      -r[1], -r[4], -r[7], -y,
      -r[2], -r[5], -r[8], -z,
      0, 0, 0, 1,
    );
    this.part.matrixWorldNeedsUpdate = true;
    this.renderer.render(this.scene, camera);
  }
}
