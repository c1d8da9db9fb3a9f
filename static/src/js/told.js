// What went wrong with a button that htmx pressed: htmx itself keeps quiet about refusals.

document.addEventListener("htmx:responseError", (event) => {
  const { xhr, requestConfig } = event.detail;
  if (isAsked(requestConfig)) tell(sentenceOf(xhr.responseText));
});
document.addEventListener("htmx:sendError", (event) => {
  // A page that looks again every second asks on by itself.
  if (isAsked(event.detail.requestConfig)) tell("");
});

/** Whether a person asked, and not the page for itself. */
function isAsked(config) {
  return config?.verb !== "get" || config.triggeringEvent?.type === "click";
}

/** The sentence of a note, or of a whole page that refuses. */
function sentenceOf(html) {
  const page = new DOMParser().parseFromString(html, "text/html");
  return page.querySelector(".failure h1 + p, .note > div")?.textContent.trim() ?? "";
}

function tell(sentence) {
  const box = document.getElementById("told");
  const note = box.querySelector(".note").cloneNode(true);
  note.hidden = false;
  if (sentence) note.querySelector("div").textContent = sentence;
  note.querySelector("button").addEventListener("click", () => note.remove());
  box.querySelector(".note:not([hidden])")?.remove();
  box.append(note);
}
