// Files dropped anywhere on the page, folders included.

/** Shows a veil with `text` while files are dragged over the page; `taken` gets those let go. */
export function dropBegin(text, taken) {
  const root = document.documentElement;
  const veil = document.createElement("div");
  veil.className = "drop-veil";
  veil.textContent = text;
  veil.hidden = true;
  document.body.append(veil);
  let depth = 0; // enter and leave come for every element on the way
  const show = (on) => {
    veil.hidden = !on;
    root.classList.toggle("dragging", on);
    if (!on) depth = 0;
  };
  const holdsFiles = (event) => event.dataTransfer?.types.includes("Files");
  addEventListener("dragenter", (event) => {
    if (!holdsFiles(event)) return;
    depth += 1;
    show(true);
  });
  addEventListener("dragleave", (event) => {
    if (holdsFiles(event) && (depth -= 1) <= 0) show(false);
  });
  addEventListener("dragover", (event) => {
    if (!holdsFiles(event)) return;
    event.preventDefault();
    event.dataTransfer.dropEffect = "copy";
  });
  addEventListener("drop", async (event) => {
    if (!holdsFiles(event)) return;
    event.preventDefault();
    show(false);
    taken(await filesOf(event.dataTransfer));
  });
}

/** Every file of a drop, folders walked; a file in a folder carries its `path`. */
export async function filesOf(transfer) {
  // Entries must be asked for before the first await: the transfer is emptied after the event.
  const entries = [...transfer.items].map((item) => item.webkitGetAsEntry?.());
  if (!entries.some((entry) => entry?.isDirectory)) return [...transfer.files];
  const files = [];
  for (const entry of entries) if (entry) await walk(entry, files);
  return files;
}

async function walk(entry, files) {
  if (entry.isFile) {
    const file = await new Promise((done, failed) => entry.file(done, failed));
    file.path = entry.fullPath.replace(/^\//, "");
    files.push(file);
    return;
  }
  const reader = entry.createReader();
  // A reader gives a hundred entries at a time until it gives none.
  for (;;) {
    const some = await new Promise((done, failed) => reader.readEntries(done, failed));
    if (!some.length) return;
    for (const one of some) await walk(one, files);
  }
}
