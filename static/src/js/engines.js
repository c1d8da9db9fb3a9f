// Keeps the admin's page of engines up to date while one of them is at work.

const EVERY_MS = 3000;

async function renew() {
  if (document.hidden) return;
  const answer = await fetch(location.href, { headers: { Accept: "text/html" } }).catch(() => null);
  if (!answer?.ok || answer.redirected) return;
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  for (const fresh of page.querySelectorAll(".engine")) {
    const shown = document.getElementById(fresh.id);
    // Where only the numbers moved, whatever somebody is choosing there stays as it is.
    if (shown?.dataset.state === fresh.dataset.state && shown.className === fresh.className) {
      shown.querySelector("[data-progress]").replaceWith(fresh.querySelector("[data-progress]"));
    } else if (shown) {
      shown.replaceWith(fresh);
    } else {
      location.reload();
    }
  }
}

setInterval(renew, EVERY_MS);
