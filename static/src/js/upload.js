// The upload page: each file is sent alone, three at a time, and watched until it is ready.

import { dropBegin } from "./drop.js";
import { wayInTaken } from "./way-in.js";

const PARALLEL = 3;
const WATCHED = 4; // parts asked about at once; the rest wait their turn
const EVERY = 1000; // ms

const form = document.getElementById("upload");
const list = document.getElementById("upload-list");
const sum = document.getElementById("upload-sum");
const again = document.getElementById("upload-again");
const template = document.getElementById("upload-row");
const input = document.getElementById("id_files");
const folder = document.getElementById("folder");
const token = document.querySelector('meta[name="csrf-token"]').content;
const suffixes = input.accept.split(",");
const limit = Number(form.dataset.limit) * 1024 * 1024;

const jobs = [];
let queue = [];
let sending = 0;
const watched = new Map(); // part id -> job

function filesTake(files, { walked = false } = {}) {
  // Of a folder only what can be a mesh; a file chosen by name is sent, and refused in words.
  const wanted = [...files].filter(
    (file) => !(walked || file.path) || suffixes.some((end) => file.name.toLowerCase().endsWith(end)),
  );
  if (!wanted.length) return;
  document.getElementById("uploads").hidden = false;
  const fields = { category: form.elements.category.value, tags: form.elements.tags.value };
  for (const file of wanted) {
    const job = { file, fields, row: rowMake(file), state: "waiting" };
    jobs.push(job);
    queue.push(job);
  }
  pump();
}

function rowMake(file) {
  const row = template.content.firstElementChild.cloneNode(true);
  row.querySelector(".row-name").textContent = file.path || file.webkitRelativePath || file.name;
  row.querySelector(".row-size").textContent = sizeSay(file.size);
  const text = row.querySelector(".row-text");
  text.textContent = text.dataset.waiting;
  list.append(row);
  return row;
}

function sizeSay(bytes) {
  const [unit, size] =
    bytes < 1e3 ? ["byte", 1] : bytes < 1e6 ? ["kilobyte", 1e3] : ["megabyte", 1e6];
  const format = { style: "unit", unit, maximumFractionDigits: bytes < 1e7 ? 1 : 0 };
  return new Intl.NumberFormat(document.documentElement.lang, format).format(bytes / size);
}

function jobState(job, state, text) {
  job.row.classList.replace(job.state, state);
  job.state = state;
  const line = job.row.querySelector(".row-text");
  line.textContent = text ?? line.dataset[state];
  sumSay();
}

function pump() {
  while (sending < PARALLEL && queue.length) send(queue.shift());
  onbeforeunload = sending ? (event) => event.preventDefault() : null;
  sumSay();
}

function send(job) {
  const said = job.row.querySelector(".row-text").dataset;
  if (job.file.size > limit) return jobState(job, "failed", said.large);
  sending += 1;
  jobState(job, "sending");
  const bar = job.row.querySelector("progress");
  const body = new FormData();
  for (const [name, value] of Object.entries(job.fields)) if (value) body.append(name, value);
  body.append("file", job.file, job.file.name);
  const request = new XMLHttpRequest();
  request.open("POST", form.dataset.send);
  request.setRequestHeader("X-CSRFToken", token);
  request.upload.onprogress = (event) => {
    if (event.lengthComputable) bar.value = (100 * event.loaded) / event.total;
  };
  request.onload = () => {
    const answer = answerOf(request);
    if (answer?.id) received(job, answer, request.status === 201);
    else jobState(job, "failed", answer?.error?.message ?? said.lost);
  };
  request.onerror = () => jobState(job, "failed", said.lost);
  request.onloadend = () => {
    sending -= 1;
    pump();
  };
  request.send(body);
}

function answerOf(request) {
  try {
    return JSON.parse(request.responseText);
  } catch {
    return null; // a proxy's own page
  }
}

function received(job, answer, created) {
  const link = document.createElement("a");
  link.href = form.dataset.part + answer.id;
  const name = job.row.querySelector(".row-name");
  link.textContent = name.textContent;
  name.replaceChildren(link);
  jobState(job, created ? "new" : "here");
  job.ready = answer.status === "ready";
  if (!job.ready) watched.set(answer.id, job);
  watch();
}

// Steps of the parts, as the workers get on ---------------------------------------------------

let timer = 0;

function watch() {
  if (!timer && watched.size) timer = setTimeout(look, EVERY);
}

async function look() {
  // Parts are worked on in the order they came: the first ones are those to look at.
  const now = [...watched].slice(0, WATCHED);
  await Promise.all(now.map(([id, job]) => lookAt(id, job)));
  timer = 0;
  sumSay();
  watch();
}

async function lookAt(id, job) {
  try {
    const response = await fetch(`${form.dataset.part}${id}/progress?brief=1`, {
      headers: { "HX-Request": "true" },
    });
    if (!response.ok || wayInTaken(response)) return watched.delete(id);
    const work = job.row.querySelector(".row-work");
    await workShow(work, response);
    const state = work.querySelector("[data-state]")?.dataset.state;
    if (state === "ready" || state === "failed") {
      watched.delete(id);
      job.ready = state === "ready";
      if (state === "failed") {
        const why = work.textContent.trim();
        work.replaceChildren();
        jobState(job, "failed", why);
        job.kept = true; // it is in the catalogue: sending it again would change nothing
      }
    }
  } catch {
    // The network blinked: the next look tells.
  }
}

async function workShow(work, response) {
  const page = new DOMParser().parseFromString(await response.text(), "text/html");
  work.replaceChildren(...page.body.childNodes);
}

// A suggested category is answered in its row: leaving the page would lose the others.
list.addEventListener("submit", async (event) => {
  event.preventDefault();
  const work = event.target.closest(".row-work");
  const buttons = event.target.querySelectorAll("button");
  for (const button of buttons) button.disabled = true;
  const headers = { "X-CSRFToken": token, "HX-Request": "true" };
  try {
    const response = await fetch(event.submitter.formAction, { method: "POST", headers });
    if (wayInTaken(response)) return;
    if (response.ok) return await workShow(work, response);
  } catch {
    // The network blinked: the buttons come back.
  }
  for (const button of buttons) button.disabled = false;
});

function sumSay() {
  const count = (test) => jobs.filter(test).length;
  const failed = jobs.filter((job) => job.state === "failed");
  const numbers = {
    all: jobs.length,
    done: count((job) => !["waiting", "sending"].includes(job.state)),
    ready: count((job) => job.ready),
    failed: failed.length,
  };
  if (!jobs.length) return;
  sum.textContent = sum.dataset.text.replace(/{(\w+)}/g, (_, name) => numbers[name]);
  again.hidden = sending > 0 || !failed.some((job) => !job.kept);
}

again.addEventListener("click", () => {
  for (const job of jobs) {
    if (job.state !== "failed" || job.kept) continue;
    jobState(job, "waiting");
    queue.push(job);
  }
  pump();
});
input.addEventListener("change", () => {
  filesTake(input.files);
  input.value = "";
});
folder.addEventListener("change", () => {
  filesTake(folder.files, { walked: true });
  folder.value = "";
});
form.addEventListener("submit", (event) => event.preventDefault());
dropBegin(form.querySelector("h2").textContent, filesTake);
