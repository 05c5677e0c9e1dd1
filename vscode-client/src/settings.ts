/**
 * Settings: what the extension reads itself, and what it passes on to the server.
 *
 * Knows the values that the editor holds under `surefill`, nothing of how they are kept.
 */

/** Of the groups under `surefill`, those that the server does not know. */
const CLIENT_GROUPS: ReadonlySet<string> = new Set(["server", "environment", "languages", "trace"]);

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
  languages: ["python"],
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
}

/**
 * The object that the server is sent for `surefill`, out of all that the editor holds there.
 *
 * The selected interpreter fills `oracle.python` where that is empty. In a workspace that is not
 * trusted no checker is used that would start the workspace's own interpreter.
 */
export function serverSection(raw: unknown, { trusted, interpreter }: Circumstances): unknown {
  if (!isObject(raw)) return {};
  const section: Record<string, unknown> = {};
  for (const [key, each] of Object.entries(raw)) {
    if (!CLIENT_GROUPS.has(key)) section[key] = each;
  }
  const oracle = isObject(section.oracle) ? { ...section.oracle } : {};
  if (trusted && interpreter !== undefined && !oracle.python) oracle.python = interpreter;
  if (!trusted && oracle.engine === "pyrefly") oracle.engine = "ty";
  if (Object.keys(oracle).length > 0) section.oracle = oracle;
  return section;
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
