// Fill a form with pdf-lib, with an embedded font for the appearances where one is given.
// usage: node pdflib_fill.mjs [--font=file.ttf] in.pdf values.json out.pdf
import { readFile, writeFile } from "node:fs/promises";
import fontkit from "@pdf-lib/fontkit";
import { PDFCheckBox, PDFDocument, PDFDropdown, PDFOptionList, PDFRadioGroup } from "pdf-lib";

const option = process.argv.find((it) => it.startsWith("--font="));
const [source, valuesFile, target] = process.argv.slice(2).filter((it) => it !== option);
const values = JSON.parse(await readFile(valuesFile, "utf8"));
const pdf = await PDFDocument.load(await readFile(source));
const form = pdf.getForm();

for (const [name, value] of Object.entries(values)) fill(form.getField(name), value);
if (option) form.updateFieldAppearances(await embed(option.slice("--font=".length)));
await writeFile(target, await pdf.save());

function fill(field, value) {
  if (field instanceof PDFCheckBox) {
    if (value) field.check();
    else field.uncheck();
  } else if ([PDFDropdown, PDFOptionList, PDFRadioGroup].some((kind) => field instanceof kind)) {
    field.select(value);
  } else {
    field.setText(value);
  }
}

async function embed(fontFile) {
  pdf.registerFontkit(fontkit);
  return pdf.embedFont(await readFile(fontFile), { subset: true });
}
