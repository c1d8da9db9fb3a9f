// The page where a piece is inspected from: photos by drop, paste, choice and camera.
//
// Without this script the form sends itself. With it the same form is sent, with a bar that fills,
// and a part that was not chosen is looked for by the first photo.

import { dropBegin } from "./drop.js";
import { wayInTaken } from "./way-in.js";

const form = document.getElementById("qc-form");
const input = document.getElementById("qc-photo");
const token = document.querySelector('meta[name="csrf-token"]').content;
let photos = [];
let sending = null;

/** The part chosen: htmx exchanges the box that holds it. */
const partChosen = () => form.elements.part?.value;

function photosTake(files) {
  const wanted = [...files].filter((file) => file.type.startsWith("image/") || !file.type);
  const room = Number(form.dataset.most) - photos.length;
  const large = wanted.find((file) => file.size > form.dataset.limit * 1024 * 1024);
  const { large: tooLarge, many, none } = form.dataset;
  faultSay(large ? tooLarge : wanted.length > room ? many : wanted.length ? "" : none);
  if (large || !wanted.length) return;
  const first = !photos.length;
  photos = photos.concat(wanted.slice(0, room));
  photosShow();
  if (first && photos.length && !partChosen()) partAsk();
}

function photosShow() {
  const list = document.getElementById("qc-thumbs");
  for (const image of list.querySelectorAll("img")) URL.revokeObjectURL(image.src);
  const template = document.getElementById("qc-thumb");
  list.replaceChildren(
    ...photos.map((file) => {
      const row = template.content.firstElementChild.cloneNode(true);
      const image = row.querySelector("img");
      image.alt = file.name;
      image.src = URL.createObjectURL(file);
      // A kind that this browser cannot show; the server may.
      image.onerror = () => image.replaceWith(Object.assign(document.createElement("span"), { textContent: file.name, className: "small" }));
      row.querySelector("button").addEventListener("click", () => {
        photos = photos.filter((other) => other !== file);
        photosShow();
        (list.querySelector("button") ?? input).focus();
      });
      return row;
    }),
  );
  list.hidden = !photos.length;
  document.getElementById("qc-drop").classList.toggle("more", photos.length > 0);
  document.getElementById("qc-drop").hidden = photos.length >= Number(form.dataset.most);
  const transfer = new DataTransfer();
  for (const file of photos) transfer.items.add(file);
  input.files = transfer.files;
}

/** The parts that the first photo looks like, where the part is chosen. */
async function partAsk() {
  const box = document.getElementById("qc-choices");
  if (!box) return;
  box.setAttribute("aria-busy", "true");
  const body = new FormData();
  body.append("photo", photos[0]);
  try {
    const response = await fetch(form.dataset.byPhoto, {
      method: "POST",
      body,
      headers: { "HX-Request": "true", "X-CSRFToken": token },
    });
    if (wayInTaken(response)) return;
    const page = new DOMParser().parseFromString(await response.text(), "text/html");
    box.replaceChildren(...page.body.childNodes);
    box.dispatchEvent(new Event("content", { bubbles: true }));
    document.getElementById("qc-said").textContent = box.querySelector("h3, .note")?.textContent.trim() ?? "";
    if (matchMedia("(max-width: 799px)").matches) box.scrollIntoView({ block: "nearest" });
  } catch {
    faultSay(form.dataset.lost);
  } finally {
    box.removeAttribute("aria-busy");
  }
}

function faultSay(sentence) {
  const box = document.getElementById("qc-faults");
  box.replaceChildren();
  if (!sentence) return;
  const note = document.createElement("div");
  note.className = "note bad";
  note.setAttribute("role", "alert");
  note.textContent = sentence;
  box.append(note);
  box.scrollIntoView({ block: "nearest" });
}

function send() {
  const bar = document.getElementById("qc-sent");
  const go = document.getElementById("qc-go");
  const request = (sending = new XMLHttpRequest());
  request.open("POST", form.action);
  request.upload.onprogress = (event) => {
    if (event.lengthComputable) bar.value = (100 * event.loaded) / event.total;
  };
  request.onload = () => {
    const page = new DOMParser().parseFromString(request.responseText, "text/html");
    if (request.status < 300) return location.assign(request.responseURL);
    const said = page.querySelector("#qc-faults .note, .failure h1 + p")?.textContent.trim();
    faultSay(said || form.dataset.lost);
  };
  request.onerror = () => faultSay(form.dataset.lost);
  request.onloadend = () => {
    bar.hidden = true;
    go.disabled = false;
    sending = null;
  };
  bar.value = 0;
  bar.hidden = false;
  go.disabled = true;
  request.send(new FormData(form));
}

function formBegin() {
  const camera = document.getElementById("qc-camera");
  input.addEventListener("change", () => photosTake(input.files));
  camera.addEventListener("change", () => {
    photosTake(camera.files);
    camera.value = "";
  });
  // The field is filled anew at each change: what the browser kept over a way back is asked with.
  if (input.files.length) photosTake(input.files);
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    if (sending) return;
    if (!photos.length) return input.click();
    if (!partChosen()) return partAsk();
    send();
  });
  document.addEventListener("paste", (event) => {
    const files = event.clipboardData?.files;
    if (!files?.length) return;
    event.preventDefault();
    photosTake(files);
  });
  dropBegin(form.dataset.drop, photosTake);
}

if (form && input) formBegin();
document.querySelector('[data-do="print"]')?.addEventListener("click", () => print());
