// The second look at a picture's hits: asked for when the first answer is on the page already.
//
// The cards that stay are the same elements, moved: what is opened, marked or focused in them stays
// so. Without this script the server does both at once.

import { wayInTaken } from "./way-in.js";

const results = document.getElementById("results");
const form = document.getElementById("search");
const TRIES = 3; // while others are being verified
const PAUSE = 1500; // ms between them
const token = document.querySelector('meta[name="csrf-token"]')?.content;
let running = null;

if (results && form) {
  new MutationObserver(look).observe(results, { childList: true });
  look();
}

/** Another answer came, or the page was loaded with one. */
function look() {
  running?.abort();
  const line = results.querySelector("[data-verify]");
  if (line) ask(line);
}

async function ask(line, tries = 1) {
  const mine = (running = new AbortController());
  const data = new FormData(form);
  for (const [name, value] of [...data]) {
    if (value === "" || (value instanceof File && !value.name)) data.delete(name);
  }
  data.delete("cutout"); // the picture itself is here
  data.set("verify", "now");
  data.set("verified_of", line.dataset.verify);
  try {
    const response = await fetch(form.action, {
      method: "POST",
      body: data,
      headers: { "HX-Request": "true", "X-CSRFToken": token },
      signal: mine.signal,
    });
    if (wayInTaken(response)) return;
    if (!response.ok) throw new Error(response.status);
    const page = new DOMParser().parseFromString(await response.text(), "text/html");
    if (mine.signal.aborted) return;
    if (tries < TRIES && page.querySelector(".verifying[data-busy]")) {
      setTimeout(() => mine.signal.aborted || ask(line, tries + 1), PAUSE);
      return;
    }
    cardsOrder(page);
    for (const said of [".verifying", ".took"]) {
      results.querySelector(said)?.replaceWith(page.querySelector(said) ?? "");
    }
  } catch (error) {
    if (error.name === "AbortError") return;
    line.replaceChildren(line.dataset.still);
  }
}

/** Puts the cards on the page into the order of the new answer's. */
function cardsOrder(page) {
  const list = results.querySelector(".hits");
  const wanted = page.querySelector(".hits");
  if (!list || !wanted) return;
  const focused = document.activeElement;
  const held = new Map([...list.children].map((card) => [card.dataset.part, card]));
  const before = new Map([...held].map(([part, card]) => [part, card.getBoundingClientRect()]));
  const cards = [...wanted.children].map((fresh) => {
    const card = held.get(fresh.dataset.part);
    if (!card) return document.adoptNode(fresh);
    held.delete(fresh.dataset.part);
    cardRenew(card, fresh);
    return card;
  });
  for (const card of held.values()) card.remove();
  list.className = wanted.className;
  cards.forEach((card, place) => {
    const there = list.children[place] ?? null;
    if (there === card) return;
    // Where the browser can, a moved element keeps its focus by itself.
    if (list.moveBefore && card.parentNode === list) list.moveBefore(card, there);
    else list.insertBefore(card, there);
  });
  if (focused !== document.activeElement && list.contains(focused)) {
    focused.focus({ preventScroll: true });
  }
  slide(cards, before);
}

/** What the second look changed in a card: its rank, and the picture in its corner. */
function cardRenew(card, fresh) {
  card.querySelector(".rank")?.replaceWith(fresh.querySelector(".rank") ?? "");
  const outline = fresh.querySelector(".outline");
  if (!outline) return;
  const corner = card.querySelector(".best-view, .outline");
  if (corner) corner.replaceWith(outline);
  else card.querySelector(".stage").append(outline);
}

function slide(cards, before) {
  if (matchMedia("(prefers-reduced-motion: reduce)").matches) return;
  for (const card of cards) {
    const from = before.get(card.dataset.part);
    const to = card.getBoundingClientRect();
    if (!from) card.animate({ opacity: [0, 1] }, 250);
    else if (from.left !== to.left || from.top !== to.top) {
      const shift = `${from.left - to.left}px ${from.top - to.top}px`;
      card.animate({ translate: [shift, "0 0"] }, { duration: 350, easing: "ease-out" });
    }
  }
}
