// Turns a mesh in the browser. The only bundle that knows three.js, and loaded only where needed.

import {
  Box3,
  BufferAttribute,
  BufferGeometry,
  DoubleSide,
  DirectionalLight,
  FrontSide,
  LineBasicMaterial,
  LineSegments,
  Mesh,
  MeshStandardMaterial,
  PerspectiveCamera,
  PMREMGenerator,
  Scene,
  Sphere,
  Spherical,
  Vector3,
  WebGLRenderer,
  WireframeGeometry,
} from "three";
import { OrbitControls } from "three/examples/jsm/controls/OrbitControls.js";
import { RoomEnvironment } from "three/examples/jsm/environments/RoomEnvironment.js";
import { STLLoader } from "three/examples/jsm/loaders/STLLoader.js";
import { toCreasedNormals } from "three/examples/jsm/utils/BufferGeometryUtils.js";
import { heatPaint } from "./heat.js";

// Lays a part over a photo: here, so that three.js comes once.
export { Poser } from "./poser.js";

const CREASE = Math.PI / 6; // softer edges are shaded round
const FROM = new Vector3(0.55, -0.75, 0.5).normalize();
const TURN = 0.14; // radians a key press

/** Opens the viewer in `box`, painted with `heat` and seen `from` a direction of the mesh's own frame
 * where they are given; rejects when the mesh or WebGL is not to be had. */
export async function viewerOpen(box, heat = null, from = null) {
  const stage = box.querySelector(".viewer-stage");
  const canvas = document.createElement("canvas");
  // Asked here, since three.js would write its own error to the console.
  const context = canvas.getContext("webgl2", { antialias: true, alpha: true });
  if (!context) throw new Error("no WebGL");
  const response = await fetch(box.dataset.mesh);
  if (!response.ok) throw new Error(`mesh: ${response.status}`);
  const raw = new STLLoader().parse(await response.arrayBuffer());
  const first = from ? new Vector3(...from).normalize() : FROM.clone();
  if (box.dataset.up === "y") {
    raw.rotateX(Math.PI / 2);
    if (from) first.applyAxisAngle(new Vector3(1, 0, 0), Math.PI / 2);
  }
  const smooth = toCreasedNormals(raw, CREASE);
  new Viewer(box, stage, canvas, context, heat ? painted(smooth, heat) : smooth, first);
}

function painted(geometry, heat) {
  const { position, normal } = geometry.attributes;
  const made = new BufferGeometry();
  for (const [name, array] of Object.entries(heatPaint(position.array, normal.array, heat))) {
    made.setAttribute(name, new BufferAttribute(array, 3));
  }
  return made;
}

class Viewer {
  constructor(box, stage, canvas, context, geometry, from) {
    this.from = from;
    this.stage = stage;
    this.canvas = canvas;
    this.renderer = new WebGLRenderer({ canvas, context, antialias: true, alpha: true });
    this.renderer.setPixelRatio(Math.min(devicePixelRatio, 2));
    this.scene = new Scene();
    const light = new PMREMGenerator(this.renderer);
    this.scene.environment = light.fromScene(new RoomEnvironment(), 0.04).texture;
    this.scene.environmentIntensity = 0.62;
    this.camera = new PerspectiveCamera(25, 1, 0.01, 100);
    this.camera.up.set(0, 0, 1);
    const key = new DirectionalLight(0xffffff, 1.1);
    key.position.set(-0.6, 0.9, 0.6);
    this.camera.add(key);
    this.scene.add(this.camera);
    this.mesh = this.meshMake(geometry);
    this.scene.add(this.mesh);
    this.controls = new OrbitControls(this.camera, canvas);
    this.controls.enableDamping = !matchMedia("(prefers-reduced-motion: reduce)").matches;
    this.controls.dampingFactor = 0.12;
    this.controls.zoomToCursor = true;
    this.controls.addEventListener("change", () => this.ask());
    this.wires = null;
    this.asked = false;

    stage.querySelector("img, .icon")?.remove();
    stage.classList.add("live");
    canvas.tabIndex = 0;
    canvas.setAttribute("role", "img");
    canvas.setAttribute("aria-label", stage.dataset.help);
    canvas.title = stage.dataset.help;
    stage.append(canvas);
    canvas.addEventListener("keydown", (event) => this.key(event));
    box.querySelector('[data-do="fit"]').addEventListener("click", () => this.fit());
    this.wireButton = box.querySelector('[data-do="wire"]');
    this.wireButton.addEventListener("click", () => this.wire());
    new ResizeObserver(() => this.resize()).observe(stage);
    this.fit();
    this.resize();
  }

  /** The mesh about the origin, as large as the unit sphere. */
  meshMake(geometry) {
    const centre = new Box3().setFromBufferAttribute(geometry.attributes.position).getCenter(
      new Vector3(),
    );
    geometry.translate(-centre.x, -centre.y, -centre.z);
    geometry.computeBoundingSphere();
    const radius = geometry.boundingSphere.radius || 1;
    geometry.scale(1 / radius, 1 / radius, 1 / radius);
    geometry.boundingSphere = new Sphere(new Vector3(), 1);
    const heated = Boolean(geometry.attributes.color);
    const material = new MeshStandardMaterial({
      // Heat is read by its colour: no tint, no metal's sheen over it.
      color: heated ? 0xffffff : 0xaab3ba,
      vertexColors: heated,
      // Where triangles are cut unlike their neighbours, pinholes show the far side's inside.
      side: heated ? DoubleSide : FrontSide,
      metalness: heated ? 0 : 0.35,
      roughness: heated ? 0.7 : 0.42,
      polygonOffset: true,
      polygonOffsetFactor: 1,
      polygonOffsetUnits: 1,
    });
    return new Mesh(geometry, material);
  }

  fit() {
    // The unit sphere fills the shorter side, with a little air.
    const half = (this.camera.fov * Math.PI) / 360;
    const narrow = Math.min(1, this.camera.aspect);
    const far = 1.04 / Math.sin(Math.atan(Math.tan(half) * narrow));
    this.camera.position.copy(this.from).multiplyScalar(far);
    this.controls.target.set(0, 0, 0);
    this.controls.minDistance = far * 0.05;
    this.controls.maxDistance = far * 4;
    this.controls.update();
    this.ask();
  }

  wire() {
    if (!this.wires) {
      const lines = new LineBasicMaterial({ color: 0x1f5e67, transparent: true, opacity: 0.55 });
      this.wires = new LineSegments(new WireframeGeometry(this.mesh.geometry), lines);
      this.wires.visible = false;
      this.mesh.add(this.wires);
    }
    this.wires.visible = !this.wires.visible;
    this.wireButton.setAttribute("aria-pressed", this.wires.visible);
    this.ask();
  }

  key(event) {
    const turns = {
      ArrowLeft: [-TURN, 0],
      ArrowRight: [TURN, 0],
      ArrowUp: [0, -TURN],
      ArrowDown: [0, TURN],
    };
    if (event.key in turns) this.turn(...turns[event.key]);
    else if (event.key === "+" || event.key === "=") this.zoom(0.87);
    else if (event.key === "-") this.zoom(1.15);
    else if (event.key === "f") this.fit();
    else if (event.key === "w") this.wire();
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  turn(round, over) {
    // Spherical measures from y up; this house stands on z.
    const { x, y, z } = this.camera.position.clone().sub(this.controls.target);
    const at = new Spherical().setFromVector3(new Vector3(x, z, -y));
    at.theta += round;
    at.phi = Math.min(Math.max(at.phi + over, 0.05), Math.PI - 0.05);
    const to = new Vector3().setFromSpherical(at);
    this.camera.position.set(to.x, -to.z, to.y).add(this.controls.target);
    this.controls.update();
    this.ask();
  }

  zoom(factor) {
    const offset = this.camera.position.sub(this.controls.target).multiplyScalar(factor);
    offset.clampLength(this.controls.minDistance, this.controls.maxDistance);
    offset.add(this.controls.target);
    this.controls.update();
    this.ask();
  }

  resize() {
    const { clientWidth: width, clientHeight: height } = this.stage;
    if (!width || !height) return;
    const before = this.camera.aspect;
    this.camera.aspect = width / height;
    this.camera.updateProjectionMatrix();
    this.renderer.setSize(width, height, false);
    if (before === 1) this.fit();
    this.ask();
  }

  /** Draws once in the next frame, and goes on only while the damping moves the camera. */
  ask() {
    if (this.asked) return;
    this.asked = true;
    requestAnimationFrame(() => {
      this.asked = false;
      this.controls.update();
      this.renderer.render(this.scene, this.camera);
    });
  }
}
