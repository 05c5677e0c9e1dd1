/** The frame of our pages: no scripts, nothing from elsewhere, colours of the editor's theme. */

export interface Page {
  readonly title: string;
  /** HTML that is safe to show. */
  readonly body: string;
}

/** What a webview says about where its own files are. */
export interface PageResources {
  /** Address of the style sheet. */
  readonly style: string;
  /** The source that the content security policy has to allow for it. */
  readonly cspSource: string;
}

export function pageHtml(page: Page, { style, cspSource }: PageResources): string {
  const policy = `default-src 'none'; style-src ${cspSource}`;
  return `<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${escapeHtml(policy)}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="stylesheet" href="${escapeHtml(style)}">
<title>${escapeHtml(page.title)}</title>
</head>
<body>
<main>
${page.body}
</main>
</body>
</html>
`;
}

export function escapeHtml(text: string): string {
  return text
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replaceAll('"', "&quot;")
    .replaceAll("'", "&#39;");
}
