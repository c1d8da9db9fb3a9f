// Why a part was found, in a panel over the page. Without this script the same buttons open a page.
//
// The question of the answer that is on the page is kept here, file and all, from the moment the
// answer came: the form may say something else by now.

import { heatRead } from "./heat.js";
import { wayInTaken } from "./way-in.js";

const results = document.getElementById("results");
const form = document.getElementById("search");
const token = document.querySelector('meta[name="csrf-token"]')?.content;
let asked = null;
let panel = null;

if (results && form) {
  const keep = () => {
    if (results.querySelector("[data-why]")) asked = new FormData(form);
  };
  keep();
  new MutationObserver(keep).observe(results, { childList: true });
}

document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-why]");
  if (!button || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  open(button);
});

/** Asks as the button would, for its address or for the heat on the whole part. */
function ask(button, address) {
  const headers = { "HX-Request": "true" };
  if (button.matches("a")) {
    const { search } = new URL(button.href);
    return fetch(`${address}${search}`, { headers });
  }
  const body = new FormData();
  // The picture itself is here: what was cut out of it need not travel as well.
  const whole = asked.get("image")?.name;
  for (const [name, value] of asked) {
    if (value === "" || (value instanceof File && !value.name)) continue;
    if (name === "cutout" && whole) continue;
    body.append(name, value);
  }
  return fetch(address, { method: "POST", body, headers: { ...headers, "X-CSRFToken": token } });
}

async function open(button) {
  if (button.getAttribute("aria-busy")) return;
  button.setAttribute("aria-busy", "true");
  const address = (button.formAction || button.href).split("?")[0];
  try {
    const response = await ask(button, address);
    if (wayInTaken(response)) return;
    show(await response.text(), button);
  } catch {
    show("", button);
  } finally {
    button.removeAttribute("aria-busy");
  }
}

function show(html, button) {
  panel ??= panelMake();
  const page = new DOMParser().parseFromString(html, "text/html");
  const why = page.querySelector(".why");
  const close = panel.querySelector(".why-close");
  panel.replaceChildren(close, why ?? failure(page));
  close.ariaLabel = why?.dataset.close ?? "×";
  panel.setAttribute("aria-labelledby", "why-head");
  begin(panel, button);
  panel.showModal();
  panel.scrollTop = 0;
}

function failure(page) {
  const note = document.createElement("div");
  note.className = "note bad";
  note.setAttribute("role", "alert");
  const said = page.querySelector(".failure h1 + p")?.textContent.trim();
  note.textContent = said || form?.dataset.lost || "…";
  return note;
}

function panelMake() {
  const made = document.createElement("dialog");
  made.className = "why-panel";
  const close = document.createElement("button");
  close.type = "button";
  close.className = "button ghost square why-close";
  close.textContent = "✕";
  close.addEventListener("click", () => made.close());
  made.append(close);
  // A click beside the panel closes it, as Escape does; the browser gives the focus back.
  made.addEventListener("click", (event) => {
    if (event.target !== made) return;
    const { left, right, top, bottom } = made.getBoundingClientRect();
    const { clientX: x, clientY: y } = event;
    if (x < left || x > right || y < top || y > bottom) made.close();
  });
  // The page's own keys are not meant for what lies under the panel.
  made.addEventListener("keydown", (event) => event.key !== "Escape" && event.stopPropagation());
  document.body.append(made);
  return made;
}

/** What works inside an explanation: how strong the heat is, and the heat on the whole part. */
function begin(root, button) {
  const strength = root.querySelector("#why-strength");
  strength?.addEventListener("input", () => {
    strength.closest(".why").style.setProperty("--heat", strength.value);
  });
  const whole = root.querySelector('[data-do="surface"]');
  if (!button) {
    whole?.closest(".why-whole").remove();
    return;
  }
  whole?.addEventListener("click", () => surface(whole, button));
}

async function surface(whole, button) {
  whole.disabled = true;
  const box = whole.nextElementSibling;
  try {
    const [response, { viewerOpen }] = await Promise.all([
      ask(button, whole.dataset.address),
      import(box.dataset.bundle),
    ]);
    if (wayInTaken(response)) return;
    if (!response.ok) throw new Error(await response.text());
    const heat = heatRead(await response.arrayBuffer());
    box.hidden = false;
    whole.remove();
    await viewerOpen(box, heat);
  } catch {
    box.hidden = false;
    box.querySelector(".viewer-tools").hidden = true;
    box.querySelector(".viewer-stage").textContent = box.dataset.failed;
  }
}

// On a page of its own, which has no question at hand, the slider alone works.
const alone = document.querySelector(".why-page");
if (alone) begin(alone, null);
