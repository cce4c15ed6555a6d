// Where corrections are made: the bar of the selection, the buttons of the toolbar and of the large photo.

defineState("advance", false); // show the next photo after each command on a large one

function selectionBar() {
  const count = el("p", { class: "selection-count" });
  const hint = el("p", { class: "hint" });
  const clear = el("button", { type: "button", class: "plain close", "aria-label": "Clear the selection", title: "Clear the selection (Esc)", text: "✕", onclick: () => selection.clear() });
  const buttons = el("div", { class: "action-buttons" }, ...actionButtons());
  const bar = el("div", { class: "selection-bar", role: "group", "aria-label": "Selected photos", hidden: true },
    el("div", { class: "selection-texts" }, count, hint), buttons, quickLabelBar(), clear);
  bar.addEventListener("keydown", (event) => event.key === "Escape" && selection.clear());
  const update = () => {
    const size = selection.rows.size;
    if (!size && bar.contains(document.activeElement)) grid.element.focus();
    bar.hidden = !size;
    const changed = size ? selection.shown().length : 0;
    const none = size > 0 && !changed;
    count.textContent = size ? selectionText() : "";
    hint.textContent = changed < size ? (none ? "Show them to change them." : `Commands change the ${number(changed)} shown.`) : "";
    for (const button of bar.querySelectorAll(".action, .quick-label")) button.disabled = none;
  };
  selection.listeners.push(update);
  view.listeners.push(update);
  return bar;
}

/** A button of the toolbar with an icon; `text` is its name. */
const iconButton = (drawing, text, keys, handler) =>
  el("button", { type: "button", class: "button icon-button", "aria-label": text, title: `${text} (${keys})`, onclick: handler }, icon(drawing));

function fillToolbar() {
  const undo = iconButton("undo", "Undo", "Ctrl+Z", actions.undo);
  const redo = iconButton("redo", "Redo", "Ctrl+Shift+Z", actions.redo);
  const badge = el("span", { class: "export-badge" });
  const exportButton = el("button", { type: "button", class: "button export", onclick: exportCorrections }, icon("export"), el("span", { text: "Export" }), badge);
  const update = () => {
    const pending = corrections.pending();
    undo.disabled = !corrections.done.length;
    redo.disabled = !corrections.undone.length;
    exportButton.disabled = !corrections.map.size && !pending;
    exportButton.title = "Save the corrections as a CSV file";
    badge.hidden = !pending;
    badge.replaceChildren(number(pending), el("span", { class: "badge-words", text: " not exported" }));
    tabs.setCount("review", corrections.map.size);
  };
  corrections.listeners.push(update);
  update();
  toolbar.actions.append(undo, redo, exportButton);
  toolbar.status.append(toolbar.actions); // where there is room
}

function fillViewer() {
  const status = makeReviewMark();
  const advance = el("input", { type: "checkbox", id: "advance", onchange: () => setState({ advance: advance.checked }) });
  const label = el("label", { class: "advance" }, advance, "Then show the next photo ", el("kbd", { text: "A" }));
  viewer.actions.append(status.element, el("div", { class: "action-buttons" }, ...actionButtons()), quickLabelBar(), label);
  const update = () => {
    if (viewer.row < 0) return;
    fillReviewMark(status, viewer.row);
    status.element.hidden = false; // what is below does not move
    if (!corrections.at(viewer.row)) status.text.textContent = "not reviewed";
  };
  viewer.listeners.push(update);
  corrections.listeners.push(update);
  const follow = () => (advance.checked = state.advance);
  stateListeners.push((changed) => changed.has("advance") && follow());
  follow();
  shortcuts.add(["a"], "Show the next photo after each command, or not", () => {
    setState({ advance: !state.advance });
    announce(state.advance ? "The next photo follows each command." : "The photo stays after a command.");
  }, "viewer");
}

function keepNotice() {
  const notice = el("p", { class: "keep-notice", role: "status", hidden: true });
  const update = () => {
    notice.hidden = !keeping.problem || !corrections.pending();
    const text = notice.hidden ? "" : `${keeping.problem}. Export your corrections before you leave or reload this page.`;
    if (notice.textContent !== text) notice.textContent = text;
  };
  keeping.listeners.push(update);
  corrections.listeners.push(update);
  update();
  return notice;
}

/** Filter again after corrections, where that matters; under a large photo the order stays until it closes. */
const refiltering = {
  due: false,
  apply() {
    if (!refiltering.due || viewer.row >= 0) return;
    refiltering.due = false;
    view.invalidate();
  },
};

function startCorrecting() {
  startKeeping();
  startSelection();
  startReview();
  addActionKeys();
  fillToolbar();
  fillViewer();
  cellDecorators.push(decorateCell);
  grid.element.classList.toggle("without-photos", thumbnails.kind === "none");
  selection.listeners.push(decorateSelected);
  corrections.listeners.push((changed) => {
    if (!changed.length) return;
    decorateDrawn();
    tabs.refresh("review");
    refiltering.due ||= state.review !== "" || state.confusion.length > 0;
    refiltering.apply();
  });
  viewer.listeners.push(refiltering.apply);
  grid.element.after(selectionBar());
  tabs.panels.prepend(keepNotice());
  document.body.append(importing.field);
}
