import assert from "node:assert/strict";
import { test } from "node:test";
import {
  DEFAULTS,
  readSettings,
  serverSection,
  type UsersOwn,
  usableSection,
  usableValue,
} from "../src/settings";

const from = (values: Record<string, unknown>) => readSettings((key) => values[key]);

test("nothing set means the defaults", () => {
  assert.deepEqual(from({}), { settings: DEFAULTS, problems: [] });
});

test("what is set is read", () => {
  const { settings, problems } = from({
    enabled: false,
    languages: ["go"],
    disabledLanguages: ["sql"],
    bundle: "mine",
    "server.path": "  ~/bin/surefill ",
    "environment.package": "surefill[gpu]",
  });
  assert.deepEqual(problems, []);
  assert.deepEqual(settings, {
    enabled: false,
    languages: ["go"],
    disabledLanguages: ["sql"],
    bundle: "mine",
    serverPath: "~/bin/surefill",
    environmentPackage: "surefill[gpu]",
  });
});

test("a bad value is named, and its default used", () => {
  const { settings, problems } = from({ languages: "python", bundle: 3, "server.path": ["x"] });
  assert.deepEqual(settings, DEFAULTS);
  assert.deepEqual(problems, [
    'surefill.languages: expected a list of language ids, got "python"; using ["python","javascript","javascriptreact","typescript","ty....',
    'surefill.bundle: expected a name or a folder, got 3; using "default".',
    'surefill.server.path: expected a path, got ["x"]; using "".',
  ]);
});

test("the package to install cannot be an option of pip", () => {
  const { settings, problems } = from({ "environment.package": "--index-url=http://elsewhere" });
  assert.equal(settings.environmentPackage, "surefill[cpu]");
  assert.equal(problems.length, 1);
});

const trusted = { trusted: true, interpreter: undefined };

test("the server is not sent what is the extension's own", () => {
  const raw = {
    enabled: true,
    languages: ["python"],
    server: { path: "/x" },
    environment: { package: "y" },
    trace: { server: "verbose" },
    completion: { alternatives: 2 },
  };
  assert.deepEqual(serverSection(raw, trusted), { enabled: true, completion: { alternatives: 2 } });
});

test("the selected interpreter is what the checker looks into, unless a setting says otherwise", () => {
  const selected = { trusted: true, interpreter: "/env/bin/python" };
  assert.deepEqual(serverSection({ oracle: { python: "", engine: "ty" } }, selected), {
    oracle: { python: "/env/bin/python", engine: "ty" },
  });
  assert.deepEqual(serverSection({ oracle: { python: "/own" } }, selected), {
    oracle: { python: "/own" },
  });
});

test("a bundle's relative path begins at the workspace's folder", () => {
  const bundleOf = (bundle: string, trusted = true) =>
    serverSection({ bundle }, { trusted, interpreter: undefined, folder: "/workspace" });
  assert.deepEqual(bundleOf("./runs/bundle"), { bundle: "/workspace/runs/bundle" });
  assert.deepEqual(bundleOf("runs/bundle"), { bundle: "/workspace/runs/bundle" });
  for (const bundle of ["default", "own", "~/bundle", "/bundle"])
    assert.deepEqual(bundleOf(bundle), { bundle });
  assert.deepEqual(bundleOf("./bundle", false), { bundle: "./bundle" });
});

test("without trust no interpreter of the workspace is named or started", () => {
  const servers = { go: ["./gopls"] };
  const raw = { oracle: { engine: "pyrefly", python: "", servers } };
  const untrusted = { trusted: false, interpreter: "/workspace/.venv/bin/python" };
  assert.deepEqual(serverSection(raw, untrusted), { oracle: { engine: "ty", python: "" } });
  assert.equal(raw.oracle.engine, "pyrefly", "the editor's own object is left alone");
});

/** An editor in which a workspace has set, nested, what it may not before it is trusted. */
const nested = {
  server: { path: "./x" },
  environment: { package: "evil" },
  bundle: "./weights",
  oracle: { engine: "pyrefly", apis: true, servers: { go: ["./gopls"] } },
  completion: { alternatives: 2 },
};
const users: Record<string, UsersOwn> = {
  "server.path": { defaultValue: "" },
  "environment.package": { defaultValue: "surefill[cpu]", globalValue: "surefill[gpu]" },
  bundle: { defaultValue: "default", globalValue: "mine" },
  "oracle.engine": { defaultValue: "ty" },
  "remote.url": { defaultValue: "" },
};
const store = {
  get: (key: string) =>
    key.split(".").reduce<unknown>((place, name) => (place as never)?.[name], nested),
  inspect: (key: string) => users[key],
};

test("without trust restricted settings are the user's own, however the workspace writes them", () => {
  const read = (trusted: boolean) =>
    readSettings((key) => usableValue(key, store, trusted)).settings;
  assert.deepEqual(
    [read(false).serverPath, read(false).bundle, read(false).environmentPackage],
    ["", "mine", "surefill[gpu]"],
  );
  assert.deepEqual(
    [read(true).serverPath, read(true).bundle, read(true).environmentPackage],
    ["./x", "./weights", "surefill[gpu]"],
  );
});

test("without trust the server is sent the user's own, too", () => {
  assert.deepEqual(usableSection(nested, store, false), {
    server: { path: "" },
    environment: { package: "surefill[gpu]" },
    bundle: "mine",
    oracle: { engine: "ty", apis: true },
    completion: { alternatives: 2 },
    remote: { url: "" },
  });
  const trusted = usableSection(nested, store, true);
  assert.deepEqual(trusted, { ...nested, environment: { package: "surefill[gpu]" } });
  assert.equal(nested.environment.package, "evil", "the editor's own object is left alone");
  assert.deepEqual(usableSection(undefined, { ...store, inspect: () => undefined }, false), {});
});

test("a section that is no object is an empty one", () => {
  assert.deepEqual(serverSection(null, trusted), {});
  assert.deepEqual(serverSection(["enabled"], trusted), {});
});
