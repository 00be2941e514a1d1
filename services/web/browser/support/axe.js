// axe's rules, WCAG 2.2 A and AA and its own advice.

import assert from "node:assert/strict";
import { AxeBuilder } from "@axe-core/playwright";

const RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];

/** The question that the stand-in for Stripe asks in the bank's name. It is not the shop's, and no buyer ever sees it. */
const STAND_IN = "body > div:not([id])";

/** Fails with every violation on the page. */
export async function accessible(page) {
  const { violations } = await new AxeBuilder({ page }).exclude(STAND_IN).withTags(RULES).analyze();
  const words = violations.flatMap(({ id, help, nodes }) => nodes.map(({ html, failureSummary }) => `${id}: ${help}\n${html}\n${failureSummary}`));
  assert.equal(words.length, 0, words.join("\n\n"));
}
