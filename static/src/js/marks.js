// More like this, less like this: the marks live in the search's form, the server shows them.

/** Keeps the marks of `form`; without this script its buttons send it whole. */
export class Marks {
  constructor(form, words) {
    this.form = form;
    this.words = words;
    this.kept = form.querySelector("#marks");
  }

  /** What a pressed button of a card or a chip says; whether it was one. */
  take(button) {
    if (!["mark_more", "mark_less", "unmark"].includes(button?.name)) return false;
    this.fit();
    this.kept.querySelector(`[value="${CSS.escape(button.value)}"]:not([name="marked_for"])`)?.remove();
    if (button.name !== "unmark") this.keep(button.name.slice(5), button.value);
    this.pressed = { part: button.value, mark: button.dataset.mark };
    return true;
  }

  keep(name, value) {
    if (!this.kept.children.length) this.put("marked_for", this.asked());
    this.put(name, value);
  }

  put(name, value) {
    const input = document.createElement("input");
    input.type = "hidden";
    [input.name, input.value] = [name, value];
    this.kept.append(input);
  }

  /** Another picture or mesh is another question. */
  clear() {
    this.kept.replaceChildren();
  }

  /** Other words are another question; without marks none are kept for. */
  fit() {
    const made = this.kept.querySelector('[name="marked_for"]');
    if (made && (made.value !== this.asked() || this.kept.children.length === 1)) this.clear();
  }

  /** The words that are asked: none of those that another tab holds. */
  asked() {
    return this.words.matches(":disabled") ? "" : this.words.value.trim();
  }

  /** Back to where the keyboard was: the same button, else the part's chip, else the first card. */
  focus(results) {
    if (!this.pressed) return;
    const { part, mark } = this.pressed;
    this.pressed = null;
    const buttons = [...results.querySelectorAll(`button[value="${CSS.escape(part)}"]`)];
    const next =
      buttons.find((button) => button.dataset.mark === mark) ??
      buttons[0] ??
      results.querySelector(".hit-marks button, .hit a");
    next?.focus({ preventScroll: true });
  }
}
