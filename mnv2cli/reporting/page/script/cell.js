// A photo of the grid.

/** Called with the cell and the row whenever a cell is filled. */
const cellDecorators = [];

const BARS = 3;
let barsShown = 0;
for (let row = 0; row < rowCount && barsShown < BARS; row++) barsShown = Math.max(barsShown, Math.min(BARS, rows.count[row]));

/** The lines of text under a photo, in rem of their height. */
const CELL_LINES = 1 + barsShown + [rows.category, rows.target, rows.truth, rows.before].filter(Boolean).length;

function makeBar() {
  const label = el("span", { class: "bar-label" });
  const score = el("span", { class: "bar-score" });
  const element = el("div", { class: "score-bar" }, label, score);
  return { element, label, score };
}

function setBar(bar, label, score) {
  bar.label.textContent = label;
  if (bar.shown === score) return;
  bar.shown = score;
  bar.score.textContent = scoreText(score);
  bar.element.style.setProperty("--score", `${100 * score}%`);
}

/** Make an empty cell; its parts are its property `parts`. */
function makeCell() {
  const image = el("img", { alt: "", decoding: "async", draggable: "false" });
  const reason = el("span", { class: "reason" });
  const photo = el("div", { class: "cell-photo" }, image, reason);
  const name = el("div", { class: "cell-name" });
  const bars = Array.from({ length: barsShown }, makeBar);
  const fact = (kind) => rows[kind] && el("div", { class: `fact fact-${kind}` });
  const facts = { category: fact("category"), target: fact("target"), truth: fact("truth"), before: fact("before") };
  const cell = el("div", { class: "cell", role: "option", "aria-selected": "false" },
    thumbnails.kind === "none" ? null : photo, name, ...bars.map((bar) => bar.element), ...Object.values(facts).filter(Boolean));
  cell.parts = { image, reason, photo, name, bars, facts };
  return cell;
}

/** Show a photo in a cell. */
function fillCell(cell, row) {
  const { parts } = cell;
  cell.row = row;
  cell.id = `photo-${row}`;
  cell.setAttribute("aria-label", cellText(row));
  parts.name.textContent = shown(nameOf(row));
  const error = errorOf(row);
  cell.classList.toggle("failed", Boolean(error));
  if (thumbnails.kind === "none") parts.name.textContent += error ? ` — ${shown(error)}` : "";
  else
    thumbnails.show(parts.image, row, (reason) => {
      if (cell.row !== row) return;
      parts.image.hidden = Boolean(reason);
      parts.reason.textContent = shown(reason);
    });
  fillBars(parts.bars, row);
  fillFacts(parts.facts, row);
  for (const decorate of cellDecorators) decorate(cell, row);
}

function fillBars(bars, row) {
  const count = rows.count[row];
  bars.forEach((bar, at) => {
    bar.element.hidden = at >= count;
    if (at < count) setBar(bar, labelText(rows.label[starts[row] + at]), rows.score[starts[row] + at] / SCALE);
  });
}

function fillFacts(facts, row) {
  setFact(facts.category, categoryText(row) && `${categoryText(row)} · ${scoreText(categoryScoreOf(row))}`);
  setFact(facts.target, targetText(row) && `→ ${targetText(row)}`);
  const verdict = rightOf(row);
  if (facts.truth) {
    facts.truth.classList.toggle("is-right", verdict === 1);
    facts.truth.classList.toggle("is-wrong", verdict === 0);
    setFact(facts.truth, verdict < 0 ? "" : verdict ? "✓ right" : `✗ is ${labelText(truthOf(row))}`);
  }
  setFact(facts.before, beforeText(row));
  if (facts.before) facts.before.classList.toggle("is-changed", isChanged(row));
}

function setFact(element, text) {
  if (!element) return;
  element.textContent = text || "";
}

/** How the best label was before, if that is known. */
function beforeText(row) {
  const before = beforeOf(row);
  if (before < 0) return "";
  if (!isChanged(row)) return `before ${scoreText(beforeScoreOf(row))}`;
  return `${labelText(before)} → ${labelText(labelOf(row)) || "none"}`;
}

/** A photo in words. */
function cellText(row) {
  const parts = [shown(nameOf(row))];
  if (errorOf(row)) parts.push(`no labels: ${shown(errorOf(row))}`);
  if (labelOf(row) >= 0) parts.push(`${labelText(labelOf(row))} ${scoreText(scoreOf(row))}`);
  if (categoryOf(row) >= 0) parts.push(`category ${categoryText(row)}`);
  if (targetOf(row) >= 0) parts.push(`to ${targetText(row)}`);
  if (rightOf(row) >= 0) parts.push(rightOf(row) ? "right" : `wrong: is ${labelText(truthOf(row))}`);
  if (isChanged(row)) parts.push(`was ${labelText(beforeOf(row))}`);
  return parts.join(", ");
}
