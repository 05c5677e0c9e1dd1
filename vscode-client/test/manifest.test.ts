import assert from "node:assert/strict";
import { access, readFile } from "node:fs/promises";
import path from "node:path";
import { test } from "node:test";
import manifest from "../package.json";
import { DEFAULTS, RESTRICTED, readSettings } from "../src/settings";

interface Property {
  readonly default?: unknown;
  readonly description?: string;
  readonly markdownDescription?: string;
  readonly scope?: string;
}

const groups: readonly { readonly properties: Record<string, Property> }[] =
  manifest.contributes.configuration;
const properties = new Map(groups.flatMap((group) => Object.entries(group.properties)));
const contributed = new Set(manifest.contributes.commands.map(({ command }) => command));

/** Names of commands that the sources register. */
async function registered(): Promise<Set<string>> {
  const source = await readFile("src/extension.ts", "utf8");
  const names = [...source.matchAll(/\b(?:register|forward)\("(\w+)"/g)];
  return new Set(names.map(([, name]) => `surefill.${name}`));
}

test("the defaults in the manifest are those in the code", () => {
  const read = readSettings((key) => properties.get(`surefill.${key}`)?.default);
  assert.deepEqual(read, { settings: DEFAULTS, problems: [] });
});

test("every setting is described", () => {
  for (const [name, property] of properties) {
    assert.match(property.description ?? property.markdownDescription ?? "", /\.$/, name);
  }
});

test("whatever names a program, a model or a server is ignored until the workspace is trusted", () => {
  const restricted: readonly string[] =
    manifest.capabilities.untrustedWorkspaces.restrictedConfigurations;
  for (const name of restricted) assert.ok(properties.has(name), `${name} is a setting`);
  for (const [name, { scope }] of properties) {
    const named = /\.(path|package|servers|python|url|bundle)$/.test(name);
    assert.equal(named && !restricted.includes(name), false, `${name} is restricted`);
    if (scope?.startsWith("machine")) assert.ok(restricted.includes(name), name);
  }
  assert.ok(restricted.includes("surefill.oracle.engine"), "one engine starts an interpreter");
});

test("what the editor is told to restrict is what the code restricts", () => {
  assert.deepEqual(
    manifest.capabilities.untrustedWorkspaces.restrictedConfigurations,
    RESTRICTED.map((key) => `surefill.${key}`),
  );
});

test("what the workspace can never decide is what pip installs", () => {
  assert.equal(properties.get("surefill.environment.package")?.scope, "machine");
});

test("every command that is contributed is registered", async () => {
  const names = await registered();
  assert.deepEqual(
    [...contributed].filter((name) => !names.has(name)),
    [],
  );
  const internal = [...names].filter((name) => !contributed.has(name));
  assert.deepEqual(internal.sort(), ["surefill.openServerSetting", "surefill.openSettings"]);
});

test("none of our commands is one of the server's", () => {
  for (const name of ["surefill.status", "surefill.explain", "surefill.accepted"]) {
    assert.ok(!contributed.has(name), name);
  }
});

test("menus and walkthroughs name commands and settings that exist", () => {
  const named = manifest.contributes.menus.commandPalette.map(({ command }) => command);
  const text = JSON.stringify(manifest.contributes.walkthroughs);
  const linked = [...text.matchAll(/(?:command:|onCommand:)(surefill\.\w+)/g)].map(
    ([, name]) => name,
  );
  for (const name of [...named, ...linked]) assert.ok(contributed.has(name ?? ""), name);
  for (const [, name] of text.matchAll(/onSettingChanged:([\w.]+)/g)) {
    assert.ok(properties.has(name ?? ""), name);
  }
});

test("when nothing runs, no command about suggestions is offered", () => {
  const conditions = new Map(
    manifest.contributes.menus.commandPalette.map(({ command, when }) => [command, when]),
  );
  for (const name of ["trigger", "explainSuggestion"]) {
    assert.match(conditions.get(`surefill.${name}`) ?? "", /surefill\.running && surefill\.served/);
  }
});

test("what needs a suggestion on screen is not in the palette, which takes it off the screen", () => {
  const hidden = manifest.contributes.menus.commandPalette.filter(({ when }) => when === "false");
  assert.deepEqual(
    hidden.map(({ command }) => command),
    [
      "surefill.nextAlternative",
      "surefill.previousAlternative",
      "surefill.acceptWord",
      "surefill.acceptLine",
    ],
  );
});

test("every file that the manifest names is there", async () => {
  const text = JSON.stringify(manifest);
  const files = new Set([...text.matchAll(/"(media\/[^"]+)"/g)].map(([, file]) => file ?? ""));
  assert.ok(files.size >= 5);
  for (const file of files) await access(path.resolve(file));
});
