/** The language client, which can also be ended while its server has not answered yet. */

import { LanguageClient, type MessageTransports, State } from "vscode-languageclient/node";
import { within } from "./patience";

const STOP_MS = 5_000;

export class EndableClient extends LanguageClient {
  private unwanted = false;

  /** Stop the server: in good order where it runs, else by ending its process. */
  async end(): Promise<void> {
    this.unwanted = true;
    if (this.state === State.Running) {
      // Its features are still being registered, perhaps.
      await within(STOP_MS, this.start()).catch(() => undefined);
      if (this.needsStop()) await this.dispose(STOP_MS);
    } else {
      this.kill();
    }
  }

  /** What goes wrong while it ends is logged, but nothing to tell the user. */
  override error(...[message, data, showNotification]: Parameters<LanguageClient["error"]>): void {
    super.error(message, data, this.unwanted ? false : showNotification);
  }

  protected override async createMessageTransports(encoding: string): Promise<MessageTransports> {
    const transports = await super.createMessageTransports(encoding);
    if (this.unwanted) this.kill(); // the process has come after its end
    return transports;
  }

  private kill(): void {
    this.serverProcess?.kill("SIGKILL");
  }
}
