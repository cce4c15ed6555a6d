// The overview: figures of the photos that are shown.

const COUNTED = 15; // values of a list

function renderOverview(element) {
  const order = view.order;
  element.replaceChildren(el("div", { class: "page-width" },
    el("p", { class: "dim", text: view.isFiltered ? `Of the ${photosText(order.length)} that pass the filters. Choose a bar to see its photos.` : `Of all ${photosText(order.length)}. Choose a bar to see its photos.` }),
    view.isFiltered ? el("button", { type: "button", class: "button", text: "Clear filters", onclick: () => view.clear() }) : "",
    figures(order), scoreCharts(order), facetCharts()));
}

function figures(order) {
  let sum = 0;
  let labelled = 0;
  let right = 0;
  let judged = 0;
  let changed = 0;
  for (const row of order) {
    if (rows.count[row]) {
      sum += scores[row];
      labelled++;
    }
    const verdict = rightOf(row);
    if (verdict >= 0) judged++;
    if (verdict > 0) right++;
    if (isChanged(row)) changed++;
  }
  const errors = order.length - labelled;
  return el("dl", { class: "tiles" },
    tile("Photos", number(order.length)),
    errors ? tile("Without labels", number(errors)) : null,
    labelled ? tile("Mean best score", percent(sum / labelled)) : null,
    judged ? tile("Right", percent(right / judged), `${number(right)} of ${number(judged)}`) : null,
    rows.before ? tile("Labels changed", number(changed)) : null,
    tile("Classes found", number(found(facets[0]))));
}

const found = (facet) => facet.counts.reduce((sum, count, value) => sum + (count > 0 && value !== facet.none ? 1 : 0), 0);
const tile = (name, value, more) =>
  el("div", {}, el("dt", { text: name }), el("dd", { text: value }, more ? el("small", { text: more }) : null));

function scoreCharts(order) {
  if (!barsShown) return null;
  return el("div", { class: "chart-pair" },
    el("section", {}, el("h2", { text: "Best score" }),
      el("p", { class: "dim", text: "The score of each photo's first label. A bar shows the photos from there up." }),
      histogram("Best score: number of photos", binned(order, scores), (from) => setState({ score: from, tab: "photos" }))),
    el("section", {}, el("h2", { text: "Margin" }),
      el("p", { class: "dim", text: "The lead of the first label over the second: small where the model hesitates. A bar shows the photos up to there." }),
      histogram("Margin: number of photos", binned(order, margins), (from, to) => setState({ margin: to, tab: "photos" }))));
}

function facetCharts() {
  const parts = facets.filter((facet) => facet.names.length > 1 || facet.key === "class").map((facet) => {
    const values = [...facet.counts.keys()].filter((value) => facet.counts[value] > 0).sort((a, b) => facet.counts[b] - facet.counts[a]);
    const rest = values.slice(COUNTED).reduce((sum, value) => sum + facet.counts[value], 0);
    return el("section", {}, el("h2", { text: facet.title }),
      countList(values.slice(0, COUNTED).map((value) => ({
        text: facet.texts[value],
        title: facet.names[value],
        count: facet.counts[value],
        pick: () => setState({ [facet.key]: [facet.names[value]], tab: "photos" }),
      }))),
      rest ? el("p", { class: "dim", text: `and ${number(values.length - COUNTED)} more with ${photosText(rest)}` }) : null);
  });
  return el("div", { class: "chart-pair" }, ...parts);
}

tabs.add({ id: "overview", title: "Overview", render: renderOverview });
view.listeners.push(() => tabs.refresh("overview"));
