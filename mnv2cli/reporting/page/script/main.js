// Put the parts together and start.

function start() {
  sidebar.start();
  toolbar.start();
  const about = [photosText(rowCount), ...report.models.map(shown), report.tool].join(" · ");
  const keys = el("button", { type: "button", class: "plain help-button", "aria-label": "Keys", title: "Keys (?)", text: "?", onclick: () => help.open() });
  photosPanel.append(el("div", { class: "layout" }, sidebar.element,
    el("div", { class: "content" }, toolbar.element, toolbar.status, toolbar.empty, grid.element)));
  const head = el("header", { class: "top" }, el("div", { class: "titles" }, el("h1", { text: shown(report.title), title: shown(report.title) }), el("p", { class: "about", text: about, title: about })), tabs.list, keys);
  document.getElementById("app").replaceChildren(head, el("main", {}, tabs.panels), live);
  stateListeners.push(() => document.body.classList.toggle("is-photos", tabs.current.id === "photos"));
  view.listeners.push(() => {
    sidebar.update();
    toolbar.update();
  });
  startCorrecting();
  restoreState();
  tabs.update();
  document.body.classList.toggle("is-photos", tabs.current.id === "photos");
  view.invalidate();
  viewer.update();
  for (const key of ["sort", "group", "show", "review"]) showSelect(key);
  search.field.value = state.q;
  new ResizeObserver(() => grid.refresh()).observe(grid.element);
  thumbnails.start();
  setTimeout(() => document.getElementById("preview").remove(), 1000); // hidden by the grid
  setTimeout(searchTexts, 200); // before somebody types
}

start();
