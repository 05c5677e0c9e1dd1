import assert from "node:assert/strict";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { after, before, test } from "node:test";
import { bundlesFolder, listBundles, readBundle } from "../src/bundles";

let folder: string;
before(async () => {
  folder = await mkdtemp(path.join(tmpdir(), "surefill-bundles-"));
});
after(() => rm(folder, { recursive: true, force: true }));

async function bundle(name: string, manifest: string): Promise<string> {
  const place = path.join(folder, name);
  await mkdir(place, { recursive: true });
  await writeFile(path.join(place, "bundle.json"), manifest);
  return place;
}

test("bundles go by their folders' names, and say what they are", async () => {
  await bundle(
    "team",
    JSON.stringify({
      name: "ours",
      version: "3",
      languages: ["go", "sql"],
      parameters: 41_200_000,
      precision: "int8",
    }),
  );
  await bundle("broken", "{");
  await mkdir(path.join(folder, "empty"));
  assert.deepEqual(await listBundles(folder), [
    { setting: "team", title: "ours 3", detail: "go, sql · 41 million parameters · int8" },
  ]);
});

test("a bundle elsewhere goes by its path", async () => {
  const place = await bundle("small", JSON.stringify({ name: "n", parameters: 6_819_072 }));
  assert.deepEqual(await readBundle(place), {
    setting: place,
    title: "n",
    detail: "6.8 million parameters",
  });
  assert.equal(await readBundle(path.join(folder, "nowhere")), undefined);
});

test("no folder of bundles means no bundles", async () => {
  assert.deepEqual(await listBundles(path.join(folder, "nowhere")), []);
});

test("the folder is the one that the server looks into", () => {
  assert.equal(bundlesFolder("linux", {}, "/home/me"), "/home/me/.local/share/surefill/bundles");
  assert.equal(bundlesFolder("linux", { XDG_DATA_HOME: "/d" }, "/h"), "/d/surefill/bundles");
  assert.equal(
    bundlesFolder("darwin", {}, "/Users/me"),
    "/Users/me/Library/Application Support/surefill/bundles",
  );
  assert.equal(
    bundlesFolder("win32", { LOCALAPPDATA: "C:\\L" }, "C:\\me"),
    "C:\\L\\surefill\\bundles",
  );
});
