/** What the status bar says, as a function of what is the case. */

import type { ServerStatus } from "./serverStatus";

/** How far the server is. */
export type Phase =
  | { readonly kind: "waiting" } // no document of a served language has been opened yet
  | { readonly kind: "paused" }
  | { readonly kind: "looking" }
  | { readonly kind: "installing"; readonly step: string }
  | { readonly kind: "missing" }
  | { readonly kind: "misconfigured"; readonly message: string }
  | { readonly kind: "untrusted"; readonly message: string }
  | { readonly kind: "starting" }
  | { readonly kind: "running"; readonly status: ServerStatus | undefined }
  | { readonly kind: "failed"; readonly message: string };

export interface Situation {
  readonly phase: Phase;
  /** Whether a suggestion is being made. */
  readonly thinking: boolean;
  /** The active document's language; undefined without a document. */
  readonly language: string | undefined;
  /** Whether that document is served. */
  readonly served: boolean;
  /** Whether suggestions are paused in it. */
  readonly languagePaused: boolean;
}

export type Severity = "none" | "warning" | "error";

export interface View {
  readonly visible: boolean;
  /** With codicons, as in `$(name)`. */
  readonly text: string;
  /** Lines of plain text. */
  readonly tooltip: readonly string[];
  readonly severity: Severity;
  /** What a click does. */
  readonly command: string;
}

const NAME = "Surefill";
const MENU = "surefill.showMenu";

export function describe(situation: Situation): View {
  const { phase } = situation;
  switch (phase.kind) {
    case "waiting":
      return { ...plain("circle-outline", NAME, ["No document is served yet."]), visible: false };
    case "paused":
      return quiet(situation, "Paused. Click to resume.", "surefill.resume");
    case "looking":
      return shown(situation, plain("loading~spin", NAME, ["Looking for the server."]));
    case "installing":
      return plain("loading~spin", NAME, ["Setting up the private environment:", phase.step]);
    case "missing":
      return trouble("warning", "Surefill has no server yet.", [
        "Click to set up a private environment.",
        "surefill.setUpEnvironment",
      ]);
    case "misconfigured":
      return trouble("error", phase.message, [
        "Click to correct it.",
        "surefill.openServerSetting",
      ]);
    case "untrusted":
      return trouble("warning", phase.message, [
        "Click to say whether you trust it.",
        "workbench.trust.manage",
      ]);
    case "starting":
      return shown(situation, plain("loading~spin", NAME, ["The server is starting."]));
    case "failed":
      return trouble("error", phase.message, ["Click to see the log.", "surefill.showLog"]);
    case "running":
      return shown(situation, running(situation, phase.status));
  }
}

function running(situation: Situation, status: ServerStatus | undefined): View {
  if (status === undefined) return plain("loading~spin", NAME, ["The server is starting."]);
  if (status.model === "failed") {
    return trouble("error", status.problem || "The model could not be loaded.", [
      "Click to choose another bundle.",
      "surefill.chooseBundle",
    ]);
  }
  if (status.model !== "ready") return plain("loading~spin", NAME, ["The model is being loaded."]);
  const bundle = status.bundle ?? "a remote model";
  const facts = [
    `${bundle}${status.provider ? ` on ${status.provider}` : ""}`,
    status.checker.name ? `Checked by ${status.checker.name}` : "",
    `Server ${status.version}`,
  ].filter(Boolean);
  if (situation.languagePaused) {
    const said = `Paused for ${situation.language}. Click to resume.`;
    return quiet(situation, said, "surefill.resumeLanguage");
  }
  if (status.checker.problem) {
    return trouble("warning", "Suggestions are shown without being checked.", [
      status.checker.problem,
      "surefill.runDoctor",
    ]);
  }
  const icon = situation.thinking ? "loading~spin" : "verified";
  return plain(icon, nameOf(bundle), situation.thinking ? ["Thinking.", ...facts] : facts);
}

/** Our matter only where the active document is of a served language. */
function shown(situation: Situation, view: View): View {
  return { ...view, visible: view.severity !== "none" || situation.served };
}

function plain(icon: string, text: string, tooltip: readonly string[]): View {
  return { visible: true, text: `$(${icon}) ${text}`, tooltip, severity: "none", command: MENU };
}

function quiet(situation: Situation, said: string, command: string): View {
  return { ...shown(situation, plain("debug-pause", NAME, [said])), command };
}

function trouble(
  severity: Severity,
  said: string,
  [remedy, command]: readonly [string, string],
): View {
  return {
    visible: true,
    text: `$(${severity}) ${NAME}`,
    tooltip: [said, remedy],
    severity,
    command,
  };
}

/** A bundle's name without its version. */
function nameOf(bundle: string): string {
  return bundle.replace(/ \S+$/, "");
}
