/** The bundles on this machine that can be chosen. */

import { readdir, readFile } from "node:fs/promises";
import { homedir } from "node:os";
import * as path from "node:path";

const MANIFEST = "bundle.json";

/** A folder with a manifest that can be read. */
export interface BundleEntry {
  /** What the setting `surefill.bundle` calls it. */
  readonly setting: string;
  /** Name and version, as its manifest says. */
  readonly title: string;
  /** Languages, size and precision, as far as its manifest says. */
  readonly detail: string;
}

/** The user's folder of bundles: the same that the server looks into. */
export function bundlesFolder(
  platform: NodeJS.Platform = process.platform,
  env: NodeJS.ProcessEnv = process.env,
  home: string = homedir(),
): string {
  if (platform === "win32") {
    const local = env.LOCALAPPDATA || path.win32.join(home, "AppData", "Local");
    return path.win32.join(local, "surefill", "bundles");
  }
  if (platform === "darwin") {
    return path.posix.join(home, "Library", "Application Support", "surefill", "bundles");
  }
  const data = env.XDG_DATA_HOME?.trim() || path.posix.join(home, ".local", "share");
  return path.posix.join(data, "surefill", "bundles");
}

/** The bundles in a folder of bundles, by name; none where there is no such folder. */
export async function listBundles(folder: string): Promise<BundleEntry[]> {
  let names: string[];
  try {
    names = await readdir(folder);
  } catch {
    return [];
  }
  const entries = await Promise.all(
    names.sort().map((name) => readBundle(path.join(folder, name), name)),
  );
  return entries.filter((entry) => entry !== undefined);
}

/** What a folder's manifest says; undefined when it is no bundle. */
export async function readBundle(
  folder: string,
  setting: string = folder,
): Promise<BundleEntry | undefined> {
  let raw: unknown;
  try {
    raw = JSON.parse(await readFile(path.join(folder, MANIFEST), "utf8"));
  } catch {
    return undefined;
  }
  if (typeof raw !== "object" || raw === null) return undefined;
  const { name, version, languages, parameters, precision } = raw as Record<string, unknown>;
  if (typeof name !== "string") return undefined;
  const detail = [
    Array.isArray(languages) ? languages.join(", ") : "",
    typeof parameters === "number" ? `${millions(parameters)} parameters` : "",
    typeof precision === "string" ? precision : "",
  ];
  return {
    setting,
    title: typeof version === "string" ? `${name} ${version}` : name,
    detail: detail.filter(Boolean).join(" · "),
  };
}

function millions(count: number): string {
  const value = count / 1e6;
  return `${value < 10 ? value.toFixed(1) : Math.round(value)} million`;
}
