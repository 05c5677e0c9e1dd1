/** Offers to set up a server where there is none: once in a window, and never to who declined. */

import { commands, type Memento, window } from "vscode";

const DECLINED = "surefill.offerDeclined";
const SET_UP = "Set Up...";
const SETTING = "I Have One";
const NEVER = "Don't Ask Again";

export class Offer {
  private made = false;
  private open = false;

  constructor(private readonly memory: Memento) {}

  async make(): Promise<void> {
    if (this.made || this.memory.get<boolean>(DECLINED, false)) return;
    this.made = true;
    this.open = true;
    const answer = await window.showInformationMessage(
      "Surefill found no server: neither in the workspace's Python environment nor on the PATH. It can make a private environment for one.",
      SET_UP,
      SETTING,
      NEVER,
    );
    this.open = false;
    if (answer === SET_UP) await commands.executeCommand("surefill.setUpEnvironment");
    else if (answer === SETTING) await commands.executeCommand("surefill.openServerSetting");
    else if (answer === NEVER) await this.memory.update(DECLINED, true);
  }

  /** Take the offer out of the way of who has found another way to it; no message can be closed. */
  async hide(): Promise<void> {
    if (this.open) await commands.executeCommand("notifications.hideToasts");
  }
}
