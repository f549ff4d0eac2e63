// Draw one page with its appearances as PNG.
// usage: node pdfjs_render.mjs in.pdf page dpi out.png
import { readFile, writeFile } from "node:fs/promises";
import { createCanvas } from "@napi-rs/canvas";
import { closeDocument, openDocument } from "./pdfjs_document.mjs";

const ANNOTATIONS_AS_IN_FILE = 1; // AnnotationMode.ENABLE

const [source, page, dpi, target] = process.argv.slice(2);
const pdf = await openDocument(await readFile(source));
const sheet = await pdf.getPage(Number(page) + 1);
const viewport = sheet.getViewport({ scale: Number(dpi) / 72 });
const canvas = createCanvas(Math.ceil(viewport.width), Math.ceil(viewport.height));
await sheet.render({ canvas, viewport, annotationMode: ANNOTATIONS_AS_IN_FILE }).promise;
await writeFile(target, canvas.toBuffer("image/png"));
await closeDocument(pdf);
