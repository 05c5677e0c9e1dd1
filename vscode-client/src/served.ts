/** Which documents are served: what the server is told of, and what all else is measured by. */

/** Files, and what is not one yet; a notebook's cells are documents of another scheme. */
const SCHEMES: readonly string[] = ["file", "untitled"];

/** Of a document, what decides. */
export interface Candidate {
  readonly languageId: string;
  readonly uri: { readonly scheme: string };
}

/** Whether a document is served, where these languages are. */
export function isServed({ languageId, uri }: Candidate, languages: readonly string[]): boolean {
  return SCHEMES.includes(uri.scheme) && languages.includes(languageId);
}

/** The same as a selector of documents. */
export function selectorOf(languages: readonly string[]): { scheme: string; language: string }[] {
  return languages.flatMap((language) => SCHEMES.map((scheme) => ({ scheme, language })));
}
