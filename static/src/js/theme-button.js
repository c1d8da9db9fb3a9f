// The button that goes round: as the system, light, dark.

const ROUND = ["auto", "light", "dark"];

export function themeBegin(button) {
  if (!button) return;
  const root = document.documentElement;
  const now = () => root.dataset.theme ?? "auto";
  const say = () => {
    button.title = button.dataset[now()];
    button.setAttribute("aria-label", button.title);
  };
  button.addEventListener("click", () => {
    const next = ROUND[(ROUND.indexOf(now()) + 1) % ROUND.length];
    if (next === "auto") delete root.dataset.theme;
    else root.dataset.theme = next;
    try {
      localStorage.setItem("theme", next);
    } catch {
      // Not kept then: the choice holds for this page.
    }
    say();
  });
  say();
}
