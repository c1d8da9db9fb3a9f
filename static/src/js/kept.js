// A question with a file, kept while the page comes anew: in another language, or after the login.
//
// A file cannot be put into an address. It waits in this browser only, for ten minutes at most, and
// the next search page takes it out.

const NAME = "question";
const MOST = 10 * 60 * 1000; // ms

const answerOf = (request) =>
  new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });

async function questions(work) {
  const opening = indexedDB.open(NAME);
  opening.onupgradeneeded = () => opening.result.createObjectStore(NAME);
  const database = await answerOf(opening);
  try {
    return await work(database.transaction(NAME, "readwrite").objectStore(NAME));
  } finally {
    database.close();
  }
}

/** Keeps the fields of a form, `[[name, value or File], ...]`. */
export const questionKeep = (fields) =>
  questions((store) => answerOf(store.put({ fields, at: Date.now() }, NAME)));

/** The fields kept last, once; null when there are none. */
export async function questionTake() {
  const kept = await questions(async (store) => {
    const found = await answerOf(store.get(NAME));
    if (found) await answerOf(store.delete(NAME));
    return found;
  }).catch(() => null); // a browser that keeps nothing
  return kept && Date.now() - kept.at < MOST ? kept.fields : null;
}
