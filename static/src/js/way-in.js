// Where a script's question is answered by the way to the login: the session has ended.

/** True when the answer sends people to the login, and the page is on its way there. */
export function wayInTaken(response) {
  const address = response.headers.get("HX-Redirect");
  if (address) location.assign(address);
  return Boolean(address);
}
