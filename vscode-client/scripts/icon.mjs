/** Draws media/icon.png from media/icon.svg. */

import { readFile, writeFile } from "node:fs/promises";
import { Resvg } from "@resvg/resvg-js";

const svg = await readFile("media/icon.svg", "utf8");
const png = new Resvg(svg, { fitTo: { mode: "width", value: 256 } }).render().asPng();
await writeFile("media/icon.png", png);
console.log(`media/icon.png: ${png.length} bytes`);
