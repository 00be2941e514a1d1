// Cards, typed into the fields of whatever stands for Stripe.

/** Numbers by what the bank says; the stand-in of `bigtix up` knows these. */
export const cards = { good: "4242424242424242", declined: "4000000000000341", asks: "4000002500003155" };

/** Types a card into the stand-in's card element. */
export async function typeCard(page, number) {
  const card = page.locator("[data-card]");
  await card.getByPlaceholder("number", { exact: true }).fill(number);
  await card.getByPlaceholder("exp_month").fill("12");
  await card.getByPlaceholder("exp_year").fill("34");
  await card.getByPlaceholder("cvc").fill("123");
}

/** Pays with a card, with the page's button. */
export async function pay(page, number) {
  await typeCard(page, number);
  await page.locator("[data-pay-button]").click();
}
