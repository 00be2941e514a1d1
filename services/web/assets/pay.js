// The card form, which is Stripe's. What comes out of it is a token, and the token goes to the shop in a form like any other.

import { polite } from "./announce.js";
import { mark, send, sending } from "./send.js";

const PLAIN_WORDS = "Check the number, the date and the code of your card.";
const NOT_LOADED = "The card form could not be loaded. Your tickets are still held: load this page again to try once more.";

function load(address) {
  return new Promise((loaded, failed) => {
    if (globalThis.Stripe) {
      loaded();
      return;
    }
    const script = document.createElement("script");
    script.src = address;
    script.addEventListener("load", loaded);
    script.addEventListener("error", () => failed(new Error(address)));
    document.head.append(script);
  });
}

/** The Payment Element, which knows every way to pay by card. Its token is a confirmation token. */
function paymentElement(stripe, { amount, currency, return: back }) {
  const dark = matchMedia("(prefers-color-scheme: dark)").matches;
  const elements = stripe.elements({
    mode: "payment", amount: Number(amount), currency, captureMethod: "manual", paymentMethodTypes: ["card"],
    appearance: { theme: dark ? "night" : "stripe" },
  });
  const element = elements.create("payment");
  return {
    element,
    async token() {
      const { error } = await elements.submit();
      if (error) return { error };
      const made = await stripe.createConfirmationToken({ elements, params: { return_url: back } });
      return made.error ? made : { token: made.confirmationToken.id };
    },
  };
}

/** The card element, where the script has no other. Its token is a card's. */
function cardElement(stripe) {
  const element = stripe.elements().create("card");
  return {
    element,
    async token() {
      const made = await stripe.createToken(element);
      return made.error ? made : { token: made.token.id };
    },
  };
}

async function tokenOf(card) {
  try {
    return await card.token();
  } catch {
    // A form that was not touched has nothing to say.
    return { error: { message: PLAIN_WORDS } };
  }
}

function complain(section, words) {
  const error = section.querySelector("[data-card-error]");
  error.textContent = words;
  error.hidden = false;
  error.setAttribute("role", "alert");
}

function payable(section, stripe) {
  const form = section.querySelector("[data-pay-form]");
  const button = section.querySelector("[data-pay-button]");
  const confirmationTokens = typeof stripe.createConfirmationToken === "function";
  const card = confirmationTokens ? paymentElement(stripe, section.dataset) : cardElement(stripe);
  card.element.mount(section.querySelector("[data-card]"));
  button.disabled = false;

  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    if (sending()) return;
    section.querySelector("[data-card-error]").hidden = true;
    mark(form, true);
    polite("Paying…");
    const { token, error } = await tokenOf(card);
    if (error) {
      mark(form, false);
      complain(section, error.message ?? PLAIN_WORDS);
      return;
    }
    form.elements.namedItem("token").value = token;
    await send(form);
  });
}

/** The bank asks the buyer; whatever the buyer answers, the server is asked what came of it. */
function authenticate(section, stripe) {
  const form = section.querySelector("[data-pay-form]");
  const clientSecret = section.dataset.clientSecret;

  async function question() {
    if (sending() || !clientSecret) return;
    mark(form, true);
    const { error } = typeof stripe.handleNextAction === "function"
      ? await stripe.handleNextAction({ clientSecret })
      : await stripe.confirmCardPayment(clientSecret);
    if (error?.type === "api_connection_error") {
      mark(form, false);
      complain(section, "Your bank could not be reached. Try again.");
      return;
    }
    await send(form);
  }

  form.addEventListener("submit", (event) => {
    event.preventDefault();
    question();
  });
  question();
}

const steps = { payable, authenticate };

export async function attach(section) {
  try {
    await load(section.dataset.script);
    const stripe = globalThis.Stripe(section.dataset.key);
    steps[section.dataset.pay](section, stripe);
  } catch {
    complain(section, NOT_LOADED);
  }
}
