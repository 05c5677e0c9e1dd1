/**
 * Settings: what the extension reads itself, and what it passes on to the server.
 *
 * Knows the values that the editor holds under `surefill`, nothing of how they are kept.
 */

import * as path from "node:path";

/** Of the groups under `surefill`, those that the server does not know. */
const CLIENT_GROUPS: ReadonlySet<string> = new Set(["server", "environment", "languages", "trace"]);

/**
 * Keys under `surefill` whose values in a workspace's settings count only once it is trusted.
 *
 * The editor is told so in package.json; VS Code 1.100 heeds it only where a setting is written
 * flat, and not in `{"surefill": {"server": {"path": ...}}}`.
 */
export const RESTRICTED: readonly string[] = [
  "server.path",
  "environment.package",
  "bundle",
  "engine.kind",
  "remote.url",
  "remote.model",
  "remote.template",
  "remote.apiKeyVariable",
  "oracle.engine",
  "oracle.python",
  "oracle.servers",
];

/** The scopes of a setting that are the user's alone, as the editor reports them. */
export interface UsersOwn {
  readonly globalValue?: unknown;
  readonly defaultValue?: unknown;
}

/** Where the editor keeps its settings under `surefill`. */
export interface Store {
  /** The value in force. */
  readonly get: (key: string) => unknown;
  readonly inspect: (key: string) => UsersOwn | undefined;
}

/** The value of a setting that may be used, whatever an untrusted workspace says. */
export function usableValue(key: string, store: Store, trusted: boolean): unknown {
  // What pip installs is never the workspace's to say.
  if (key !== "environment.package" && (trusted || !RESTRICTED.includes(key))) {
    return store.get(key);
  }
  const own = store.inspect(key);
  return own?.globalValue ?? own?.defaultValue;
}

/** A copy of all that the editor holds under `surefill`, with only the values that may be used. */
export function usableSection(raw: unknown, store: Store, trusted: boolean): unknown {
  const section: unknown = raw === undefined ? {} : JSON.parse(JSON.stringify(raw));
  if (!isObject(section)) return section;
  for (const key of RESTRICTED) setValue(section, key.split("."), usableValue(key, store, trusted));
  return section;
}

/** The settings that the extension itself acts on; the server's own pass through unread. */
export interface ClientSettings {
  readonly enabled: boolean;
  /** Ids of the languages that are served. */
  readonly languages: readonly string[];
  readonly disabledLanguages: readonly string[];
  readonly bundle: string;
  /** The program, or an interpreter with Surefill; empty to look for one. */
  readonly serverPath: string;
  /** What pip installs into the private environment. */
  readonly environmentPackage: string;
}

export const DEFAULTS: ClientSettings = {
  enabled: true,
  languages: [
    "python",
    "javascript",
    "javascriptreact",
    "typescript",
    "typescriptreact",
    "sql",
    "go",
    "rust",
    "java",
    "c",
    "cpp",
    "shellscript",
    "html",
  ],
  disabledLanguages: [],
  bundle: "default",
  serverPath: "",
  environmentPackage: "surefill[cpu]",
};

/** What may not be used, and what is used in its place, in one sentence each. */
export interface ReadSettings {
  readonly settings: ClientSettings;
  readonly problems: readonly string[];
}

/** Read the settings by their keys under `surefill`; a bad value costs a message, nothing more. */
export function readSettings(get: (key: string) => unknown): ReadSettings {
  const problems: string[] = [];

  function value<T>(
    key: string,
    expected: string,
    valid: (raw: unknown) => raw is T,
    otherwise: T,
  ) {
    const raw = get(key);
    if (raw === undefined || raw === null) return otherwise;
    if (valid(raw)) return raw;
    problems.push(
      `surefill.${key}: expected ${expected}, got ${shown(raw)}; using ${shown(otherwise)}.`,
    );
    return otherwise;
  }

  const settings = {
    enabled: value("enabled", "true or false", isBoolean, DEFAULTS.enabled),
    languages: value("languages", "a list of language ids", isTexts, DEFAULTS.languages),
    disabledLanguages: value(
      "disabledLanguages",
      "a list of language ids",
      isTexts,
      DEFAULTS.disabledLanguages,
    ),
    bundle: value("bundle", "a name or a folder", isFilled, DEFAULTS.bundle),
    serverPath: value("server.path", "a path", isText, DEFAULTS.serverPath).trim(),
    environmentPackage: value(
      "environment.package",
      "a requirement for pip",
      isRequirement,
      DEFAULTS.environmentPackage,
    ).trim(),
  };
  return { settings, problems };
}

/** What the extension knows better than the settings. */
export interface Circumstances {
  readonly trusted: boolean;
  /** The interpreter that the Python extension has selected, if any. */
  readonly interpreter: string | undefined;
  /** The first workspace folder, which a bundle's relative path begins at. */
  readonly folder?: string | undefined;
}

/**
 * The object that the server is sent for `surefill`, out of all that the editor holds there.
 *
 * The selected interpreter fills `oracle.python` where that is empty. In a workspace that is not
 * trusted no checker is used that would start the workspace's own interpreter, and no other program
 * is named.
 */
export function serverSection(
  raw: unknown,
  { trusted, interpreter, folder }: Circumstances,
): unknown {
  if (!isObject(raw)) return {};
  const section: Record<string, unknown> = {};
  for (const [key, each] of Object.entries(raw)) {
    if (!CLIENT_GROUPS.has(key)) section[key] = each;
  }
  const { bundle } = section;
  if (trusted && folder !== undefined && isText(bundle) && /^[^~].*[/\\]/.test(bundle)) {
    section.bundle = path.resolve(folder, bundle);
  }
  const oracle = isObject(section.oracle) ? { ...section.oracle } : {};
  if (trusted && interpreter !== undefined && !oracle.python) oracle.python = interpreter;
  if (!trusted) {
    if (oracle.engine === "pyrefly") oracle.engine = "ty";
    delete oracle.servers;
  }
  if (Object.keys(oracle).length > 0) section.oracle = oracle;
  return section;
}

function setValue(
  section: Record<string, unknown>,
  [name = "", ...rest]: readonly string[],
  value: unknown,
): void {
  if (rest.length > 0) {
    if (value === undefined && !isObject(section[name])) return;
    const group = isObject(section[name]) ? section[name] : {};
    section[name] = group;
    setValue(group, rest, value);
  } else if (value === undefined) delete section[name];
  else section[name] = value;
}

function isBoolean(raw: unknown): raw is boolean {
  return typeof raw === "boolean";
}

function isText(raw: unknown): raw is string {
  return typeof raw === "string";
}

function isFilled(raw: unknown): raw is string {
  return isText(raw) && raw.trim() !== "";
}

/** One argument of pip that is no option of it. */
function isRequirement(raw: unknown): raw is string {
  return isFilled(raw) && !raw.trim().startsWith("-");
}

function isTexts(raw: unknown): raw is readonly string[] {
  return Array.isArray(raw) && raw.every(isFilled);
}

function isObject(raw: unknown): raw is Record<string, unknown> {
  return typeof raw === "object" && raw !== null && !Array.isArray(raw);
}

function shown(raw: unknown): string {
  const text = JSON.stringify(raw) ?? String(raw);
  return text.length <= 60 ? text : `${text.slice(0, 57)}...`;
}
