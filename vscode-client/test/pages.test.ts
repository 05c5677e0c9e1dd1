import assert from "node:assert/strict";
import { test } from "node:test";
import { doctorPage, parseFindings } from "../src/doctorPage";
import { explainPage } from "../src/explainPage";
import { pageHtml } from "../src/page";

const MARKDOWN = `# Why this suggestion

\`\`\`python
getLogger(__name__) # <script>alert(1)</script>
\`\`\`

| check | verdict | because |
|---|---|---|
| Parses | ✓ passed | no syntax error |
| Brings no type error | ✗ failed | \`a < b\` & more |
| Names only what exists | – not checked | – it was late |

The model gives its tokens a probability of 89% (geometric mean).

## What it was made from

See [this](https://elsewhere.example/) ![p](https://elsewhere.example/x.png) <https://elsewhere.example/>

140 ms: context 10, reading 58, writing 63, checks 9; of these the type checker took 4.
`;

test("verdicts are marked by how they came out, and counted", () => {
  const { body } = explainPage(MARKDOWN, "a.py");
  assert.match(body, /<td class="verdict passed">✓ passed<\/td>/);
  assert.match(body, /<td class="verdict failed">✗ failed<\/td>/);
  assert.match(body, /<td class="verdict unchecked">– not checked<\/td>/);
  assert.match(body, /<p class="summary failed">Checks: 1 passed, 1 failed, 1 not checked<\/p>/);
});

test("the probability and the times are drawn, and said", () => {
  const { body } = explainPage(MARKDOWN, "a.py");
  assert.match(body, /<meter class="probability" min="0" max="100" value="89">89 %<\/meter>/);
  assert.match(body, /aria-label="context 10 ms, reading 58 ms, writing 63 ms, checks 9 ms"/);
  const widths = [...body.matchAll(/<rect [^>]*width="([\d.]+)"/g)].map(([, width]) =>
    Number(width),
  );
  assert.equal(widths.length, 4);
  assert.ok(Math.abs(widths.reduce((sum, width) => sum + width, 0) - 100) < 0.1);
  assert.match(body, /of these the type checker took 4/);
});

test("code is shown, never run, and nothing leads elsewhere", () => {
  const { body } = explainPage(MARKDOWN, "<b>.py");
  assert.match(body, /&lt;script&gt;alert\(1\)&lt;\/script&gt;/);
  assert.doesNotMatch(body, /<script|<a |<img|href=|src=/);
  assert.match(body, /<p class="about">&lt;b&gt;\.py<\/p>/);
});

test("Markdown in other words is still a page", () => {
  const { body } = explainPage("Nothing has been suggested here yet.\n", "a.py");
  assert.match(body, /<p>Nothing has been suggested here yet\.<\/p>/);
  assert.doesNotMatch(body, /summary|meter|svg/);
});

test("the items of a list are no paragraphs where the Markdown leaves no lines between them", () => {
  const { body } = explainPage("- one\n- a probability of 12%\n\nAfter.\n", "a.py");
  assert.match(body, /<ul>\s*<li>one<\/li>\s*<li>a probability of 12%<\/li>\s*<\/ul>/);
  assert.match(body, /<p>After\.<\/p>/);
});

test("a page may load its style sheet and nothing else", () => {
  const html = pageHtml(
    { title: "A & B", body: "<p>x</p>" },
    { style: "https://host/page.css?a&b", cspSource: "https://host" },
  );
  assert.match(
    html,
    /http-equiv="Content-Security-Policy" content="default-src &#39;none&#39;; style-src https:\/\/host"/,
  );
  assert.match(html, /href="https:\/\/host\/page\.css\?a&amp;b"/);
  assert.match(html, /<title>A &amp; B<\/title>/);
  assert.doesNotMatch(html, /<script|style="|<style/);
});

test("the doctor's findings are listed with their remedies", () => {
  const findings = parseFindings(
    JSON.stringify([
      { subject: "model", detail: "<nano> 1", ok: true, remedy: "" },
      { subject: "sandbox", detail: "no bwrap", ok: false, remedy: "apt install bubblewrap" },
    ]),
  );
  assert.ok(findings);
  const { body } = doctorPage(findings);
  assert.match(body, /1 to mend\./);
  assert.match(body, /<li class="passed"><h2>model<\/h2><p>&lt;nano&gt; 1<\/p><\/li>/);
  assert.match(body, /<p class="remedy">apt install bubblewrap<\/p>/);
  assert.match(doctorPage(findings.slice(0, 1)).body, /Everything works\./);
});

test("what is no list of findings is none", () => {
  for (const other of ["", "{}", "[1]", '[{"subject": "x"}]', "Traceback"]) {
    assert.equal(parseFindings(other), undefined, other);
  }
});
