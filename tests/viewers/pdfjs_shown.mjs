// Print what pdf.js shows in each widget, page by page: [[{rect, text}, ...], ...].
// usage: node pdfjs_shown.mjs with-pictures|without-pictures in.pdf
import { readFile } from "node:fs/promises";
import { closeDocument, openDocument } from "./pdfjs_document.mjs";

const [mode, source] = process.argv.slice(2);
const pdf = await openDocument(await readFile(source));
const pages = [];
for (let number = 1; number <= pdf.numPages; number++) {
  const annotations = await (await pdf.getPage(number)).getAnnotations();
  pages.push(annotations.filter((it) => it.subtype === "Widget").map(shown));
}
process.stdout.write(JSON.stringify(pages));
await closeDocument(pdf);

// pdf.js reads the pictures of text fields only. For choices, and where there is no picture or the
// file says that it is not to be used, people see the HTML control that the viewer makes.
function shown(widget) {
  const isPicture = mode === "with-pictures" && widget.hasAppearance && widget.fieldType === "Tx";
  const text = isPicture ? (widget.textContent ?? []).join("\n") : valueOf(widget);
  return { rect: widget.rect, text };
}

function valueOf(widget) {
  if (widget.fieldType === "Btn") return "";
  const values = [widget.fieldValue ?? []].flat();
  return values.map((value) => labelOf(widget, value)).join("\n");
}

function labelOf(widget, value) {
  const option = (widget.options ?? []).find((it) => it.exportValue === value);
  return option ? option.displayValue : value;
}
