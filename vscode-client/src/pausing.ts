/** What pausing and resuming write into the settings, and where. */

/** The scopes that a setting may have a value in, as the editor reports them. */
export interface Inspected<T> {
  readonly globalValue?: T | undefined;
  readonly workspaceValue?: T | undefined;
}

export type Scope = "user" | "workspace";

export interface Change<T> {
  readonly scope: Scope;
  /** The new value; undefined takes the setting away. */
  readonly value: T | undefined;
}

/** The scope whose value is in force: a change anywhere else would change nothing. */
export function scopeInForce(inspected: Inspected<unknown> | undefined): Scope {
  return inspected?.workspaceValue === undefined ? "user" : "workspace";
}

/** Turn everything on or off. */
export function enabling(
  enabled: boolean,
  inspected: Inspected<boolean> | undefined,
): Change<boolean> {
  const scope = scopeInForce(inspected);
  // On is the default: in the user's settings it need not be spelled out.
  return { scope, value: enabled && scope === "user" ? undefined : enabled };
}

/** Turn one language on or off, out of the list of those that are off. */
export function enablingLanguage(
  language: string,
  enabled: boolean,
  inspected: Inspected<readonly string[]> | undefined,
): Change<readonly string[]> {
  const scope = scopeInForce(inspected);
  const values = scope === "user" ? inspected?.globalValue : inspected?.workspaceValue;
  const others = (values ?? []).filter((each) => each !== language);
  const value = enabled ? others : [...others, language];
  return { scope, value: value.length === 0 && scope === "user" ? undefined : value };
}
