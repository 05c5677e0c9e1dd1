import assert from "node:assert/strict";
import { mkdir, mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, test } from "node:test";
import { PrivateEnvironment } from "../src/environment";
import type { Run } from "../src/process";
import type { ProbePython } from "../src/python";
import { EnvironmentSetup } from "../src/setup";
import { editor } from "./fakes/vscode";

let root: string;
let events: string[];
let installing: () => void;
const reached = () =>
  new Promise<void>((resolve) => {
    installing = resolve;
  });

beforeEach(async () => {
  root = await mkdtemp(path.join(tmpdir(), "surefill-setup-"));
  events = [];
  editor.messages.length = 0;
  editor.answers = ["Set Up"];
});
afterEach(() => rm(root, { recursive: true, force: true }));

/** Makes empty environments, in which pip ends with `code`, or only when it is stopped. */
function pretended(code: number | "never"): Run {
  return async (_program, args, options) => {
    if (args[2] === "venv") await mkdir(path.join(args[3] ?? "", "lib"), { recursive: true });
    else if (code === "never") {
      installing();
      await new Promise((_resolve, reject) => {
        options?.signal?.addEventListener("abort", () => reject(new Error("was stopped")));
      });
    }
    const failed = args[2] === "pip" && code !== 0;
    return { code: failed ? 1 : 0, stdout: "", stderr: failed ? "ERROR: no network" : "" };
  };
}

const answers: ProbePython = async (python) => ({
  executable: python,
  version: [3, 12],
  surefill: "2.0",
  makesEnvironments: true,
});

function setup(environment: PrivateEnvironment): EnvironmentSetup {
  const controller = {
    current: { environmentPackage: "surefill[cpu]" },
    interpreters: { look: async () => "/usr/bin/python3" },
    showInstalling: () => undefined,
    environmentChanged: async () => void events.push("changed"),
    restart: async () => void events.push("restart"),
  };
  const log = {
    info: () => undefined,
    warn: (message: string) => events.push(message),
    error: () => undefined,
  };
  return new EnvironmentSetup(controller as never, environment, answers, log as never);
}

test("a window that is closed during a set-up leaves nothing of it", async () => {
  const all = setup(new PrivateEnvironment(root, pretended("never"), answers));
  const pip = reached();
  const settingUp = all.setUp();
  await pip;
  assert.equal((await readdir(root)).length, 1);
  await all.stop();
  assert.deepEqual(await readdir(root), []);
  await settingUp;
  assert.deepEqual(events, ["changed"]);
  assert.equal(editor.messages.length, 1, "after the question nothing was said");
});

test("while one is in progress, neither another begins nor is anything removed", async () => {
  const all = setup(new PrivateEnvironment(root, pretended("never"), answers));
  const pip = reached();
  const settingUp = all.setUp();
  await pip;
  await all.setUp();
  await all.remove();
  assert.equal((await readdir(root)).length, 1);
  assert.equal(editor.messages.filter((each) => /already being set up/.test(each)).length, 2);
  await all.stop();
  await settingUp;
});

test("what was replaced and cannot be removed is no failure", async () => {
  const environment = new PrivateEnvironment(root, pretended(0), answers);
  environment.sweep = async () => {
    throw new Error("in use");
  };
  await setup(environment).setUp();
  assert.equal((await environment.current())?.version, "2.0");
  assert.deepEqual(events, [
    "changed",
    "restart",
    "The environment before could not be removed: in use",
  ]);
  assert.equal(editor.messages.length, 1);
});

test("a set-up that fails says why, and another can follow", async () => {
  const failing = setup(new PrivateEnvironment(root, pretended(1), answers));
  await failing.setUp();
  assert.match(editor.messages.at(-1) ?? "", /pip could not install surefill\[cpu\]: no network/);
  assert.deepEqual(events, ["changed"]);
  editor.answers = ["Set Up"];
  await failing.setUp();
  assert.deepEqual(events, ["changed", "changed"]);
});
