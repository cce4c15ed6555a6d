// Corrections to a file and back, and the commands that use the file.

const RESULT_SUFFIX = /\.(csv|tsv|jsonl?|ndjson|parquet|npz|npy|h5|txt)(\.(gz|zst))?$/i;

/** The name of the file of corrections: after that of the results. */
function exportName() {
  const name = report.results.split(/[/\\]/).at(-1);
  const stem = name.replace(RESULT_SUFFIX, "").replace(/[\p{C}<>:"/\\|?*\u2028\u2029]/gu, "_");
  return stem.replace(/^[.\s]+/, "") ? `${stem}-corrections.csv` : "corrections.csv";
}

/** A word of a command line, quoted as Python's shlex.quote does. */
function shellWord(text) {
  const word = text.startsWith("-") ? `./${text}` : text;
  return /^[A-Za-z0-9_@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'"'"'`)}'`;
}

function exportCommands() {
  const file = shellWord(exportName());
  const { results } = report;
  const named = shown(results) === results ? shellWord(results) : "RESULTS";
  const sorting = ["Sort the photos with them", `mnv2 sort --from ${named} --corrections ${file} --into DEST`];
  const learning = ["Learn classes from them", `mnv2 learn --labels ${file} -o ${newModel()}`];
  return results ? [sorting, learning] : [learning];
}

/** The name of a model file that is not the one that this page is about. */
function newModel() {
  const known = [report.title, ...report.models].join("\n");
  let name = "mine.keras";
  for (let number = 2; known.includes(name); number++) name = `mine-${number}.keras`;
  return name;
}

function exportCorrections() {
  if (!corrections.map.size && !corrections.pending()) return announce("There are no corrections to export.");
  try {
    download(new Blob([correctionsFile(corrections.map)], { type: "text/csv" }), exportName());
  } catch (error) {
    return tell("Not exported", `The corrections are not saved: ${error.message}. They are still here.`);
  }
  corrections.markExported();
  showExported();
}

function download(blob, name) {
  const url = URL.createObjectURL(blob);
  el("a", { href: url, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(url), 60000);
}

const exporting = { dialog: null };

function showExported() {
  if (!exporting.dialog) {
    exporting.text = el("p", {});
    exporting.commands = el("div", { class: "commands" });
    exporting.dialog = makeDialog("exported", "Corrections exported", exporting.text, exporting.commands);
  }
  exporting.text.textContent = `${exportName()} has the corrections of ${photosText(corrections.map.size)}. Use it with:`;
  exporting.commands.replaceChildren(...exportCommands().map(commandBox));
  exporting.dialog.showModal();
}

function commandBox([title, command], index) {
  const code = el("code", { text: command, id: `command-${index}` });
  const copy = el("button", { type: "button", class: "button", text: "Copy", "aria-describedby": `command-${index}` });
  copy.addEventListener("click", async () => {
    const done = await copyText(command, code);
    copy.textContent = done ? "Copied" : "Press Ctrl+C";
    announce(done ? "Copied." : "The command is selected: press Ctrl+C.");
    setTimeout(() => (copy.textContent = "Copy"), 3000);
  });
  return el("section", { class: "command" }, el("h3", { text: title }),
    el("div", { class: "command-line" }, el("pre", { tabindex: "0" }, code), copy));
}

/** Copy a text; where the browser does not allow it, select it. */
async function copyText(text, element) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    getSelection().selectAllChildren(element);
    return false;
  }
}

const importing = { field: el("input", { type: "file", accept: ".csv,text/csv", class: "import-field", "aria-label": "File of corrections", tabindex: "-1", hidden: true }) };
importing.field.addEventListener("change", () => {
  const [file] = importing.field.files;
  if (file) importCorrections(file);
  importing.field.value = "";
});

async function importCorrections(file) {
  let read;
  try {
    read = readCorrectionsFile(new Uint8Array(await file.arrayBuffer()));
  } catch (error) {
    return tell("Not imported", `${shown(file.name)}: ${error.message}.`);
  }
  const changed = corrections.change([...read.map.keys()], (row) => read.map.get(row), `import of ${shown(file.name)}`);
  const parts = [`${photosText(read.map.size)} corrected in ${shown(file.name)}, ${number(changed)} of them differently from here.`];
  if (read.unknown) parts.push(`${number(read.unknown)} of its paths ${read.unknown === 1 ? "is" : "are"} not in this report.`);
  if (read.invalid) parts.push(`${number(read.invalid)} of its lines ${read.invalid === 1 ? "has" : "have"} no valid label or review.`);
  tell("Corrections imported", parts.join(" "));
}

const telling = { dialog: null };

/** Show a text in a dialog. */
function tell(title, text) {
  if (!telling.dialog) {
    telling.text = el("p", {});
    telling.dialog = makeDialog("telling", title, telling.text);
  }
  telling.dialog.querySelector("h2").textContent = title;
  telling.text.textContent = text;
  telling.dialog.showModal();
}

function askToDiscard() {
  if (!corrections.map.size) return announce("There are no corrections.");
  const discard = el("button", { type: "button", class: "button danger", text: "Discard all" });
  const keep = el("button", { type: "button", class: "button", text: "Keep them" });
  const text = `This removes the corrections of ${photosText(corrections.map.size)}. Undo brings them back until you leave the page.`;
  const dialog = makeDialog("discarding", "Discard all corrections?", el("p", { text }), el("div", { class: "dialog-buttons" }, keep, discard));
  keep.addEventListener("click", () => dialog.close());
  discard.addEventListener("click", () => {
    dialog.close();
    actions.discardAll();
  });
  dialog.addEventListener("close", () => dialog.remove());
  dialog.showModal();
  keep.focus();
}
