// Many categories: a field above their boxes leaves those whose names hold what is typed.

const field = document.getElementById("category-narrow");
const boxes = document.getElementById("category-checks");

function narrow() {
  const asked = field.value.trim().toLowerCase();
  for (const label of boxes.querySelectorAll("label")) {
    // What is ticked stays in sight: it counts.
    label.hidden = !label.control.checked && !label.textContent.toLowerCase().includes(asked);
  }
}

if (field) {
  field.addEventListener("input", narrow);
  // It is no filter itself: neither leaving it nor Enter asks again.
  field.addEventListener("change", (event) => event.stopPropagation());
  field.addEventListener("keydown", (event) => {
    if (event.key === "Enter") event.preventDefault();
  });
  // The filters are emptied by another listener of this click.
  field.form
    .querySelector('[data-do="clear-filters"]')
    .addEventListener("click", () => setTimeout(narrow));
}
