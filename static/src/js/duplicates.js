// The page of duplicates by keys: on a part of a pair, a letter presses the pair's button.

import { isPlain, isTyping } from "./keys.js";

document.addEventListener("keydown", (event) => {
  if (!isPlain(event) || isTyping(event.target)) return;
  const pair = document.activeElement?.closest("[data-pair]");
  const button = pair?.querySelector(`[data-key="${CSS.escape(event.key.toLowerCase())}"]`);
  if (!button) return;
  event.preventDefault();
  button.click();
});

// The card that was decided has gone: go on from the next pair.
document.addEventListener("htmx:afterSwap", (event) => {
  const decided = document.getElementById(event.detail.target?.id ?? "") ?? event.detail.elt;
  const pairs = [...document.querySelectorAll(".pair")];
  const next = pairs.slice(pairs.indexOf(decided) + 1).find((pair) => pair.matches("[data-pair]"));
  next?.querySelector("a.cover")?.focus();
});
