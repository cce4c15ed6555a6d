// What can be said about photos: commands on the selected ones, the open one or the active one.

const actions = {
  /** The photos that a command changes: the open one, else the selected ones, else the active one. */
  rows() {
    if (viewer.row >= 0) return [viewer.row];
    const selected = selection.shown();
    if (selected.length) return selected;
    return selection.rows.size || grid.active < 0 ? [] : [grid.active];
  },

  edit: () => orExplain(actions.rows(), openEditor),

  setLabel(name, list = actions.rows()) {
    quickLabels.use(name);
    act(list, (row) => labelled(row, name), `label “${shown(name)}”`);
  },

  confirm(list = actions.rows()) {
    const known = list.filter(confirmed);
    if (list.length && !known.length) return announce("There is no label to confirm.");
    const skipped = list.length - known.length;
    act(known, confirmed, "right", skipped ? ` ${number(skipped)} ${skipped === 1 ? "has" : "have"} no label to confirm.` : "");
  },

  wrong: (list = actions.rows()) => act(list, () => correction("wrong", ""), "wrong"),
  reject: (list = actions.rows()) => act(list, () => correction("rejected", ""), "rejected"),
  clear: (list = actions.rows()) => act(list, () => null, "review cleared"),

  undo: () => announceReplay("Undone", corrections.undo()),
  redo: () => announceReplay("Redone", corrections.redo()),

  discardAll() {
    const count = corrections.map.size;
    corrections.change([...corrections.map.keys()], () => null, "all corrections discarded");
    announce(`Corrections of ${photosText(count)} discarded. Undo brings them back.`);
  },
};

function orExplain(list, handler) {
  if (list.length) return handler(list);
  announce(selection.rows.size ? "None of the selected photos are shown." : "Select photos first.");
}

function act(list, valueOf, what, remark = "") {
  orExplain(list, () => {
    const open = viewer.row;
    const next = open >= 0 ? -1 : neighbour(list);
    const count = corrections.change(list, valueOf, what);
    announce(count ? `${capitalized(what)}: ${photosText(count)}.${remark}` : `Unchanged: ${photosText(list.length)}.${remark}`);
    if (open < 0) selection.remove(list);
    else if (state.advance) viewer.step(1);
    if (next >= 0 && grid.position(grid.active) < 0) grid.activate(next); // a filter hides it now
  });
}

/** The first photo after the active one that a command does not change; -1 for none. */
function neighbour(list) {
  const changed = new Set(list);
  const at = grid.position(grid.active);
  if (at < 0) return -1;
  for (let next = at + 1; next < view.order.length; next++) if (!changed.has(view.order[next])) return view.order[next];
  for (let next = at - 1; next >= 0; next--) if (!changed.has(view.order[next])) return view.order[next];
  return -1;
}

function announceReplay(verb, done) {
  if (!done) return announce(verb === "Undone" ? "Nothing to undo." : "Nothing to redo.");
  announce(`${verb}: ${done.what}, ${photosText(done.count)}.`);
}

const capitalized = (text) => text[0].toUpperCase() + text.slice(1);

/** What every bar of actions offers: [text, key, icon, handler]. */
const ACTIONS = [
  ["Set label…", "l", "corrected", () => actions.edit()],
  ["Right", "r", "confirmed", () => actions.confirm()],
  ["Wrong", "w", "wrong", () => actions.wrong()],
  ["Reject", "x", "rejected", () => actions.reject()],
  ["Clear review", "Delete", "clear", () => actions.clear()],
];

function actionButtons() {
  return ACTIONS.map(([text, key, drawing, handler]) => {
    const shownKey = key === "Delete" ? "Del" : key.toUpperCase();
    const button = el("button", { type: "button", class: "action", title: `${text} (${shownKey})`, "aria-keyshortcuts": key },
      icon(drawing),
      el("span", { class: "action-text", text }), el("kbd", { text: shownKey, "aria-hidden": "true" }));
    button.addEventListener("click", handler);
    return button;
  });
}

/** An element that always shows the labels on the keys 1 to 9. */
function quickLabelBar() {
  const bar = el("div", { class: "quick-labels", role: "group", "aria-label": "Labels on the keys 1 to 9" });
  const fill = () => {
    bar.hidden = !quickLabels.slots.length;
    bar.replaceChildren(...quickLabels.slots.map(({ name }, index) => {
      const button = el("button", { type: "button", class: "quick-label", title: shown(name), "aria-keyshortcuts": String(index + 1) },
        el("kbd", { text: String(index + 1), "aria-hidden": "true" }), el("span", { text: shown(name) }));
      button.addEventListener("click", () => actions.setLabel(name));
      return button;
    }));
  };
  quickLabels.listeners.push(fill);
  fill();
  return bar;
}

function addActionKeys() {
  for (const where of ["grid", "viewer"]) {
    for (const [text, key, , handler] of ACTIONS) {
      const keys = key === "Delete" ? ["Delete", "Backspace"] : [key];
      shortcuts.add(keys, text.replace("…", ""), handler, where);
    }
    const quick = (event) => {
      const name = quickLabels.on(event.key);
      if (name) actions.setLabel(name);
      else announce(`No label is on the key ${event.key} yet: labels that you set get the keys 1 to 9.`);
    };
    shortcuts.add([..."123456789"], "", quick, where);
    shortcuts.add(["1–9"], "Set a label used before", null, where);
  }
  shortcuts.add(["Ctrl+z", "Meta+z"], "Undo", actions.undo, "any");
  shortcuts.add(["Ctrl+Shift+z", "Meta+Shift+z", "Ctrl+y"], "Redo", actions.redo, "any");
}
