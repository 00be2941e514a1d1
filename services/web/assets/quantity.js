// The total of the cheapest n tickets. The output element says it aloud by itself.

/** Prices are in minor units, so that no fraction of a cent comes up. */
export function total(prices, count) {
  return prices.slice(0, count).reduce((sum, price) => sum + price, 0);
}

function format(amount, locale, currency, digits) {
  return new Intl.NumberFormat(locale, {
    style: "currency", currency, minimumFractionDigits: digits, maximumFractionDigits: digits,
  }).format(amount / 10 ** digits);
}

export function attach(input) {
  const output = input.form.querySelector("[data-total]");
  const { currency, digits, locale = document.documentElement.lang } = input.dataset;

  function show() {
    const prices = input.dataset.prices.split(" ").map(Number);
    const count = input.valueAsNumber;
    const possible = Number.isInteger(count) && count >= 1 && count <= prices.length;
    const words = possible ? format(total(prices, count), locale, currency, Number(digits)) : "–";
    if (output.textContent !== words) output.textContent = words;
  }

  input.addEventListener("input", show);
  input.addEventListener("change", show);
  show();
}
