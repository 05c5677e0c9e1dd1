import assert from "node:assert/strict";
import { test } from "node:test";
import { isSettling, parseStatus, type ServerStatus } from "../src/serverStatus";
import { describe, type Phase, type Situation } from "../src/status";

const READY: ServerStatus = {
  version: "0.1.0",
  model: "ready",
  problem: "",
  bundle: "surefill-nano 1",
  provider: "cpu",
  checker: { name: "ty 0.0.105", problem: "" },
};

function view(phase: Phase, more: Partial<Situation> = {}) {
  return describe({
    phase,
    thinking: false,
    language: "python",
    served: true,
    languagePaused: false,
    ...more,
  });
}

const running = (status: Partial<ServerStatus> = {}): Phase => ({
  kind: "running",
  status: { ...READY, ...status },
});

test("ready shows the bundle's name, and what it runs on", () => {
  assert.deepEqual(view(running()), {
    visible: true,
    text: "$(verified) surefill-nano",
    tooltip: ["surefill-nano 1 on cpu", "Checked by ty 0.0.105", "Server 0.1.0"],
    severity: "none",
    command: "surefill.showMenu",
  });
});

test("thinking turns, and keeps the name", () => {
  const { text, tooltip } = view(running(), { thinking: true });
  assert.equal(text, "$(loading~spin) surefill-nano");
  assert.equal(tooltip[0], "Thinking.");
});

test("loading, starting and looking are told apart", () => {
  const phases: Phase[] = [
    { kind: "looking" },
    { kind: "starting" },
    { kind: "running", status: undefined },
    running({ model: "loading", bundle: undefined }),
  ];
  for (const phase of phases) assert.equal(view(phase).text, "$(loading~spin) Surefill");
  assert.match(view(phases[3] as Phase).tooltip[0] ?? "", /model is being loaded/);
});

test("paused resumes on a click, all of it or the language", () => {
  const all = view({ kind: "paused" });
  assert.deepEqual([all.text, all.command], ["$(debug-pause) Surefill", "surefill.resume"]);
  const language = view(running(), { languagePaused: true });
  assert.equal(language.command, "surefill.resumeLanguage");
  assert.match(language.tooltip[0] ?? "", /python/);
});

test("trouble says what it is, and a click does something about it", () => {
  const cases: [Phase, string, RegExp][] = [
    [{ kind: "missing" }, "surefill.setUpEnvironment", /no server/],
    [
      { kind: "misconfigured", message: "no such file" },
      "surefill.openServerSetting",
      /no such file/,
    ],
    [{ kind: "untrusted", message: "not trusted" }, "workbench.trust.manage", /not trusted/],
    [{ kind: "failed", message: "it ended" }, "surefill.showLog", /it ended/],
    [running({ model: "failed", problem: "no bundle" }), "surefill.chooseBundle", /no bundle/],
    [
      running({ checker: { name: "", problem: "ty is missing" } }),
      "surefill.runDoctor",
      /ty is missing/,
    ],
  ];
  for (const [phase, command, said] of cases) {
    const shown = view(phase, { served: false });
    assert.equal(shown.command, command);
    assert.match(shown.tooltip.join(" "), said);
    assert.notEqual(shown.severity, "none");
    assert.ok(shown.visible, "trouble is seen wherever the user is");
  }
});

test("without trouble nothing is shown beside documents that are not served", () => {
  const quiet: Phase[] = [running(), { kind: "paused" }, { kind: "starting" }, { kind: "looking" }];
  for (const phase of quiet) assert.ok(!view(phase, { served: false }).visible, phase.kind);
  assert.ok(!view({ kind: "waiting" }).visible);
  assert.ok(view({ kind: "installing", step: "x" }, { served: false }).visible);
});

test("the server's answer is read, and what is no answer is not", () => {
  assert.deepEqual(
    parseStatus({
      version: "0.1.0",
      state: "ready",
      problem: "",
      bundle: { name: "surefill-nano", version: "1" },
      provider: "cpu",
      checker: { name: "ty", version: "0.0.105", state: "ready", problem: "" },
      counters: {},
    }),
    READY,
  );
  assert.equal(parseStatus({ state: "loading", bundle: null })?.bundle, undefined);
  for (const other of [undefined, null, "ready", {}, { state: 3 }, { state: "odd" }]) {
    assert.equal(parseStatus(other), undefined);
  }
});

test("a status settles when the model is there, or will not be", () => {
  assert.deepEqual(
    [
      undefined,
      READY,
      { ...READY, model: "loading" as const },
      { ...READY, model: "failed" as const },
    ].map(isSettling),
    [true, false, true, false],
  );
});
