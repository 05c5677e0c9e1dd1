/**
 * The page that explains a suggestion, from the Markdown that the server tells about it.
 *
 * The words are the server's. What is recognised in them, the verdicts, the probability and the
 * times, is also drawn; what is not stays as it is.
 */

import MarkdownIt, { type Token } from "markdown-it";
import { escapeHtml, type Page } from "./page";

/** How a check came out, by what the server writes into its cell. */
const OUTCOMES: ReadonlyMap<string, Outcome> = new Map([
  ["✓ passed", "passed"],
  ["✗ failed", "failed"],
  ["– not checked", "unchecked"],
]);

type Outcome = "passed" | "failed" | "unchecked";

/** The page for `markdown`, about a document that the user knows as `name`. */
export function explainPage(markdown: string, name: string): Page {
  const markdownIt = renderer();
  const tokens = markdownIt.parse(markdown, {});
  const outcomes = markVerdicts(tokens);
  const body = markdownIt.renderer.render(tokens, markdownIt.options, {});
  const about = `<p class="about">${escapeHtml(name)}</p>`;
  return {
    title: `Why: ${name}`,
    body: [about, summary(outcomes), `<article>${body}</article>`].filter(Boolean).join("\n"),
  };
}

/** Markdown without anything that leads elsewhere: it quotes code, and code may say anything. */
function renderer() {
  const markdownIt = new MarkdownIt({ html: false, linkify: false }).disable([
    "link",
    "image",
    "autolink",
  ]);
  const { rules } = markdownIt.renderer;
  rules.table_open = () => '<div class="table"><table>\n';
  rules.table_close = () => "</table></div>\n";
  rules.paragraph_close = (tokens, index) => {
    if (tokens[index]?.hidden) return ""; // in a list whose items are no paragraphs
    const said = tokens[index - 1]?.content ?? "";
    return `</p>\n${drawn(said)}`;
  };
  return markdownIt;
}

/** Give each verdict's cell the class of its outcome; returns the outcomes in order. */
function markVerdicts(tokens: readonly Token[]): Outcome[] {
  const outcomes: Outcome[] = [];
  tokens.forEach((token, index) => {
    const cell = tokens[index - 1];
    if (token.type !== "inline" || cell?.type !== "td_open") return;
    const outcome = OUTCOMES.get(token.content);
    if (outcome === undefined) return;
    cell.attrJoin("class", `verdict ${outcome}`);
    outcomes.push(outcome);
  });
  return outcomes;
}

/** All verdicts in one line; nothing where there are none. */
function summary(outcomes: readonly Outcome[]): string {
  if (outcomes.length === 0) return "";
  const count = (outcome: Outcome) => outcomes.filter((each) => each === outcome).length;
  const [passed, failed, unchecked] = [count("passed"), count("failed"), count("unchecked")];
  const parts = [
    [passed, "passed"],
    [failed, "failed"],
    [unchecked, "not checked"],
  ] as const;
  const said = parts.filter(([number]) => number > 0).map(([number, what]) => `${number} ${what}`);
  const outcome: Outcome = failed > 0 ? "failed" : passed > 0 ? "passed" : "unchecked";
  return `<p class="summary ${outcome}">Checks: ${said.join(", ")}</p>`;
}

/** What a sentence says in numbers, drawn; nothing for sentences that we do not know. */
function drawn(sentence: string): string {
  const probability = /probability of (\d+)\s?%/.exec(sentence)?.[1];
  if (probability !== undefined) {
    return `<meter class="probability" min="0" max="100" value="${probability}">${probability} %</meter>\n`;
  }
  const times = /^\d+ ms: ([^;]+);/.exec(sentence)?.[1];
  return times === undefined ? "" : timeBar(times);
}

/** `"context 10, reading 58"` as one bar with a part for each. */
function timeBar(times: string): string {
  const parts = [...times.matchAll(/(\w[\w ]*?) (\d+)(?=,|$)/g)].map(([, name, value]) => ({
    name: name ?? "",
    value: Number(value),
  }));
  const total = parts.reduce((sum, { value }) => sum + value, 0);
  if (total === 0) return "";
  let start = 0;
  const bars = parts.map(({ name, value }, index) => {
    const width = (100 * value) / total;
    const bar = `<rect class="part${index % 4}" x="${start.toFixed(2)}" y="0" width="${width.toFixed(2)}" height="4"><title>${escapeHtml(name)} ${value} ms</title></rect>`;
    start += width;
    return bar;
  });
  const label = parts.map(({ name, value }) => `${name} ${value} ms`).join(", ");
  const legend = parts.map(
    ({ name }, index) => `<li class="part${index % 4}">${escapeHtml(name)}</li>`,
  );
  return `<svg class="times" viewBox="0 0 100 4" preserveAspectRatio="none" role="img" aria-label="${escapeHtml(label)}">${bars.join("")}</svg>
<ul class="legend">${legend.join("")}</ul>
`;
}
