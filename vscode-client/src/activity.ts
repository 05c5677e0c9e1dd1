/** Whether suggestions are being made: for as long as it takes, but not for what is over at once. */

const UNSEEN_MS = 150;

export class Activity {
  private running = 0;
  private timer: NodeJS.Timeout | undefined;
  private visible = false;

  constructor(private readonly changed: (thinking: boolean) => void) {}

  /** Wait for `work`, and count it meanwhile. */
  async during<T>(work: () => PromiseLike<T> | T): Promise<T> {
    this.running += 1;
    this.timer ??= setTimeout(() => this.show(true), UNSEEN_MS);
    try {
      return await work();
    } finally {
      this.running -= 1;
      if (this.running === 0) this.rest();
    }
  }

  /** Nothing is being made any more, whatever has not come back. */
  dispose(): void {
    this.rest();
  }

  private rest(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
    this.show(false);
  }

  private show(visible: boolean): void {
    if (visible === this.visible) return;
    this.visible = visible;
    this.changed(visible);
  }
}
