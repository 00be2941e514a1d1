// The double's script for browsers: as much of Stripe's as a page needs that pays with the Payment Element and confirmation tokens.
// Unlike Stripe's, its fields are the page's own and no frame's. No money moves.
(() => {
  const origin = new URL(document.currentScript.src).origin;

  async function call(key, method, path, fields = {}) {
    const form = new URLSearchParams(fields);
    const query = method === "GET" ? `?${form}` : "";
    try {
      const answer = await fetch(`${origin}${path}${query}`, {
        method,
        headers: { authorization: `Bearer ${key}` },
        body: method === "GET" ? undefined : form,
      });
      return await answer.json();
    } catch {
      return { error: { type: "api_connection_error", message: "Stripe could not be reached." } };
    }
  }

  const FIELDS = [
    ["number", "Card number", "cc-number"],
    ["expiry", "Expiration date (MM/YY)", "cc-exp"],
    ["cvc", "Security code", "cc-csc"],
  ];

  class PaymentElement {
    #listeners = {};
    #inputs = {};

    mount(place) {
      const node = typeof place === "string" ? document.querySelector(place) : place;
      for (const [name, words, autocomplete] of FIELDS) {
        const label = document.createElement("label");
        const input = document.createElement("input");
        input.name = `stripe-${name}`;
        input.autocomplete = autocomplete;
        input.inputMode = "numeric";
        label.append(words, input);
        node.append(label);
        this.#inputs[name] = input;
      }
      queueMicrotask(() => this.#listeners.ready?.());
    }

    on(event, listener) {
      this.#listeners[event] = listener;
      return this;
    }

    card() {
      const [month = "", year = ""] = this.#inputs.expiry.value.split("/").map((part) => part.trim());
      return {
        number: this.#inputs.number.value.replaceAll(" ", ""),
        exp_month: month,
        exp_year: year.length === 2 ? `20${year}` : year,
        cvc: this.#inputs.cvc.value,
      };
    }
  }

  const incomplete = { type: "validation_error", message: "Your card information is incomplete." };

  /** The bank's question, as a dialog over the page. */
  function ask() {
    const dialog = document.createElement("dialog");
    const words = document.createElement("p");
    words.id = "stripe-bank";
    words.textContent = "Your bank asks: is it you?";
    dialog.setAttribute("aria-labelledby", words.id);
    const answers = [["yes", "Complete authentication"], ["no", "Fail authentication"]].map(([value, text]) => {
      const button = document.createElement("button");
      button.textContent = text;
      button.addEventListener("click", () => dialog.close(value));
      return button;
    });
    dialog.append(words, ...answers);
    document.body.append(dialog);
    dialog.showModal();
    return new Promise((answered) => {
      dialog.addEventListener("close", () => {
        dialog.remove();
        answered(dialog.returnValue === "yes");
      });
    });
  }

  globalThis.Stripe = (key) => ({
    elements({ mode, amount, currency }) {
      if (mode !== "payment" || !Number.isInteger(amount) || !currency) {
        throw new Error("elements() needs a mode, an amount and a currency");
      }
      let element = null;
      return {
        create(type) {
          if (type !== "payment") throw new Error(`there is no element of type ${type} here`);
          element = new PaymentElement();
          return element;
        },
        async submit() {
          const complete = Object.values(element.card()).every((value) => value !== "");
          return complete ? {} : { error: incomplete };
        },
        card: () => element.card(),
      };
    },

    async createConfirmationToken({ elements, params }) {
      const fields = { "payment_method_data[type]": "card", return_url: params.return_url };
      for (const [name, value] of Object.entries(elements.card())) {
        fields[`payment_method_data[card][${name}]`] = value;
      }
      const made = await call(key, "POST", "/v1/confirmation_tokens", fields);
      return made.error ? { error: made.error } : { confirmationToken: made };
    },

    async handleNextAction({ clientSecret }) {
      const [id] = clientSecret.split("_secret");
      const path = `/v1/payment_intents/${id}`;
      const seen = await call(key, "GET", path, { client_secret: clientSecret });
      if (seen.error || seen.status !== "requires_action") {
        return seen.error ? { error: seen.error } : { paymentIntent: seen };
      }
      const success = await ask();
      await fetch(`${origin}/_double${path.slice("/v1".length)}/authenticate`, {
        method: "POST", body: JSON.stringify({ success }),
      });
      const now = await call(key, "GET", path, { client_secret: clientSecret });
      return now.last_payment_error ? { error: now.last_payment_error } : { paymentIntent: now };
    },
  });
})();
