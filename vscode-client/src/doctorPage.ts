/** The page with what `surefill doctor` found. */

import { escapeHtml, type Page } from "./page";

export interface Finding {
  readonly subject: string;
  readonly detail: string;
  readonly ok: boolean;
  readonly remedy: string;
}

/** The findings in what `surefill doctor --json` prints; undefined when it is something else. */
export function parseFindings(stdout: string): Finding[] | undefined {
  let raw: unknown;
  try {
    raw = JSON.parse(stdout);
  } catch {
    return undefined;
  }
  if (!Array.isArray(raw)) return undefined;
  const findings = raw.map(asFinding);
  return findings.every((each) => each !== undefined) ? findings : undefined;
}

export function doctorPage(findings: readonly Finding[]): Page {
  const toMend = findings.filter((each) => !each.ok).length;
  const said = toMend === 0 ? "Everything works." : `${toMend} to mend.`;
  const rows = findings.map(
    ({ subject, detail, ok, remedy }) =>
      `<li class="${ok ? "passed" : "failed"}"><h2>${escapeHtml(subject)}</h2><p>${escapeHtml(detail)}</p>${
        !ok && remedy ? `<p class="remedy">${escapeHtml(remedy)}</p>` : ""
      }</li>`,
  );
  return {
    title: "Surefill Doctor",
    body: `<h1>Doctor</h1>
<p class="summary ${toMend === 0 ? "passed" : "failed"}">${said}</p>
<ul class="findings">
${rows.join("\n")}
</ul>`,
  };
}

function asFinding(raw: unknown): Finding | undefined {
  if (typeof raw !== "object" || raw === null) return undefined;
  const { subject, detail, ok, remedy } = raw as Record<string, unknown>;
  if (typeof subject !== "string" || typeof detail !== "string" || typeof ok !== "boolean") {
    return undefined;
  }
  return { subject, detail, ok, remedy: typeof remedy === "string" ? remedy : "" };
}
