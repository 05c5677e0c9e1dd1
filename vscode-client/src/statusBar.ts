/** The status bar's entry, and the context keys that `when` clauses ask for. */

import {
  commands,
  type Disposable,
  MarkdownString,
  StatusBarAlignment,
  type StatusBarItem,
  ThemeColor,
  window,
} from "vscode";
import { describe, type Severity, type Situation } from "./status";

const BACKGROUNDS: Readonly<Record<Severity, ThemeColor | undefined>> = {
  none: undefined,
  warning: new ThemeColor("statusBarItem.warningBackground"),
  error: new ThemeColor("statusBarItem.errorBackground"),
};

export class StatusBar implements Disposable {
  private readonly item: StatusBarItem;
  private readonly context = new Map<string, boolean>();

  constructor() {
    this.item = window.createStatusBarItem("surefill.status", StatusBarAlignment.Right, 100);
    this.item.name = "Surefill";
  }

  show(situation: Situation): void {
    const view = describe(situation);
    this.item.text = view.text;
    const tooltip = new MarkdownString();
    view.tooltip.forEach((line, index) => {
      tooltip.appendMarkdown(index === 0 ? "" : "\n\n");
      tooltip.appendText(line);
    });
    this.item.tooltip = tooltip;
    this.item.accessibilityInformation = {
      label: ["Surefill", ...view.tooltip].join(". "),
      role: "button",
    };
    this.item.backgroundColor = BACKGROUNDS[view.severity];
    this.item.command = view.command;
    if (view.visible) this.item.show();
    else this.item.hide();
    this.setContext("surefill.running", situation.phase.kind === "running");
    this.setContext("surefill.served", situation.served);
    this.setContext("surefill.languagePaused", situation.languagePaused);
  }

  setContext(key: string, value: boolean): void {
    if (this.context.get(key) === value) return;
    this.context.set(key, value);
    void commands.executeCommand("setContext", key, value);
  }

  dispose(): void {
    this.item.dispose();
  }
}
