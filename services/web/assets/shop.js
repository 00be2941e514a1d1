// The one script of every page. It loads what the page asks for; without it everything still works.

const features = [
  ["form[data-confirm]", "./confirm.js"],
  ["form[data-once]", "./send.js"],
  ["[data-quantity]", "./quantity.js"],
  ["[data-availability]", "./availability.js"],
  ["[data-order]", "./order.js"],
  ["[data-expires]", "./countdown.js"],
  ["[data-pay]", "./pay.js"],
  ["[data-print]", "./print.js"],
];

let page = new AbortController();

/** Brings the page to life; what lived before, when another page takes its place, ends. */
export async function start() {
  page.abort();
  page = new AbortController();
  const { signal } = page;
  const wanted = features
    .map(([selector, module]) => [[...document.querySelectorAll(selector)], module])
    .filter(([elements]) => elements.length > 0);
  await Promise.all(wanted.map(async ([elements, module]) => {
    const { attach } = await import(module);
    elements.forEach((element) => attach(element, signal));
  }));
  // Tests, and nobody else, wait for this.
  document.documentElement.dataset.scripts = "ready";
}

start();
