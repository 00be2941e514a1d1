// Says things to those who do not see the page change. The two regions are in every page's HTML.

function say(id, words) {
  const region = document.getElementById(id);
  if (!region) return;
  // The same words twice are a change only if the region was empty in between.
  region.textContent = "";
  requestAnimationFrame(() => { region.textContent = words; });
}

/** Waits until the reader has finished. */
export const polite = (words) => say("polite", words);

/** Interrupts. */
export const assertive = (words) => say("assertive", words);
