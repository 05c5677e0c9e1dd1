/** What is written while no server listens: once one does, a suggestion behind it is still wanted. */

/** As the editor counts: lines and UTF-16 units from 0. */
export interface Place {
  readonly line: number;
  readonly character: number;
}

export interface Change {
  readonly range: { readonly start: Place };
  readonly text: string;
}

export class Missed<Document extends object> {
  private last: { document: Document; start: Place; end: Place } | undefined;

  /** Remember what was written last. */
  note(document: Document, change: Change): void {
    const { start } = change.range;
    this.last = { document, start, end: endOf(start, change.text) };
  }

  /** Whether the cursor still stands where something was written. Answers so once. */
  take(document: Document | undefined, cursor: Place | undefined): boolean {
    const last = this.last;
    this.last = undefined;
    if (last === undefined || cursor === undefined || document !== last.document) return false;
    // An editor that closes brackets leaves the cursor inside of what was written.
    return !isBefore(cursor, last.start) && !isBefore(last.end, cursor);
  }
}

function endOf(start: Place, text: string): Place {
  const lines = text.split(/\r\n|\r|\n/);
  const length = lines.at(-1)?.length ?? 0;
  return lines.length === 1
    ? { line: start.line, character: start.character + length }
    : { line: start.line + lines.length - 1, character: length };
}

function isBefore(one: Place, other: Place): boolean {
  return one.line < other.line || (one.line === other.line && one.character < other.character);
}
