/** A panel beside the editor that shows one of our pages; the same one every time. */

import { type Disposable, Uri, ViewColumn, type WebviewPanel, window } from "vscode";
import { type Page, pageHtml } from "./page";

export class PagePanel implements Disposable {
  private panel: WebviewPanel | undefined;

  constructor(
    private readonly viewType: string,
    private readonly extensionUri: Uri,
  ) {}

  show(page: Page): void {
    const panel = this.panel ?? this.open();
    panel.title = page.title;
    panel.webview.html = pageHtml(page, {
      style: panel.webview.asWebviewUri(Uri.joinPath(this.media, "page.css")).toString(),
      cspSource: panel.webview.cspSource,
    });
    panel.reveal(undefined, true);
  }

  dispose(): void {
    this.panel?.dispose();
  }

  private get media(): Uri {
    return Uri.joinPath(this.extensionUri, "media");
  }

  private open(): WebviewPanel {
    const panel = window.createWebviewPanel(
      this.viewType,
      "Surefill",
      { viewColumn: ViewColumn.Beside, preserveFocus: true },
      { enableScripts: false, enableCommandUris: false, localResourceRoots: [this.media] },
    );
    panel.iconPath = Uri.joinPath(this.media, "icon.png");
    panel.onDidDispose(() => {
      this.panel = undefined;
    });
    this.panel = panel;
    return panel;
  }
}
