// The dialog that sets a label: a field that completes over all known names.

const editor = { dialog: null, rows: [], known: [], options: [], active: -1 };

/** Ask for the label of photos and set it. */
function openEditor(list) {
  if (!list.length || editor.dialog?.open) return;
  if (!editor.dialog) buildEditor();
  editor.rows = list;
  editor.known = knownNames();
  editor.dialog.querySelector("h2").textContent = list.length === 1 ? "Set the label" : `Set the label of ${photosText(list.length)}`;
  editor.subject.textContent = list.length === 1 ? shown(nameOf(list[0])) : "";
  editor.input.value = "";
  editor.dialog.showModal();
  editor.input.focus();
  completeName();
}

function buildEditor() {
  editor.subject = el("p", { class: "editor-subject" });
  editor.input = el("input", {
    id: "editor-name", type: "text", role: "combobox", autocomplete: "off", spellcheck: "false",
    "aria-label": "Label", "aria-autocomplete": "list", "aria-expanded": "true",
    "aria-controls": "editor-names", placeholder: "Type a label or category",
  });
  editor.list = el("ul", { id: "editor-names", role: "listbox", "aria-label": "Labels", class: "editor-names" });
  editor.empty = el("p", { class: "editor-empty", text: "Type a name." });
  const cancel = el("button", { type: "button", class: "button", text: "Cancel" });
  const set = el("button", { type: "button", class: "button primary", text: "Set label" });
  editor.dialog = makeDialog("editor", "Set the label", editor.subject, editor.input, editor.list, editor.empty,
    el("div", { class: "dialog-buttons" },
      el("p", { class: "hint", text: "↑ ↓ choose · Tab completes · Enter sets · Esc cancels" }), cancel, set));
  cancel.addEventListener("click", () => editor.dialog.close());
  set.addEventListener("click", () => acceptName());
  editor.input.addEventListener("input", completeName);
  editor.input.addEventListener("keydown", onEditorKey);
  editor.list.addEventListener("pointerdown", (event) => event.preventDefault()); // the field keeps the focus
  editor.list.addEventListener("click", (event) => {
    const item = event.target.closest("[role=option]");
    if (!item) return;
    activateName(Number(item.dataset.index));
    acceptName();
  });
}

function completeName() {
  const typed = cleanName(editor.input.value);
  const { options, isNew } = completions(typed, editor.known);
  editor.options = options.map((each) => ({ ...each, isNew: false }));
  if (isNew) editor.options.push({ name: typed, isNew: true });
  editor.list.replaceChildren(...editor.options.map((each, index) => nameItem(each, index, typed)));
  editor.list.hidden = !editor.options.length;
  editor.empty.hidden = editor.options.length > 0;
  editor.input.setAttribute("aria-expanded", String(editor.options.length > 0));
  activateName(typed && editor.options.length ? 0 : -1);
}

function nameItem(option, index, typed) {
  const item = el("li", { role: "option", id: `editor-name-${index}`, "data-index": index, "aria-selected": "false" });
  if (option.isNew) {
    item.classList.add("new");
    item.append("Add new class “", el("strong", { text: shown(option.name) }), "”");
    if (index > 0) item.append(el("kbd", { text: "Shift", "aria-hidden": "true" }), el("kbd", { text: "Enter", "aria-hidden": "true" }));
    return item;
  }
  item.append(el("span", { class: "editor-option" }, ...markedName(shown(option.name), typed)));
  const note = option.used ? `used ${option.used.toLocaleString("en")}×` : option.kind;
  item.append(el("span", { class: "editor-kind", text: note }));
  return item;
}

/** A name with what was typed in bold. */
function markedName(name, typed) {
  const at = typed ? name.toLowerCase().indexOf(typed.toLowerCase()) : -1;
  if (at < 0) return [name];
  const end = at + typed.length;
  return [name.slice(0, at), el("strong", { text: name.slice(at, end) }), name.slice(end)];
}

function activateName(index) {
  editor.list.children[editor.active]?.setAttribute("aria-selected", "false");
  editor.active = index;
  const item = editor.list.children[index];
  if (!item) return editor.input.removeAttribute("aria-activedescendant");
  item.setAttribute("aria-selected", "true");
  item.scrollIntoView({ block: "nearest" });
  editor.input.setAttribute("aria-activedescendant", item.id);
}

function onEditorKey(event) {
  const last = editor.options.length - 1;
  if (event.isComposing) return;
  if (event.key === "ArrowDown") activateName(editor.active >= last ? 0 : editor.active + 1);
  else if (event.key === "ArrowUp") activateName(editor.active <= 0 ? last : editor.active - 1);
  else if (event.key === "Enter") acceptName(event.shiftKey);
  else if (event.key !== "Tab" || event.shiftKey || !completeWithTab()) return;
  event.preventDefault();
}

/** Put the active name into the field; false if it is there already. */
function completeWithTab() {
  const option = editor.options[Math.max(0, editor.active)];
  if (!option || option.isNew || editor.input.value === option.name) return false;
  editor.input.value = option.name;
  completeName();
  return true;
}

/** Set the active name, or the one that is typed even if others begin so. */
function acceptName(asTyped = false) {
  const option = editor.options[asTyped ? (editor.options.at(-1)?.isNew ? editor.options.length - 1 : 0) : editor.active];
  if (!option) {
    announce("Type a name first.");
    return editor.input.focus();
  }
  editor.dialog.close();
  actions.setLabel(option.name, editor.rows);
}
