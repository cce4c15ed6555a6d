// The selected photos: by check mark, keys and rubber band. Photos that a filter hides stay selected.

const selection = {
  rows: new Set(),
  anchor: -1, // where a range begins
  base: new Set(), // what is selected beside the range
  listeners: [],

  has: (row) => selection.rows.has(row),

  /** The selected rows that are shown, in their order. */
  shown: () => (selection.known ??= selection.find()),
  known: [], // null after a change

  find() {
    const { rows } = selection;
    if (rows.size * 8 > view.order.length) return rows.size ? [...view.order.filter((row) => rows.has(row))] : [];
    const found = [...rows].filter((row) => grid.position(row) >= 0);
    return found.sort((a, b) => grid.position(a) - grid.position(b));
  },

  set(list) {
    selection.rows = list instanceof Set ? list : new Set(list);
    selection.known = null;
    for (const listener of selection.listeners) listener();
  },

  toggle(row) {
    const next = new Set(selection.rows);
    if (!next.delete(row)) next.add(row);
    selection.startAt(row, next);
    selection.set(next);
  },

  /** Let ranges begin at a row. */
  startAt(row, base = selection.rows) {
    selection.anchor = row;
    selection.base = new Set(base);
  },

  extendTo(row) {
    if (grid.position(selection.anchor) < 0) selection.startAt(grid.position(grid.active) < 0 ? row : grid.active);
    selection.set([...selection.base, ...grid.rowsBetween(selection.anchor, row)]);
  },

  remove(list) {
    const next = new Set(selection.rows);
    for (const row of list) next.delete(row);
    selection.anchor = -1;
    if (next.size !== selection.rows.size) selection.set(next);
  },

  clear() {
    selection.anchor = -1;
    if (selection.rows.size) selection.set([]);
  },

  all() {
    const next = new Set(selection.rows);
    for (const row of view.order) next.add(row);
    selection.set(next);
    announce(selectionText());
  },
};

/** How many are selected, and how many of them are not shown. */
function selectionText() {
  const hidden = selection.rows.size - selection.shown().length;
  const text = `${number(selection.rows.size)} selected`;
  return hidden ? `${text}, ${number(hidden)} of them not shown` : text;
}

function onSelectingClick(event, row) {
  const onCheck = Boolean(event.target.closest(".cell-check"));
  const toggles = onCheck || event.ctrlKey || event.metaKey || selection.shown().length > 0;
  if (!event.shiftKey && !toggles) return false;
  if (event.shiftKey) selection.extendTo(row);
  else selection.toggle(row);
  grid.activate(row);
  return true;
}

function onSelectingKey(event) {
  if (event.ctrlKey || event.metaKey || event.altKey) return false;
  if (event.key === " ") {
    if (grid.active < 0) return false;
    if (event.shiftKey) selection.extendTo(grid.active);
    else selection.toggle(grid.active);
  } else {
    const row = event.shiftKey ? grid.target(event.key) : -1;
    if (row < 0) return false;
    if (grid.position(selection.anchor) < 0) selection.startAt(grid.active < 0 ? row : grid.active);
    grid.activate(row);
    selection.extendTo(row);
  }
  event.preventDefault();
  return true;
}

function startSelection() {
  view.listeners.push(() => (selection.known = null));
  grid.onClick = onSelectingClick;
  grid.onKeydown = onSelectingKey;
  shortcuts.add(["Space"], "Select the photo, or not", null, "grid");
  shortcuts.add(["Shift+ArrowRight", "Shift+ArrowDown"], "Extend the selection", null, "grid");
  shortcuts.add(["Ctrl+a", "Meta+a"], "Select all photos shown", selection.all, "grid");
  shortcuts.add(["Escape"], "Clear the selection", () => (selection.rows.size ? selection.clear() : false), "grid");
  grid.element.addEventListener("mousedown", (event) => {
    if (!event.shiftKey) return;
    event.preventDefault(); // selects no text
    grid.element.focus({ preventScroll: true });
  });
  startRubberBand();
}
