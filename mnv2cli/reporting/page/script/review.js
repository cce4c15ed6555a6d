// The tab Review: how many photos are reviewed, and what they show of the accuracy.

defineState("review", "", oneOf(() => REVIEW_FILTERS.map(([value]) => value)));
defineState("confusion", [], (given) => (given.length < 3 ? given : undefined)); // [predicted, right]

const REVIEW_FILTERS = [
  ["", "All"],
  ["no", "Not reviewed"],
  ["yes", "Reviewed"],
  ["corrected", "Corrected"],
  ["confirmed", "Right"],
  ["wrong", "Wrong"],
  ["rejected", "Rejected"],
];

function passesReview(row) {
  const review = corrections.reviewOf(row);
  if (state.review === "no") return !review;
  if (state.review === "yes") return Boolean(review);
  return !state.review || review === state.review;
}

function passesConfusion(row) {
  if (state.confusion.length === 0) return true;
  const value = corrections.at(row);
  if (!value || wasRight(row, value) !== false) return false;
  const names = confusionOf(row, value);
  return names[0] === state.confusion[0] && names[1] === (state.confusion[1] ?? "");
}

/** An order without a pattern, in which the first photos are a fair sample of all. */
sorts.random = {
  title: "Random",
  key: () => (row) => {
    let mixed = Math.imul(row + 1, 0x9e3779b1);
    mixed = Math.imul(mixed ^ (mixed >>> 15), 0x85ebca6b);
    return (mixed ^ (mixed >>> 13)) >>> 0;
  },
};

tabs.add({ id: "review", title: "Review", render: renderReview });

const MOST_LINES = 100; // of a table

function renderReview(panel) {
  const figures = reviewFigures();
  const reviewed = corrections.map.size;
  panel.classList.add("review-panel");
  if (!reviewed) return panel.replaceChildren(el("div", { class: "page-width" }, emptyReview(), reviewButtons(reviewed)));
  panel.replaceChildren(el("div", { class: "page-width" },
    reviewButtons(reviewed),
    el("div", { class: "review-figures" }, progressFigure(figures, reviewed), accuracyFigure(figures)),
    ...sampleNotes(figures),
    confusionTable(figures.confusions),
    classTable(figures.classes)));
}

function reviewButtons(reviewed) {
  const button = (text, handler) => el("button", { type: "button", class: "button", text, onclick: handler });
  return el("div", { class: "review-buttons" },
    reviewed ? button("Export corrections", exportCorrections) : null,
    button("Import corrections…", () => importing.field.click()),
    reviewed ? button("Discard all…", askToDiscard) : null);
}

function emptyReview() {
  const steps = [
    "Look at photos, and say of each whether its label is right (R), wrong (W), or which one is right (L).",
    "Select several at once with their check marks, Shift, or by drawing a rectangle around them.",
    "Export the corrections, and sort or learn with them.",
  ];
  return el("div", { class: "review-empty" }, el("h2", { text: "No photo is reviewed yet" }),
    el("ol", {}, ...steps.map((text) => el("li", { text }))));
}

function progressFigure(figures, reviewed) {
  const list = REVIEWS.filter((each) => figures.reviews[each]).map((each) =>
    el("li", {}, linkButton(`${number(figures.reviews[each])} ${REVIEW_WORDS[each]}`, { review: each }, each)));
  return el("section", { class: "figure" }, el("h2", { text: "Reviewed" }),
    el("p", { class: "big", text: `${number(reviewed)} of ${number(rowCount)}` }),
    el("progress", { max: rowCount, value: reviewed, "aria-label": "Reviewed photos" }),
    el("ul", { class: "review-counts" }, ...list));
}

function accuracyFigure({ count, right }) {
  const section = el("section", { class: "figure" }, el("h2", { text: "Accuracy among the reviewed" }));
  if (!count) section.append(el("p", { text: "No reviewed photo has a predicted label that counts." }));
  else {
    const [low, high] = wilson(right, count);
    section.append(el("p", { class: "big", text: percent(right / count) }),
      el("p", { text: `${number(right)} of ${photosText(count)} right; 95 % interval ${percent(low)} to ${percent(high)}.` }),
      el("p", { class: "hint", text: "Rejected photos do not count." }));
  }
  return section;
}

/** Plain warnings where the figure misleads. */
function sampleNotes(figures) {
  const bias = sampleBias(figures);
  const notes = [];
  if (bias) {
    const [kind, way] = bias < 0 ? ["unsure", "higher"] : ["sure", "lower"];
    notes.push(`You mostly reviewed ${kind} photos: their mean score is ${percent(figures.scores / figures.count)}, ` +
      `that of all photos ${percent(scoreSpread.mean)}. The accuracy of all photos is probably ${way}. For a fair sample sort by Random, and review from the start.`);
  }
  if (figures.count > 0 && figures.count < 30) notes.push("Fewer than 30 photos count: the interval is wide.");
  return notes.map((text) => el("p", { class: "note", text }));
}

/** A button that shows the photos of a filter. */
function linkButton(text, values, drawing) {
  const button = el("button", { type: "button", class: "link" }, drawing ? icon(drawing) : null, text);
  button.addEventListener("click", () => {
    view.clear();
    setState({ tab: "photos", ...values });
    grid.element.focus();
  });
  return button;
}

function reviewTable(title, heads, lines, total) {
  const head = el("tr", {}, ...heads.map(([text, kind]) => el("th", { scope: "col", text, class: kind })));
  const more = total > lines.length ? [el("p", { class: "hint", text: `And ${number(total - lines.length)} more.` })] : [];
  return el("section", { class: "review-section" }, el("h2", { text: title }),
    el("div", { class: "table-box", tabindex: "0", role: "region", "aria-label": title },
      el("table", {}, el("thead", {}, head), el("tbody", {}, ...lines))), ...more);
}

function confusionTable(confusions) {
  if (!confusions.length) {
    return el("section", { class: "review-section" }, el("h2", { text: "Mistakes" }),
      el("p", { text: "None among the reviewed photos." }));
  }
  const lines = confusions.slice(0, MOST_LINES).map(({ names, count }) => {
    const show = linkButton(photosText(count), { confusion: names });
    show.setAttribute("aria-label", `Show ${photosText(count)}: ${shown(names[0])}, which are ${rightName(names[1])}`);
    return el("tr", {}, el("td", { text: shown(names[0]) }), el("td", { class: names[1] === UNKNOWN_LABEL ? "dim" : null, text: rightName(names[1]) }), el("td", { class: "figures" }, show));
  });
  return reviewTable("Mistakes", [["Predicted"], ["Corrected to"], ["Photos", "figures"]], lines, confusions.length);
}

const rightName = (name) => (name === UNKNOWN_LABEL ? "not known" : shown(name));

function classTable(classes) {
  const lines = classes.slice(0, MOST_LINES).map(({ names, count, right }) =>
    el("tr", {}, el("td", { text: shown(names[0]) }), el("td", { class: "figures", text: number(count) }),
      el("td", { class: "figures", text: number(right) }), el("td", { class: "figures", text: percent(right / count) })));
  return reviewTable("By predicted class", [["Class"], ["Reviewed", "figures"], ["Right", "figures"], ["Share", "figures"]], lines, classes.length);
}

const reviewFilterText = () => (state.review ? REVIEW_FILTERS.find(([value]) => value === state.review)[1] : "");

function confusionFilterText() {
  const [predicted, right = ""] = state.confusion;
  return predicted === undefined ? "" : `${shown(predicted)} → ${rightName(right)}`;
}

function startReview() {
  filters.add({ name: "review", test: passesReview, keys: ["review"], text: reviewFilterText });
  filters.add({ name: "confusion", test: passesConfusion, keys: ["confusion"], text: confusionFilterText });
  toolbar.element.querySelector(".selects").append(select("Review", "review", REVIEW_FILTERS));
}
