// What staff say of hits: thumbs in place, and which hits they open.
//
// Without this script a thumb is a form that sends itself; an opened hit is then not noted.

const IN_PLACE = { "X-Requested-With": "judge" };

export function judgeBegin(results) {
  results.addEventListener("submit", (event) => {
    const form = event.target.closest("form.judge");
    if (!form) return;
    event.preventDefault();
    thumbSend(form, event.submitter);
  });
  for (const kind of ["click", "auxclick"]) {
    results.addEventListener(kind, (event) => {
      const card = event.target.closest("a.cover") && event.target.closest(".hit");
      const form = card?.querySelector("form.judge");
      if (form) clickSend(form);
    });
  }
}

async function thumbSend(form, button) {
  const place = button.classList.contains("up") ? ".up" : ".down";
  form.setAttribute("aria-busy", "true");
  try {
    const body = new FormData(form, button);
    const answer = await fetch(form.action, { method: "POST", body, headers: IN_PLACE });
    if (!answer.ok || answer.redirected) throw new Error(answer.status);
    const held = document.createElement("template");
    held.innerHTML = (await answer.text()).trim();
    const fresh = held.content.firstElementChild;
    form.replaceWith(fresh);
    fresh.querySelector(place).focus();
  } catch {
    // The form itself says what is wrong, on a page of its own.
    form.removeAttribute("aria-busy");
    const thumb = Object.assign(document.createElement("input"), {
      type: "hidden",
      name: "thumb",
      value: button.value,
    });
    form.append(thumb);
    form.submit();
  }
}

function clickSend(form) {
  const body = new FormData(form);
  body.delete("thumb");
  // Kept alive over the change of page; nobody waits for it.
  fetch(`${form.action}/click`, { method: "POST", body, keepalive: true }).catch(() => {});
}
