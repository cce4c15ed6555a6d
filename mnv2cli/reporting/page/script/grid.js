// The grid: only the photos near the window exist as elements.

const GAP = 12;
const HEADER = 44;
const OVERSCAN = 400; // px above and below the window
const SETTLE = 90; // ms without scrolling, after which pictures are read again

const grid = {
  element: el("div", { class: "photo-grid", role: "listbox", tabindex: "0", id: "photo-grid", "aria-label": "Photos", "aria-multiselectable": "true" }),
  canvas: el("div", { class: "canvas", role: "presentation" }),
  active: -1,
  groupNow: el("div", { class: "group-now", "aria-hidden": "true", hidden: true }),
  cells: new Map(), // by row
  headers: new Map(), // by group
  pool: [],
  sections: [],
  drawnTop: 0,
  places: null, // the position in view.order of each row, +1
  onClick: null,
  onKeydown: null,

  /** Compute where photos are: after the order or the size changed. */
  layout() {
    const rem = parseFloat(getComputedStyle(document.documentElement).fontSize);
    const narrow = isNarrow.matches;
    const pad = (this.pad = narrow ? 8 : 16);
    const width = Math.max(120, this.element.clientWidth - 2 * pad);
    const least = thumbnails.kind === "none" ? 15 * rem : narrow ? 9 * rem : 11.5 * rem;
    this.gap = narrow ? 8 : GAP;
    this.columns = Math.max(1, Math.floor((width + this.gap) / (least + this.gap)));
    this.cellWidth = Math.floor((width + this.gap) / this.columns) - this.gap;
    const photo = thumbnails.kind === "none" ? 0 : Math.min(Math.round(this.cellWidth * 0.78), 11 * rem);
    this.cellHeight = Math.ceil(photo + CELL_LINES * 1.375 * rem + 1.125 * rem);
    this.element.style.setProperty("--cell-width", `${this.cellWidth}px`);
    this.element.style.setProperty("--cell-height", `${this.cellHeight}px`);
    this.element.style.setProperty("--photo-height", `${photo}px`);
    let top = pad;
    this.sections = view.groups.map((group) => {
      const head = group.title ? HEADER : 0;
      const lines = Math.ceil((group.end - group.start) / this.columns);
      const section = { ...group, top, first: top + head, bottom: top + head + lines * (this.cellHeight + this.gap) };
      top = section.bottom + (group.title ? this.gap : 0);
      return section;
    });
    this.canvas.style.height = `${top + pad}px`;
  },

  /** The section at a height of the content. */
  sectionAt(y) {
    let low = 0;
    let high = this.sections.length - 1;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.sections[middle].bottom > y) high = middle;
      else low = middle + 1;
    }
    return low;
  },

  /** The position of the first photo of the line at a height; with `after`, of the next line. */
  positionAt(y, after) {
    const section = this.sections[this.sectionAt(y)];
    if (!section) return 0;
    const line = Math.floor((y - section.first) / (this.cellHeight + this.gap)) + (after ? 1 : 0);
    return Math.min(section.end, Math.max(section.start, section.start + line * this.columns));
  },

  /** Left and top of a position. */
  placeOf(position) {
    let low = 0;
    let high = this.sections.length - 1;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.sections[middle].end > position) high = middle;
      else low = middle + 1;
    }
    const section = this.sections[low];
    const at = position - section.start;
    return {
      left: this.pad + (at % this.columns) * (this.cellWidth + this.gap),
      top: section.first + Math.floor(at / this.columns) * (this.cellHeight + this.gap),
    };
  },

  /** Make the elements of the photos near the window. */
  draw() {
    this.scheduled = 0;
    if (!this.element.clientHeight || !this.sections.length) return;
    const { scrollTop, clientHeight } = this.element;
    this.hurry(Math.abs(scrollTop - this.drawnTop) > clientHeight);
    this.drawnTop = scrollTop;
    const overscan = thumbnails.paused ? 0 : OVERSCAN;
    const top = scrollTop - overscan;
    const bottom = scrollTop + clientHeight + overscan;
    const first = this.positionAt(Math.max(0, top), false);
    const last = Math.min(view.order.length, this.positionAt(bottom, true));
    const wanted = new Map(); // positions by row
    for (let at = first; at < last; at++) wanted.set(view.order[at], at);
    if (this.active >= 0 && this.position(this.active) >= 0) wanted.set(this.active, this.position(this.active)); // aria-activedescendant
    for (const [row, cell] of this.cells) if (!wanted.has(row)) this.release(row, cell);
    for (const [row, position] of wanted) this.place(row, position);
    for (const cell of this.pool) if (cell.isConnected) cell.remove();
    while (this.pool.length > 60) this.pool.pop();
    this.drawHeaders(top, bottom);
  },

  /** While whole windows are skipped, draw what fits into a frame: text, and pictures afterwards. */
  hurry(skipped) {
    if (!skipped || !this.cells.size) return;
    thumbnails.paused = true;
    clearTimeout(this.settling);
    this.settling = setTimeout(() => {
      thumbnails.paused = false;
      thumbnails.retry();
      this.schedule();
    }, SETTLE);
  },

  release(row, cell) {
    this.cells.delete(row);
    thumbnails.waiting.delete(cell.parts.image);
    this.pool.push(cell);
  },

  place(row, position) {
    let cell = this.cells.get(row);
    if (!cell) {
      cell = this.pool.pop() || makeCell();
      this.cells.set(row, cell);
      fillCell(cell, row);
      cell.classList.toggle("active", row === this.active);
      if (!cell.isConnected) this.canvas.append(cell);
    }
    if (cell.position === position && cell.layout === this.version) return;
    cell.position = position;
    cell.layout = this.version;
    const { left, top } = this.placeOf(position);
    cell.style.transform = `translate(${left}px, ${top}px)`;
    cell.setAttribute("aria-posinset", position + 1);
    cell.setAttribute("aria-setsize", view.order.length);
  },

  drawHeaders(top, bottom) {
    const section = this.sections[this.sectionAt(this.element.scrollTop)];
    this.groupNow.hidden = !section.title || this.element.scrollTop <= section.top;
    if (!this.groupNow.hidden) this.groupNow.replaceChildren(...this.headTexts(section));
    for (const header of this.headers.values()) header.remove();
    this.headers.clear();
    if (!this.sections[0].title) return;
    for (let at = this.sectionAt(Math.max(0, top)); at < this.sections.length && this.sections[at].top < bottom; at++) {
      const header = el("div", { class: "group-head", "aria-hidden": "true" }, ...this.headTexts(this.sections[at]));
      header.style.transform = `translate(${this.pad}px, ${this.sections[at].top}px)`;
      this.headers.set(at, header);
      this.canvas.append(header);
    }
  },

  headTexts({ title, start, end }) {
    return [el("span", { class: "group-title", text: title }), el("span", { class: "group-count", text: photosText(end - start) })];
  },

  /** Draw soon, once. */
  schedule() {
    this.scheduled ||= requestAnimationFrame(() => this.draw());
  },

  /** Fill the drawn cells again. */
  redraw() {
    for (const [row, cell] of this.cells) fillCell(cell, row);
  },

  /** The order or the size changed. */
  refresh() {
    this.version = (this.version || 0) + 1;
    this.places = null;
    this.layout();
    this.draw();
  },

  /** The position of a row in the order; -1 if it is not shown. */
  position(row) {
    if (row < 0) return -1;
    if (!this.places) {
      this.places = new Uint32Array(rowCount);
      for (let at = 0; at < view.order.length; at++) this.places[view.order[at]] = at + 1;
    }
    return this.places[row] - 1;
  },

  /** The rows from one to another, as shown. */
  rowsBetween(rowA, rowB) {
    const [a, b] = [this.position(rowA), this.position(rowB)].sort((x, y) => x - y);
    return a < 0 ? [] : [...view.order.slice(a, b + 1)];
  },

  /** The rows that a rectangle of the content touches, drawn or not. */
  rowsIn(left, top, right, bottom) {
    if (!view.order.length) return [];
    const found = [];
    const end = Math.min(view.order.length, this.positionAt(bottom, true));
    for (let at = this.positionAt(Math.max(0, top), false); at < end; at++) {
      const place = this.placeOf(at);
      const apart = place.left > right || place.left + this.cellWidth < left || place.top > bottom || place.top + this.cellHeight < top;
      if (!apart) found.push(view.order[at]);
    }
    return found;
  },

  /** Give a row the keyboard's focus, and show it. */
  activate(row) {
    const before = this.cells.get(this.active);
    if (before) before.classList.remove("active");
    this.active = this.position(row) < 0 ? -1 : row;
    if (this.active < 0) return this.element.removeAttribute("aria-activedescendant");
    this.reveal(row);
    this.draw();
    this.cells.get(row)?.classList.add("active");
    this.element.setAttribute("aria-activedescendant", `photo-${row}`);
  },

  /** Scroll as little as shows a row. */
  reveal(row) {
    const { top } = this.placeOf(this.position(row));
    const { scrollTop, clientHeight } = this.element;
    const head = this.sections[0].title ? HEADER : this.gap;
    if (top - head < scrollTop) this.element.scrollTop = top - head;
    else if (top + this.cellHeight + this.gap > scrollTop + clientHeight)
      this.element.scrollTop = top + this.cellHeight + this.gap - clientHeight;
  },
};

grid.element.append(el("div", { class: "group-holder", role: "presentation" }, grid.groupNow), grid.canvas);
view.listeners.push(() => grid.refresh());
