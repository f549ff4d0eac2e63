"""How a letter looks as a page: one sheet for every letter, read once per process; colours and sizes are those of the Word files.

`ELEMENTS` takes the place of the usual sheet for HTML, whose two hundred rules would be held against
every element: a letter has only the elements that a Word template becomes.
"""

from typing import Final

ELEMENTS: Final = """
html, body, div, p, h1, h2, h3, h4, h5, h6, ul, ol { display: block; } head, meta, title, style, script, link { display: none; }
li { display: list-item; } ul, ol { counter-reset: list-item; break-before: avoid; } ul { list-style-type: disc; } ol { list-style-type: decimal; }
ul ul, ol ul { list-style-type: circle; } ::marker { font-variant-numeric: tabular-nums; white-space: pre; }
table { display: table; box-sizing: border-box; text-indent: initial; } colgroup { display: table-column-group; } col { display: table-column; }
thead { display: table-header-group; vertical-align: middle; } tbody { display: table-row-group; vertical-align: middle; }
tr { display: table-row; vertical-align: inherit; } td, th { display: table-cell; vertical-align: inherit; }
strong, b { font-weight: bold; } em, i { font-style: italic; } u, a[href] { text-decoration: underline; } s { text-decoration: line-through; }
sub { vertical-align: sub; } sup { vertical-align: super; } sub, sup { font-size: smaller; line-height: normal; }
br::before { content: "\\A"; white-space: pre-line; } img { overflow: hidden; max-width: 100%; }
h1 { bookmark-level: 1; } h2 { bookmark-level: 2; } h3 { bookmark-level: 3; } h4 { bookmark-level: 4; } h5 { bookmark-level: 5; } h6 { bookmark-level: 6; }
h1, h2, h3, h4, h5, h6 { bookmark-label: content(text); hyphens: manual; break-inside: avoid; }
"""

PAGE: Final = """
@page { size: letter; margin: 27mm 24mm 21mm; font-family: "Formsvc Sans"; font-size: 8.5pt; color: #595959;
  @top-left { content: element(head); width: 100%; vertical-align: bottom; padding-bottom: 5mm; }
  @bottom-left { content: element(foot); width: 100%; vertical-align: top; padding-top: 4mm; } }
html { font: 10pt/1.3 "Formsvc Sans"; color: #111; }
body { margin: 0; }
.head { position: running(head); border-bottom: 0.8pt solid #1f4e79; padding-bottom: 1.6mm; }
.foot { position: running(foot); border-top: 0.6pt solid #9db4c8; padding-top: 2mm; }
.head p, .foot p { margin: 0; } .head p:first-child { font-size: 11pt; font-weight: 600; color: #1f4e79; } p.columns { display: flex; justify-content: space-between; }
.page::after { content: counter(page); } .pages::after { content: counter(pages); }
h1 { font-size: 18pt; line-height: 1.2; margin: 3mm 0 2mm; } h2 { font-size: 13pt; margin: 4.2mm 0 1mm; }
h3 { font-size: 11pt; margin: 3mm 0 0.8mm; } h4 { font-size: 10pt; margin: 2.5mm 0 0.8mm; }
h1, h2, h3, h4 { font-weight: 600; break-after: avoid; } h1, h2, th { color: #1f4e79; }
p, li { white-space: pre-line; overflow-wrap: anywhere; margin: 0 0 1.6mm; } li { margin-bottom: 0.5mm; } ul, ol { margin: 0 0 2mm; padding-left: 5.5mm; }
table { width: 100%; table-layout: fixed; border-collapse: collapse; margin: 1mm 0 4mm; } tr { break-inside: avoid; } tbody > tr:first-child:not(:last-child) { break-after: avoid; }
th, td { border: 0.5pt solid #9db4c8; padding: 1.1mm 2mm; text-align: left; vertical-align: top; } th { background: #e8eff5; font-weight: 600; }
p.kept { break-after: avoid; }
p.subtitle { color: #595959; } p.address, p.signature { margin: 0; } p.closing { margin-top: 5mm; }
p.closing, p.signature { break-before: avoid; }
p.notice { border-left: 3pt solid #1f4e79; background: #e8eff5; padding: 2.2mm 3mm; margin-bottom: 3mm; }
p.cut { border-top: 0.8pt dashed #555; padding-top: 2mm; margin-top: 4mm; break-before: page; color: #595959; }
th, td { white-space: pre-line; overflow-wrap: break-word; } td p, th p { margin: 0; overflow-wrap: break-word; }
"""
