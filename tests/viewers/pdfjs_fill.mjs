// Fill a form as Firefox does: values go to the annotation storage, and the save is incremental.
// usage: node pdfjs_fill.mjs in.pdf values.json out.pdf
import { readFile, writeFile } from "node:fs/promises";
import { closeDocument, openDocument } from "./pdfjs_document.mjs";

const [source, valuesFile, target] = process.argv.slice(2);
const values = JSON.parse(await readFile(valuesFile, "utf8"));
const pdf = await openDocument(await readFile(source));
const widgets = await readWidgets(pdf);

for (const [name, value] of Object.entries(values)) {
  const sisters = widgets.filter((widget) => widget.fieldName === name);
  if (sisters.length === 0) throw new Error(`no field ${name}`);
  for (const widget of sisters) {
    pdf.annotationStorage.setValue(widget.id, { value: storedValue(widget, value) });
  }
}
await writeFile(target, await pdf.saveDocument());
await closeDocument(pdf);

async function readWidgets(document) {
  const found = [];
  for (let number = 1; number <= document.numPages; number++) {
    const page = await document.getPage(number);
    found.push(...(await page.getAnnotations()).filter((it) => it.subtype === "Widget"));
  }
  return found;
}

// The viewer's HTML gives check boxes and radio buttons as booleans, and choices by export value.
function storedValue(widget, value) {
  if (widget.checkBox) return value === true || value === widget.exportValue;
  if (widget.radioButton) return value === widget.buttonValue;
  if (widget.fieldType === "Ch") {
    const option = widget.options.find((it) => it.exportValue === value || it.displayValue === value);
    return option ? option.exportValue : value;
  }
  return value;
}
