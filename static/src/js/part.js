// The page of a part: the viewer, fetched only when there is something to show in it.

function viewersBegin() {
  for (const box of document.querySelectorAll("[data-viewer]:not(.begun)")) {
    box.classList.add("begun");
    import(box.dataset.viewer)
      .then(({ viewerOpen }) => viewerOpen(box))
      .catch(() => {
        // No WebGL here, or the mesh did not come: the picture stays.
        box.querySelector(".viewer-tools").hidden = true;
        box.querySelector(".viewer-stage").title = box.dataset.failed;
      });
  }
}

viewersBegin();
document.addEventListener("htmx:load", viewersBegin);
