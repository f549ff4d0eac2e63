// Open a document with the browser parts of pdf.js that Node lacks.
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { createCanvas } from "@napi-rs/canvas";

// pdf.js measures the letters of its replacement font on one of these.
globalThis.OffscreenCanvas ??= class {
  constructor(width, height) {
    return createCanvas(width, height);
  }
};

const { getDocument, VerbosityLevel } = await import("pdfjs-dist/legacy/build/pdf.mjs");
const home = join(dirname(fileURLToPath(import.meta.url)), "node_modules", "pdfjs-dist");

export function openDocument(bytes, options = {}) {
  return getDocument({
    data: new Uint8Array(bytes),
    cMapUrl: join(home, "cmaps/"),
    standardFontDataUrl: join(home, "standard_fonts/"),
    wasmUrl: join(home, "wasm/"),
    verbosity: VerbosityLevel.ERRORS,
    ...options,
  }).promise;
}

export async function closeDocument(pdf) {
  await pdf.loadingTask.destroy();
}
