/**
 * Bundles and runs the tests in test/, or those in test/<folder> when one is named.
 *
 * They are bundled because Node before 22 reads no TypeScript.
 */

import { spawnSync } from "node:child_process";
import { readdir, rm } from "node:fs/promises";
import { build } from "esbuild";

const folder = process.argv[2] ? `test/${process.argv[2]}` : "test";
const names = (await readdir(folder)).filter((name) => name.endsWith(".test.ts"));
const outdir = `out/${folder}`;

await rm(outdir, { recursive: true, force: true });
await build({
  entryPoints: names.map((name) => `${folder}/${name}`),
  outdir,
  outExtension: { ".js": ".cjs" },
  bundle: true,
  platform: "node",
  target: "node20",
  format: "cjs",
  alias: { vscode: "./test/fakes/vscode.ts" },
  sourcemap: true,
  logLevel: "warning",
});
const files = names.map((name) => `${outdir}/${name.replace(/\.ts$/, ".cjs")}`);
const { status } = spawnSync(
  process.execPath,
  ["--enable-source-maps", "--test", "--test-reporter=spec", ...files],
  {
    stdio: "inherit",
  },
);
process.exitCode = status ?? 1;
