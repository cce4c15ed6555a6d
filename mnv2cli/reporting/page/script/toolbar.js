// Above the grid: search, order, groups, the number of photos and what they are filtered by.

const toolbar = {
  /** For buttons of others, at the right end. */
  actions: el("div", { class: "actions" }),
  count: el("p", { class: "count", role: "status" }),
  chips: el("ul", { class: "chips", "aria-label": "Filters in use" }),
  clear: el("button", { type: "button", class: "plain", text: "Clear filters" }),
  empty: el("div", { class: "empty-state", hidden: true }),

  start() {
    const filtersButton = el("button", { type: "button", class: "button filters-button", "aria-haspopup": "dialog", text: "Filters" });
    filtersButton.addEventListener("click", () => sidebar.drawer.showModal());
    const sortOptions = Object.entries(sorts).filter(([, { isOfLabels }]) => barsShown || !isOfLabels).map(([key, { title }]) => [key, title]);
    const groupOptions = [["", "None"], ...facets.map(({ key }) => [key, facetNouns[key]])];
    const shows = [["", "All"]];
    if (rows.truth) shows.push(["wrong", "Wrong only"], ["right", "Right only"]);
    if (rows.before) shows.push(["changed", "Changed only"]);
    this.element = el("div", { class: "toolbar", role: "group", "aria-label": "Search and order" }, filtersButton, search.start(),
      el("div", { class: "selects" }, shows.length > 1 ? select("Show", "show", shows) : null,
        select("Sort", "sort", sortOptions), select("Group", "group", groupOptions)), this.actions);
    this.clear.addEventListener("click", () => this.clearAll());
    this.status = el("div", { class: "status-line" }, this.count, this.chips, this.clear);
    const clear = el("button", { type: "button", class: "button", text: "Clear filters", onclick: () => this.clearAll() });
    this.empty.append(el("p", { class: "empty-title", text: "No photo passes these filters." }), clear);
  },

  clearAll() {
    view.clear();
    grid.element.focus();
  },

  update() {
    const size = view.order.length;
    const text = size === rowCount ? photosText(size) : `${number(size)} of ${photosText(rowCount)}`;
    if (this.count.textContent !== text) this.count.textContent = text;
    this.chips.replaceChildren(...this.filters().map(({ text: name, drop }) =>
      el("li", {}, el("button", { type: "button", class: "chip", title: name, "aria-label": `Remove the filter ${name}`, onclick: () => this.drop(drop) },
        el("span", { text: name }), el("span", { class: "cross", "aria-hidden": "true", text: "✕" })))));
    this.clear.hidden = !view.isFiltered;
    const nothing = size === 0;
    this.empty.hidden = !nothing;
    this.empty.lastChild.hidden = !view.isFiltered;
    this.empty.firstChild.textContent = rowCount ? "No photo passes these filters." : "There are no photos in these results.";
    grid.element.hidden = nothing;
  },

  drop(values) {
    setState(values);
    (this.chips.querySelector("button") || search.field).focus();
  },

  /** The filters in use, each with the state that drops it. */
  filters() {
    const found = [];
    if (state.q.trim()) found.push({ text: `“${shown(state.q.trim())}”`, drop: { q: "" } });
    if (state.score > 0) found.push({ text: `Score at least ${wholePercent(state.score)}`, drop: { score: 0 } });
    if (state.margin < 1) found.push({ text: `Margin at most ${wholePercent(state.margin)}`, drop: { margin: 1 } });
    if (state.show) found.push({ text: `${state.show[0].toUpperCase()}${state.show.slice(1)} only`, drop: { show: "" } });
    for (const facet of facets)
      for (const name of state[facet.key])
        found.push({ text: `${facetNouns[facet.key]}: ${shown(name)}`, drop: { [facet.key]: state[facet.key].filter((each) => each !== name) } });
    for (const { text, keys } of filters.all)
      if (text()) found.push({ text: text(), drop: Object.fromEntries(keys.map((key) => [key, defaults[key]])) });
    return found;
  },
};

/** Set a select element to the value of the state. */
function showSelect(key) {
  const element = document.getElementById(`select-${key}`);
  if (!element) return;
  element.value = state[key];
  if (element.selectedIndex < 0) element.selectedIndex = 0;
}

function select(title, key, options) {
  const element = el("select", { id: `select-${key}` }, ...options.map(([value, text]) => el("option", { value, text })));
  element.addEventListener("change", () => setState({ [key]: element.value }));
  stateListeners.push((changed) => changed.has(key) && showSelect(key));
  return el("label", { class: "select", for: `select-${key}` }, el("span", { text: title }), element);
}
