import assert from "node:assert/strict";
import { mkdir, mkdtemp, readdir, rm, watch, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { after, before, test } from "node:test";
import {
  chooseBase,
  EnvironmentError,
  PrivateEnvironment,
  pipReason,
  type SetUp,
  stepOf,
} from "../src/environment";
import { type Run, run } from "../src/process";
import { type Probe, type ProbePython, probeWith } from "../src/python";

// A wheel with nothing but a module that runs: pip installs it without asking anybody.
const MAKE_WHEEL = `
import sys, zipfile
path, version = sys.argv[1:]
info = f"surefill-{version}.dist-info"
files = {
    "surefill/__init__.py": "",
    "surefill/__main__.py": "print('here')",
    f"{info}/METADATA": f"Metadata-Version: 2.1\\nName: surefill\\nVersion: {version}\\nProvides-Extra: cpu\\n",
    f"{info}/WHEEL": "Wheel-Version: 1.0\\nGenerator: test\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n",
}
record = "".join(f"{name},,\\n" for name in [*files, f"{info}/RECORD"])
with zipfile.ZipFile(path, "w") as archive:
    for name, text in {**files, f"{info}/RECORD": record}.items():
        archive.writestr(name, text)
`;

let folder: string;
const probe = probeWith(run);

before(async () => {
  folder = await mkdtemp(path.join(tmpdir(), "surefill-environment-"));
});
after(() => rm(folder, { recursive: true, force: true }));

async function wheel(version: string): Promise<string> {
  const file = path.join(folder, `surefill-${version}-py3-none-any.whl`);
  assert.equal((await run("python3", ["-c", MAKE_WHEEL, file, version])).code, 0);
  return file;
}

function request(requirement: string, more: Partial<SetUp> = {}): SetUp {
  return {
    base: "python3",
    package: requirement,
    signal: new AbortController().signal,
    report: () => undefined,
    log: () => undefined,
    ...more,
  };
}

test("an environment is made, works, and is removed without a trace", async () => {
  const root = path.join(folder, "whole");
  const environment = new PrivateEnvironment(root, run, probe);
  assert.equal(await environment.current(), undefined);
  assert.ok(await environment.isEmpty());

  const steps: string[] = [];
  const made = await environment.setUp(
    request(`${await wheel("1.0")}[cpu]`, { report: (step) => steps.push(step) }),
  );
  assert.equal(made.version, "1.0");
  assert.deepEqual(await environment.current(), made);
  assert.equal((await run(made.python, ["-P", "-m", "surefill"])).stdout, "here");
  assert.equal(steps[0], "making a virtual environment");
  assert.equal(steps.at(-1), "trying it");

  assert.ok(!(await environment.isEmpty()));

  await environment.remove();
  assert.equal(await environment.current(), undefined);
  assert.ok(await environment.isEmpty());
  await assert.rejects(readdir(root), { code: "ENOENT" });
});

/** A `run` that makes empty environments, in which pip ends with `code`. */
function pretended(code: number): Run {
  return async (_program, args, options) => {
    if (args[2] === "venv") await mkdir(args[3] ?? "");
    else options?.onLine?.("Collecting surefill");
    const failed = args[2] === "pip" && code !== 0;
    return { code: failed ? code : 0, stdout: "", stderr: failed ? "ERROR: no network" : "" };
  };
}

const answers: ProbePython = async (python) => ({
  executable: python,
  version: [3, 12],
  surefill: "2.0",
  makesEnvironments: true,
});

test("a new environment takes the place of the one before", async () => {
  const root = path.join(folder, "replaced");
  const environment = new PrivateEnvironment(root, pretended(0), answers);
  const first = await environment.setUp(request("surefill"));
  const second = await environment.setUp(request("surefill"));
  assert.notEqual(first.folder, second.folder);
  assert.deepEqual(await environment.current(), second);
  await environment.sweep(first);
  assert.deepEqual((await readdir(root)).sort(), [
    path.basename(second.folder),
    "environment.json",
  ]);
  await environment.sweep(second);
  assert.deepEqual(await environment.current(), second, "what is in use is never swept away");
  assert.equal((await readdir(root)).length, 2);
});

test("what cannot be installed leaves the environment before as it was", async () => {
  const root = path.join(folder, "failing");
  const old = await new PrivateEnvironment(root, pretended(0), answers).setUp(request("surefill"));
  const failing = new PrivateEnvironment(root, pretended(1), answers);
  const lines: string[] = [];
  await assert.rejects(
    failing.setUp(request("surefill", { log: (line) => lines.push(line) })),
    new EnvironmentError("pip could not install surefill: no network"),
  );
  assert.deepEqual((await readdir(root)).sort(), [path.basename(old.folder), "environment.json"]);
  assert.deepEqual(await failing.current(), old);
  assert.deepEqual(lines, ["Collecting surefill"], "pip's words are in the log");
});

test("a set-up that is cancelled leaves nothing behind", async () => {
  const root = path.join(folder, "cancelled");
  const environment = new PrivateEnvironment(root, run, probe);
  const stop = new AbortController();
  const cancelled = environment.setUp(request("surefill", { signal: stop.signal }));
  // As soon as Python has begun to write.
  for await (const _ of watch(folder, { recursive: true, signal: AbortSignal.timeout(60_000) })) {
    if ((await readdir(root)).length > 0) break;
  }
  stop.abort();
  await assert.rejects(cancelled, { name: "AbortError" });
  assert.deepEqual(await readdir(root), []);
});

test("what is left of a set-up can be removed, though nothing is in use", async () => {
  const root = path.join(folder, "left");
  await mkdir(path.join(root, "environment-0"), { recursive: true });
  const environment = new PrivateEnvironment(root, run, probe);
  assert.equal(await environment.current(), undefined);
  assert.ok(!(await environment.isEmpty()));
  await environment.remove();
  assert.ok(await environment.isEmpty());
});

test("a package without Surefill in it is no server", async () => {
  const fake = new PrivateEnvironment(
    path.join(folder, "other"),
    async () => ({ code: 0, stdout: "", stderr: "" }),
    async () => undefined,
  );
  await assert.rejects(fake.setUp(request("requests")), /brought no Surefill/);
});

test("a file that somebody wrote is no environment", async () => {
  const root = path.join(folder, "odd");
  await mkdir(root);
  for (const text of ["", "[]", '{"folder": 3}', "null"]) {
    await writeFile(path.join(root, "environment.json"), text);
    assert.equal(await new PrivateEnvironment(root, run, probe).current(), undefined, text);
  }
});

const pythons: Record<string, Probe> = {
  old: { executable: "/old", version: [3, 9], surefill: undefined, makesEnvironments: true },
  bare: { executable: "/bare", version: [3, 12], surefill: undefined, makesEnvironments: false },
  good: { executable: "/good", version: [3, 13], surefill: undefined, makesEnvironments: true },
};
const known = async (name: string) => pythons[name];

test("the first Python that can make environments is taken", async () => {
  assert.equal(await chooseBase(["none", "old", "bare", "good"], known), "/good");
});

test("without one, it is said what to do", async () => {
  await assert.rejects(chooseBase(["old", "bare"], known), /apt install python3-venv/);
  await assert.rejects(chooseBase(["old"], known), /only 3\.9 at \/old/);
  await assert.rejects(chooseBase([], known), /No Python 3\.11 or later was found\. Install one/);
});

test("pip's lines become steps", () => {
  const steps = {
    "Collecting numpy>=1.26 (from surefill)": "looking for numpy",
    "  Downloading numpy-2.3.1-cp311-cp311-manylinux.whl (16.9 MB)": "downloading numpy (16.9 MB)",
    "Building wheels for collected packages: surefill": "building surefill",
    "Installing collected packages: numpy, surefill": "installing the packages",
    "Requirement already satisfied: pip": undefined,
  };
  for (const [line, step] of Object.entries(steps)) assert.equal(stepOf(line), step);
});

test("pip's reason is its last error", () => {
  const stderr =
    "ERROR: Could not find a version\nERROR: No matching distribution found for x\n\n[notice] a new pip";
  assert.equal(pipReason(stderr), "No matching distribution found for x");
  assert.equal(pipReason("Traceback\nKeyError: 'x'\n"), "KeyError: 'x'");
  assert.equal(pipReason(""), "it does not say why.");
});
