// The search page: tabs without leaving, pictures by drop, paste and camera, answers in place.
//
// Without this script the same form works by itself; nothing here is known to the server but the
// header that asks for the answer alone.

import { dropBegin } from "./drop.js";
import { Framer } from "./framer.js";
import { judgeBegin } from "./judge.js";
import { questionKeep, questionTake } from "./kept.js";
import { isPlain, isTyping } from "./keys.js";
import { Marks } from "./marks.js";
import "./narrow.js";
import "./verify.js";
import { wayInTaken } from "./way-in.js";

const TABS = ["picture", "text", "both", "stl"];
const PAUSE = 350; // ms of quiet before a changed frame or filter asks again

const form = document.getElementById("search");
const results = document.getElementById("results");
const picture = document.getElementById("id_image");
const camera = document.getElementById("id_camera");
const mesh = document.getElementById("id_mesh");
const words = document.getElementById("id_q");
const alpha = document.getElementById("id_alpha");
const pictureDrop = document.getElementById("picture-drop");
const meshName = document.getElementById("mesh-name");
const said = document.getElementById("said");
const token = document.querySelector('meta[name="csrf-token"]').content;

let asked = Boolean(results.querySelector(".took, .note"));
let running = null;
let waiting = 0;

const marks = new Marks(form, words);
const framer = new Framer(document.getElementById("framer"), {
  changed(box) {
    const edges = ["crop_left", "crop_top", "crop_right", "crop_bottom"];
    edges.forEach((edge, i) => {
      form.elements[edge].value = box ? (box[i] * 100).toFixed(2) : "";
    });
    askSoon();
  },
});

// Tabs ------------------------------------------------------------------------------------------

const tabNow = () => form.dataset.tab;

function tabShow(tab) {
  if (tab !== tabNow()) marks.clear();
  form.dataset.tab = form.elements.tab.value = tab;
  form.method = tab === "text" ? "get" : "post";
  for (const part of form.querySelectorAll("[data-for]")) {
    const on = part.dataset.for.split(" ").includes(tab);
    part.hidden = !on;
    const fields = part.matches("fieldset") ? [part] : part.querySelectorAll("select");
    for (const field of fields) field.disabled = !on;
  }
  for (const link of form.querySelectorAll(".tabs a")) {
    if (link.dataset.tab === tab) link.setAttribute("aria-current", "true");
    else link.removeAttribute("aria-current");
  }
  idleSay();
  history.replaceState(null, "", tab === "picture" ? form.action : `${form.action}?tab=${tab}`);
}

function idleSay() {
  const input = { picture, stl: mesh }[tabNow()];
  form.classList.toggle("idle", Boolean(input && !input.files.length));
}

form.querySelector(".tabs").addEventListener("click", (event) => {
  const link = event.target.closest("a[data-tab]");
  if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  tabShow(link.dataset.tab);
});

document.addEventListener("keydown", (event) => {
  if (!isPlain(event) || isTyping(event.target)) return;
  const tab = TABS[Number(event.key) - 1];
  if (!tab) return;
  event.preventDefault();
  tabShow(tab);
  form.querySelector(`.tabs a[data-tab="${tab}"]`).focus();
});
words.addEventListener("slash", () => {
  if (words.matches(":disabled")) tabShow("text");
});

// Files -----------------------------------------------------------------------------------------

function fileIn(input, file) {
  const transfer = new DataTransfer();
  if (file) transfer.items.add(file);
  input.files = transfer.files;
}

function pictureTake(file) {
  if (tabNow() !== "both") tabShow("picture");
  if (picture.files[0] !== file) fileIn(picture, file);
  marks.clear();
  for (const edge of ["left", "top", "right", "bottom"]) form.elements[`crop_${edge}`].value = "";
  framer.show(file);
  pictureDrop.hidden = true;
  idleSay();
  ask();
}

function pictureLeave() {
  fileIn(picture, null);
  framer.hide();
  pictureDrop.hidden = false;
  idleSay();
  picture.focus();
}

function meshTake(file) {
  tabShow("stl");
  if (mesh.files[0] !== file) fileIn(mesh, file);
  marks.clear();
  meshName.textContent = file.name;
  idleSay();
  ask();
}

function isMesh(file) {
  const name = file.name.toLowerCase();
  return form.dataset.mesh.split(" ").some((suffix) => name.endsWith(suffix));
}

const fileTake = (file) => (isMesh(file) ? meshTake(file) : pictureTake(file));

picture.addEventListener("change", () => picture.files[0] && pictureTake(picture.files[0]));
camera.addEventListener("change", () => camera.files[0] && pictureTake(camera.files[0]));
mesh.addEventListener("change", () => mesh.files[0] && meshTake(mesh.files[0]));
form.querySelector('[data-do="remove"]').addEventListener("click", pictureLeave);
document.addEventListener("paste", (event) => {
  const file = event.clipboardData?.files[0];
  if (!file) return;
  event.preventDefault();
  fileTake(file);
});
dropBegin(form.dataset.drop, ([file]) => file && fileTake(file));

// Asking ----------------------------------------------------------------------------------------

function question() {
  marks.fit();
  const data = new FormData(form);
  if (tabNow() === "text") data.delete("csrfmiddlewaretoken");
  for (const [name, value] of [...data]) {
    if (value === "" || (value instanceof File && !value.name)) data.delete(name);
  }
  return data;
}

function complete(data) {
  return {
    picture: data.has("image"),
    text: data.has("q"),
    both: data.has("image") || data.has("q"),
    stl: data.has("mesh"),
  }[tabNow()];
}

function askSoon() {
  clearTimeout(waiting);
  waiting = setTimeout(() => complete(question()) && ask(), PAUSE);
}

async function ask() {
  clearTimeout(waiting);
  running?.abort();
  const mine = (running = new AbortController());
  const data = question();
  const text = tabNow() === "text";
  const address = text ? `${form.action}?${new URLSearchParams(data)}` : form.action;
  results.setAttribute("aria-busy", "true");
  const bones = setTimeout(bonesShow, 180);
  try {
    const response = await fetch(address, {
      method: text ? "GET" : "POST",
      body: text ? null : data,
      headers: { "HX-Request": "true", "X-CSRFToken": token },
      signal: mine.signal,
    });
    if (wayInTaken(response)) return;
    const html = await response.text();
    if (mine.signal.aborted) return;
    results.replaceChildren(...answerOf(html));
    asked = true;
    if (text) history.pushState(null, "", address);
    answerShown();
  } catch (error) {
    if (error.name === "AbortError") return;
    results.replaceChildren(noteOf(form.dataset.lost));
  } finally {
    clearTimeout(bones);
    if (running === mine) results.removeAttribute("aria-busy");
  }
}

/** The answer's nodes; of a whole page (a refusal before any view saw it) what it says. */
function answerOf(html) {
  const page = new DOMParser().parseFromString(html, "text/html");
  const failure = page.querySelector(".failure");
  return failure ? [noteOf(failure.querySelector("h1 + p").textContent.trim())] : page.body.childNodes;
}

function noteOf(sentence) {
  const note = document.createElement("div");
  note.className = "note bad";
  note.setAttribute("role", "alert");
  note.textContent = sentence;
  return note;
}

function bonesShow() {
  results.replaceChildren(document.getElementById("bones").content.cloneNode(true));
}

function answerShown() {
  marks.focus(results);
  // Those who listen hear how many came, not every card.
  said.textContent = results.querySelector(".found-head > div, .note")?.innerText ?? "";
  const cut = document.getElementById("cut");
  if (cut?.dataset.cut) framer.found(cut.dataset.box.split(" ").map(Number));
  // On a phone the answer lies below the question.
  const top = results.getBoundingClientRect().top;
  if (top > innerHeight * 0.7) {
    const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
    results.scrollIntoView({ block: "start", behavior: still ? "auto" : "smooth" });
  }
}

form.addEventListener("submit", (event) => {
  event.preventDefault();
  marks.take(event.submitter);
  const data = question();
  if (complete(data)) return ask();
  const first = { picture, text: words, both: words, stl: mesh }[tabNow()];
  if (first === words) words.focus();
  else first.click();
});

judgeBegin(results);
results.addEventListener("click", (event) => {
  if (!event.target.closest('[data-do="reframe"]')) return;
  framer.begin();
  form.scrollIntoView({ block: "nearest" });
});

// Words ready to be asked: examples, samples, and the other wordings of what was asked.
document.addEventListener("click", (event) => {
  const chip = event.target.closest(".finder .chip");
  if (!chip || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  if (chip.dataset.expand === undefined) {
    tabShow("text");
    words.value = new URL(chip.href).searchParams.get("q");
  } else {
    form.elements.expand.checked = chip.dataset.expand === "no";
  }
  ask();
});

// Filters ---------------------------------------------------------------------------------------

const filters = form.querySelector(".filters");
filters.addEventListener("change", () => asked && askSoon());
filters.querySelector('[data-do="clear-filters"]').addEventListener("click", () => {
  for (const field of filters.querySelectorAll("input, select")) {
    if (field.type === "checkbox") field.checked = false;
    else if (field.matches("select")) field.selectedIndex = 0;
    else field.value = "";
  }
  if (asked) askSoon();
});

function alphaSay() {
  form.querySelector("output").value = `${Math.round(alpha.value * 100)}%`;
}
alpha.addEventListener("input", alphaSay);
alpha.addEventListener("change", () => asked && askSoon());
alphaSay();

// The page anew ----------------------------------------------------------------------------------

// Going back to other words shows what they found; a reload brings it whole.
addEventListener("popstate", () => location.reload());

// Another language and the login bring the page anew, by its address, which holds words only.
for (const leave of document.querySelectorAll("[data-here]")) {
  const kind = leave.matches("form") ? "submit" : "click";
  leave.addEventListener(kind, async function keep(event) {
    const data = question();
    if (tabNow() === "text" || !asked || !complete(data)) return;
    event.preventDefault();
    leave.removeEventListener(kind, keep);
    data.delete("csrfmiddlewaretoken");
    await questionKeep([...data]).catch(() => {});
    if (kind === "submit") leave.requestSubmit(event.submitter);
    else leave.click();
  });
}

/** The fields as they were; boxes that were not ticked are not among them. */
function fieldsFill(fields) {
  tabShow(new Map(fields).get("tab"));
  for (const box of form.querySelectorAll("input[type=checkbox]")) box.checked = false;
  for (const [name, value] of fields) {
    if (["marked_for", "more", "less"].includes(name)) marks.put(name, value);
    for (const field of form.querySelectorAll(`[name="${name}"]:not(:disabled, [type=hidden])`)) {
      if (value instanceof File) fileIn(field, value);
      else if (field.type !== "checkbox") field.value = value;
      else if (field.value === value) field.checked = true;
    }
  }
  alphaSay();
}

/** Asks what the fields hold; their file is shown. */
function heldAsk() {
  if (picture.files[0]) {
    framer.show(picture.files[0]);
    pictureDrop.hidden = true;
    const box = ["left", "top", "right", "bottom"].map((edge) => form.elements[`crop_${edge}`].value);
    if (box.every(Boolean)) framer.set(box.map((share) => share / 100));
  }
  if (mesh.files[0]) meshName.textContent = mesh.files[0].name;
  idleSay();
  if (complete(question())) ask();
}

addEventListener("pageshow", async () => {
  if (asked) return;
  const fields = await questionTake();
  if (fields) fieldsFill(fields);
  // A browser that kept the chosen file over a reload or a way back asks with it again.
  if (fields || picture.files[0] || mesh.files[0]) heldAsk();
});
