// Keys of every page: "/" goes to the words, arrows walk over the cards.

const ARROWS = {
  ArrowLeft: [-1, 0],
  ArrowRight: [1, 0],
  ArrowUp: [0, -1],
  ArrowDown: [0, 1],
};

export function isTyping(target) {
  return target instanceof Element && target.closest("input, textarea, select, [contenteditable]");
}

export function isPlain(event) {
  return !(event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey);
}

export function keysBegin() {
  document.addEventListener("keydown", (event) => {
    if (!isPlain(event) || isTyping(event.target)) return;
    if (event.key === "/") wordsFocus(event);
    else if (event.key in ARROWS) cardsWalk(event, ...ARROWS[event.key]);
  });
}

function wordsFocus(event) {
  const field = document.querySelector("[data-slash]");
  if (!field) return;
  event.preventDefault();
  // The search page may first have to show the tab that holds the field.
  field.dispatchEvent(new CustomEvent("slash", { bubbles: true }));
  field.focus();
  field.select();
}

function cardsWalk(event, across, down) {
  const cards = [...document.querySelectorAll("[data-card] a.cover")];
  const at = cards.indexOf(document.activeElement);
  const nowhere = document.activeElement === document.body;
  // From nowhere only sideways: up and down belong to the page's scrolling.
  if (!cards.length || (at < 0 && !(nowhere && across))) return;
  const next = at < 0 ? cards[0] : across ? cards[at + across] : cardInNextRow(cards, at, down);
  if (!next) return;
  event.preventDefault();
  next.focus();
  next.closest("[data-card]").scrollIntoView({ block: "nearest" });
}

function cardInNextRow(cards, at, down) {
  const boxes = cards.map((card) => card.closest("[data-card]").getBoundingClientRect());
  const here = boxes[at];
  let best = null;
  let least = Infinity;
  boxes.forEach((box, index) => {
    const rows = (box.top - here.top) * down;
    if (rows < 2) return;
    // Rows count for more than columns: the next row's nearest card.
    const far = rows * 10 + Math.abs(box.left - here.left);
    if (far < least) [best, least] = [cards[index], far];
  });
  return best;
}
