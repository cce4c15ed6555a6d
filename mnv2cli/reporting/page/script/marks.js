// What a cell shows of a selection and of a correction: by icon and text, not by colour alone.

const ICONS = {
  corrected: "M4 20l1-4.5L16.5 4l3.5 3.5L8.5 19z",
  confirmed: "M5 12.5l5 5L19 7",
  wrong: "M6 6l12 12M18 6L6 18",
  rejected: "M12 3.5a8.5 8.5 0 1 0 0 17a8.5 8.5 0 1 0 0-17zM6 6l12 12",
  clear: "M9 20h11M4.5 15L14 5l6 6-8.5 9H9z",
  undo: "M9 4L4 9l5 5M4 9h9.5a5.5 5.5 0 0 1 0 11H9",
  redo: "M15 4l5 5-5 5M20 9h-9.5a5.5 5.5 0 0 0 0 11H15",
  export: "M12 4v11M7 10.5l5 5 5-5M5 20h14",
};

const icon = (name) => svg("svg", { class: "icon", viewBox: "0 0 24 24", "aria-hidden": "true" }, svg("path", { d: ICONS[name] }));

/** A correction in words. */
function reviewText(row) {
  const value = corrections.at(row);
  if (!value) return "";
  if (value.review === "corrected") return shown(value.label);
  if (value.review === "confirmed" && value.label !== predictedName(row)) return `right: ${shown(value.label)}`;
  return REVIEW_WORDS[value.review];
}

/** The same for people who cannot see the icon. */
function spokenReview(row) {
  const value = corrections.at(row);
  if (!value) return "not reviewed";
  return value.review === "corrected" ? `corrected to ${shown(value.label)}` : `reviewed: ${reviewText(row)}`;
}

function makeReviewMark() {
  const drawing = icon("confirmed");
  const text = el("span", { class: "review-text" });
  return { path: drawing.firstChild, text, element: el("div", { class: "review-mark" }, drawing, text) };
}

function fillReviewMark(mark, row) {
  const review = corrections.reviewOf(row);
  mark.element.hidden = !review;
  mark.element.dataset.review = review;
  if (review) mark.path.setAttribute("d", ICONS[review]);
  mark.text.textContent = reviewText(row);
  mark.element.title = review ? capitalized(spokenReview(row)) : "";
}

function decorateCell(cell, row) {
  if (!cell.parts.check) {
    cell.parts.check = el("span", { class: "cell-check", "aria-hidden": "true" });
    cell.parts.review = makeReviewMark();
    cell.append(cell.parts.check, cell.parts.review.element);
  }
  cell.dataset.review = corrections.reviewOf(row);
  cell.setAttribute("aria-selected", String(selection.has(row)));
  const review = corrections.at(row) ? `, ${spokenReview(row)}` : "";
  cell.setAttribute("aria-label", cellText(row) + review);
  fillReviewMark(cell.parts.review, row);
}

function decorateDrawn() {
  for (const [row, cell] of grid.cells) decorateCell(cell, row);
}

function decorateSelected() {
  for (const [row, cell] of grid.cells) {
    const selected = String(selection.has(row));
    if (cell.getAttribute("aria-selected") !== selected) cell.setAttribute("aria-selected", selected);
  }
  grid.element.classList.toggle("selecting", selection.rows.size > 0);
}
