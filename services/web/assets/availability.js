// How many tickets are left, as it changes. Events from the server while they come; questions to it while they do not.

import { polite } from "./announce.js";

// A stream ends from time to time and comes back at once; that is no news.
const PATIENCE_MS = 2500;
const QUESTIONS_MS = 4000;
const LISTEN_AGAIN_MS = 30_000;

function marks(section, free) {
  for (const stub of section.querySelectorAll("[data-ticket]")) {
    const gone = !free.has(stub.dataset.ticket);
    if (stub.classList.toggle("stub-gone", gone) && !stub.querySelector("[data-gone]")) {
      const state = document.createElement("p");
      state.dataset.gone = "";
      state.innerHTML = '<span class="state state-reserved">Reserved</span>';
      stub.querySelector(".stub-tear").append(state);
    } else if (!gone) {
      stub.querySelector("[data-gone]")?.remove();
    }
  }
}

function words(free, isAll) {
  if (free === 0) return "Sold out";
  return isAll ? "left" : "or more left";
}

/** A page that was sold out has no form; what came back is a page further. */
function offer(section, free) {
  const quick = section.querySelector(".quick");
  // What has the focus does not vanish; the server refuses it in words.
  if (quick && !quick.contains(document.activeElement)) quick.hidden = free === 0;
  const link = section.querySelector("[data-again]");
  if (free === 0) {
    link?.remove();
  } else if (!quick && !link) {
    const again = document.createElement("a");
    again.dataset.again = "";
    again.href = location.pathname;
    again.textContent = "Show them";
    section.querySelector(".stock").append(" ", again);
  }
}

function show(section, { free, isAll = true, tickets, prices }) {
  const number = section.querySelector("[data-free]");
  const before = Number(number.textContent);
  number.textContent = free;
  number.hidden = free === 0;
  section.querySelector("[data-free-word]").textContent = words(free, isAll);
  if (free === 0 && before > 0) polite("Sold out.");
  if (free > 0 && before === 0) polite("Tickets are available again.");
  offer(section, free);
  if (tickets && isAll) marks(section, new Set(tickets));
  const quantity = section.querySelector("[data-quantity]");
  if (quantity && prices?.length) {
    quantity.dataset.prices = prices.join(" ");
    quantity.max = prices.length;
    quantity.dispatchEvent(new Event("change"));
  }
}

export function attach(section, signal) {
  const { live, availability } = section.dataset;
  const stale = section.querySelector("[data-stale]");
  let source = null;
  let waiting = null;
  let questions = null;
  let again = null;

  function tell(news) {
    stale.hidden = !news.stale;
    show(section, news);
  }

  function doubt() {
    stale.hidden = false;
    ask();
    questions = setInterval(ask, QUESTIONS_MS);
  }

  function trust() {
    clearTimeout(waiting);
    clearInterval(questions);
    waiting = null;
    questions = null;
  }

  async function ask() {
    try {
      const answer = await fetch(availability, { headers: { accept: "application/json" }, cache: "no-store" });
      if (answer.ok) tell(await answer.json());
      else stale.hidden = false;
    } catch {
      stale.hidden = false;
    }
  }

  function stop() {
    source?.close();
    source = null;
    trust();
    clearTimeout(again);
  }

  function listen() {
    stop();
    source = new EventSource(live);
    source.addEventListener("message", ({ data }) => {
      trust();
      tell(JSON.parse(data));
    });
    source.addEventListener("error", () => {
      if (waiting === null && questions === null) waiting = setTimeout(doubt, PATIENCE_MS);
      // The browser tries again by itself unless it was refused.
      if (source.readyState === EventSource.CLOSED) {
        clearTimeout(again);
        again = setTimeout(listen, LISTEN_AGAIN_MS);
      }
    });
  }

  listen();
  // An open connection would keep the page out of the history.
  addEventListener("pagehide", stop, { signal });
  addEventListener("pageshow", (event) => { if (event.persisted) listen(); }, { signal });
  signal.addEventListener("abort", stop);
}
