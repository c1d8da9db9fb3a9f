// Every page: htmx, the colours, the keys, forms that send themselves, menus that close.

import htmx from "htmx.org";
import { keysBegin } from "./keys.js";
import { themeBegin } from "./theme-button.js";
import "./told.js";
import "./why.js";

themeBegin(document.getElementById("theme"));
keysBegin();

for (const form of document.querySelectorAll("form[data-autosubmit]")) {
  form.addEventListener("change", (event) => {
    if (event.target.matches("select")) form.requestSubmit();
  });
}

// A search changes the address after the page was written: whoever changes the language or logs in
// comes back to what is shown now.
const here = () => location.pathname + location.search;
document.querySelector("form[data-here]")?.addEventListener("submit", (event) => {
  event.currentTarget.elements.next.value = here();
});
document.querySelector("a[data-here]")?.addEventListener("click", (event) => {
  event.currentTarget.search = new URLSearchParams({ next: here() });
});

// What another script put into the page may ask for itself, too.
document.addEventListener("content", (event) => htmx.process(event.target));

document.addEventListener("click", (event) => {
  for (const menu of document.querySelectorAll("details.menu[open]")) {
    if (!menu.contains(event.target)) menu.open = false;
  }
});
document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  for (const menu of document.querySelectorAll("details.menu[open]")) {
    menu.open = false;
    menu.querySelector("summary").focus();
  }
});
