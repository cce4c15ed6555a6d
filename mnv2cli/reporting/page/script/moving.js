// The grid under the mouse and the keyboard.

/** The row where a key leads from the active one; -1 if the key does not move. */
grid.target = function (key) {
  const count = view.order.length;
  if (!count) return -1;
  const at = this.position(this.active);
  const page = this.columns * Math.max(1, Math.floor(this.element.clientHeight / (this.cellHeight + this.gap)));
  const steps = { ArrowLeft: -1, ArrowRight: 1, PageUp: -page, PageDown: page };
  let to;
  if (key === "Home") to = 0;
  else if (key === "End") to = count - 1;
  else if (key === "ArrowUp" || key === "ArrowDown") to = this.vertical(Math.max(0, at), key === "ArrowUp" ? -1 : 1);
  else if (key in steps) to = at + steps[key];
  else return -1;
  if (at < 0 && key.startsWith("Arrow")) to = 0;
  return view.order[Math.min(count - 1, Math.max(0, to))];
};

/** The position one line up or down, across groups. */
grid.vertical = function (at, step) {
  const here = this.placeOf(at);
  let y = here.top + step * (this.cellHeight + this.gap);
  const section = this.sections[this.sectionAt(here.top)];
  if (y < section.first) y = this.sections[Math.max(0, this.sectionAt(here.top) - 1)].bottom - this.gap - 1;
  else if (y >= section.bottom) y = (this.sections[this.sectionAt(here.top) + 1] || section).first;
  if (y < 0 || (y < here.top) !== (step < 0)) return at;
  const line = this.positionAt(y, false);
  const end = Math.min(this.positionAt(y, true), view.order.length);
  const column = Math.round((here.left - this.pad) / (this.cellWidth + this.gap));
  return Math.min(line + column, Math.max(line, end - 1));
};

grid.element.addEventListener("keydown", (event) => {
  if (grid.onKeydown?.(event) || event.defaultPrevented) return;
  if (event.ctrlKey || event.metaKey || event.altKey || event.shiftKey) return;
  if (event.key === "Enter" && grid.active >= 0) {
    event.preventDefault();
    viewer.open(grid.active);
    return;
  }
  const row = grid.target(event.key);
  if (row < 0) return;
  event.preventDefault();
  grid.activate(row);
});

grid.element.addEventListener("click", (event) => {
  const cell = event.target.closest(".cell");
  if (!cell) return;
  if (grid.onClick?.(event, cell.row)) return;
  grid.activate(cell.row);
  viewer.open(cell.row);
});

// A text that is cut off is shown in full when the mouse rests on it.
grid.element.addEventListener("mouseover", ({ target }) => {
  if (target.matches(".cell-name, .bar-label, .fact")) target.title = target.scrollWidth > target.clientWidth ? target.textContent : "";
});

grid.element.addEventListener("focus", () => {
  if (grid.active < 0 && view.order.length && grid.element.matches(":focus-visible"))
    grid.activate(view.order[grid.positionAt(grid.element.scrollTop, false)] ?? view.order[0]);
});
grid.element.addEventListener("scroll", () => grid.schedule(), { passive: true });
view.listeners.push(() => {
  if (grid.position(grid.active) < 0) grid.activate(-1);
});
shortcuts.add(["ArrowLeft", "ArrowRight", "ArrowUp", "ArrowDown"], "Go to another photo", null, "grid");
shortcuts.add(["Home", "End"], "Go to the first or last photo", null, "grid");
shortcuts.add(["Enter"], "Show the photo large", null, "grid");
