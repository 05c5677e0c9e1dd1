/** How often a server that ends by itself is started again. */

const MOST = 3;
const WITHIN_MS = 180_000;

export class RestartPolicy {
  private ended: number[] = [];

  constructor(private readonly now: () => number = Date.now) {}

  /** It has ended; whether to start it again. */
  again(): boolean {
    const now = this.now();
    this.ended = [...this.ended.filter((time) => now - time < WITHIN_MS), now];
    return this.ended.length <= MOST;
  }
}
