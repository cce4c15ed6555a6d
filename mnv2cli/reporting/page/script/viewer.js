// A photo large, with all that is known of it.

defineState("photo", 0, (given) => (Number.isInteger(given) && given > 0 && given <= rowCount ? given : 0)); // the row + 1; 0 for none

const HIDDEN_FORMATS = /\.(heic|heif|hif|tiff?|jp2|j2k|jpx|psd|dng|cr2|cr3|nef|arw|orf|rw2|raf|pgm|ppm|pbm|pnm|pcx|tga|xcf|eps)$/i;

/** Whether the photo was not found when the page was made: a request would only be an error. */
const isGone = (row) => thumbnails.missing[row] === "no such file";
/** Whether that is not known yet, as the page is not read so far. */
const isUndecided = (row) => !thumbnails.complete && !(thumbnails.kind === "embedded" && thumbnails.urlOf(row));

const viewer = {
  row: -1,
  at: 0, // its last position among the photos shown
  going: 0, // the step that came last
  listeners: [],
  actions: el("div", { class: "viewer-actions" }),
  image: el("img", { class: "viewer-image" }),
  remark: el("p", { class: "viewer-remark", role: "status" }),
  facts: el("dl", { class: "viewer-facts" }),
  scores: el("div", { class: "viewer-scores" }),
  place: el("p", { class: "viewer-place" }),

  open(row) {
    this.opener ||= document.activeElement;
    this.going = 0;
    setState({ photo: row + 1 });
  },

  close() {
    this.dialog.close();
  },

  /** Go to a position among the photos shown. */
  go(position) {
    const row = view.order[Math.min(view.order.length - 1, Math.max(0, position))];
    if (row !== undefined && row !== this.row) setState({ photo: row + 1 });
  },

  /** Go to the next or previous photo; also from one that a filter has dropped meanwhile. */
  step(by) {
    const at = grid.position(this.row);
    this.going = by;
    this.go(at >= 0 ? at + by : by > 0 ? this.at : this.at - 1);
  },

  /** Show what the state says. */
  update() {
    const row = state.photo - 1;
    if (row === this.row) return;
    this.row = row;
    if (row < 0) {
      if (isOpen(this.dialog)) this.dialog.close();
    } else {
      this.fill(row);
      if (!isOpen(this.dialog)) {
        this.dialog.showModal();
        this.dialog.focus();
      }
    }
    for (const listener of this.listeners) listener(row);
  },

  fill(row) {
    const at = grid.position(row);
    this.title.textContent = shown(nameOf(row)) || "Photo";
    this.place.textContent = at < 0 ? "not among the photos shown" : `${number(at + 1)} of ${number(view.order.length)}`;
    if (at >= 0) this.at = at;
    this.previous.setAttribute("aria-disabled", this.at === 0);
    this.next.setAttribute("aria-disabled", (at < 0 ? this.at : at + 1) >= view.order.length);
    this.fillFacts(row);
    this.scores.replaceChildren(...predictionsOf(row).map(({ label, wnid, score }) => {
      const bar = makeBar();
      setBar(bar, shown(label), score);
      bar.score.textContent = exactScoreText(score);
      bar.element.title = wnid;
      return bar.element;
    }));
    this.showPhoto(row);
    this.side.scrollTop = 0;
  },

  fillFacts(row) {
    const node = rows.node && rows.node[row] >= 0 ? `${labelText(rows.node[row])}, ${exactScoreText(rows.nodeScore[row] / SCALE)}` : "";
    const category = categoryOf(row) < 0 ? "" : `${categoryText(row)}, ${exactScoreText(categoryScoreOf(row))}`;
    const verdict = rightOf(row);
    const truth = verdict < 0 ? "" : `${labelText(truthOf(row))} (${verdict ? "the label is right" : "the label is wrong"})`;
    const before = beforeOf(row) < 0 ? "" : `${labelText(beforeOf(row))}, ${exactScoreText(beforeScoreOf(row))}${isChanged(row) ? " (changed)" : ""}`;
    const facts = [["No labels", errorOf(row)], ["Path", pathOf(row)], ["True class", truth], ["Category", category], ["Group of classes", node],
      ["Target", targetText(row)], ["Before", before], ["Margin", rows.count[row] ? percent(marginOf(row)) : ""], ["Note", noteOf(row)]];
    this.facts.replaceChildren(...facts.filter(([, text]) => text).flatMap(([name, text]) =>
      [el("dt", { text: name }), el("dd", { text: shown(text), class: name === "No labels" ? "bad" : null })]));
  },

  /** Load the photo to which the same step leads, so that it is there at once. */
  preload(row) {
    const url = row === undefined || errorOf(row) || isGone(row) || HIDDEN_FORMATS.test(nameOf(row)) ? "" : urlOf(row);
    if (url) new Image().src = url;
  },

  /** Replace the element: one with a photo shows it until the next is loaded. */
  freshImage(row) {
    thumbnails.waiting.delete(this.image);
    const fresh = el("img", { class: "viewer-image", decoding: "async", alt: shown(nameOf(row)) });
    this.image.replaceWith(fresh);
    this.image = fresh;
  },

  /** Show the thumbnail until the photo is loaded. */
  preview(row) {
    const { image } = this;
    const small = thumbnails.urlOf(row);
    if (small) image.style.backgroundImage = `url(${JSON.stringify(small)})`;
    image.onload = () => {
      image.style.backgroundImage = "";
      if (this.going) this.preload(view.order[this.at + this.going]);
    };
  },

  /** Show the photo from disk, or else its thumbnail and why. */
  showPhoto(row) {
    const url = urlOf(row);
    const hidden = HIDDEN_FORMATS.test(nameOf(row));
    this.freshImage(row);
    if (errorOf(row)) this.fallBack(row, `This photo has no labels: ${shown(errorOf(row))}.`);
    else if (isGone(row)) this.fallBack(row, `${capitalized(shown(thumbnails.missing[row]))}.`);
    else if (url && !hidden && isUndecided(row)) this.waitFor(row);
    else if (url && !hidden) {
      this.remark.textContent = "";
      this.preview(row);
      this.image.onerror = () => this.row === row && this.fallBack(row, "The photo cannot be loaded: it was moved, or it is damaged.");
      this.image.src = url;
    } else if (hidden) this.fallBack(row, "Browsers cannot show this format.");
    else this.fallBack(row, "The photo is not on this computer.");
  },

  /** Show the photo when the page is read, and with it which photos are gone. */
  waitFor(row) {
    this.remark.textContent = "";
    this.preview(row);
    const show = () => setTimeout(() => this.row === row && this.showPhoto(row));
    if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", show, { once: true });
    else show();
  },

  fallBack(row, why) {
    this.freshImage(row);
    this.image.classList.add("small");
    thumbnails.show(this.image, row, (missing) => {
      this.image.hidden = Boolean(missing);
      this.remark.textContent = missing ? why : `${why} This is its thumbnail.`;
    });
  },

  onClose() {
    if (this.row >= 0) {
      grid.activate(this.row);
      this.row = -1;
      setState({ photo: 0 });
      for (const listener of this.listeners) listener(-1);
    }
    this.image.onerror = null;
    this.image.removeAttribute("src");
    const back = this.opener;
    this.opener = null;
    if (back?.isConnected && back !== document.body) back.focus();
    else grid.element.focus();
  },

  start() {
    const button = (name, text, by) => el("button", { type: "button", class: `step step-${by < 0 ? "back" : "on"}`, "aria-label": name, title: name, text, onclick: () => this.step(by) });
    this.previous = button("Previous photo", "‹", -1);
    this.next = button("Next photo", "›", 1);
    this.side = el("div", { class: "viewer-side", tabindex: "0", role: "group", "aria-label": "Labels" }, this.actions, this.scores, this.facts);
    const stage = el("div", { class: "viewer-stage" }, this.previous, el("div", { class: "viewer-photo" }, this.image, this.remark), this.next);
    this.dialog = makeDialog("viewer", "Photo", el("div", { class: "viewer-body" }, stage, this.side));
    this.dialog.tabIndex = -1;
    this.title = this.dialog.querySelector("h2");
    this.title.after(this.place);
    this.dialog.addEventListener("close", () => this.onClose());
    swipes(stage, (by) => this.step(by));
    stateListeners.push((changed) => changed.has("photo") && this.update());
    view.listeners.push(() => this.row >= 0 && this.fill(this.row));
  },
};

/** Call `step` when a finger is drawn across an element. */
function swipes(element, step) {
  let from = null;
  element.addEventListener("pointerdown", (event) => (from = event.pointerType === "touch" ? event : null));
  element.addEventListener("pointerup", (event) => {
    const x = from ? event.clientX - from.clientX : 0;
    if (from && Math.abs(x) > 50 && Math.abs(x) > 2 * Math.abs(event.clientY - from.clientY)) step(x < 0 ? 1 : -1);
    from = null;
  });
}

viewer.start();
shortcuts.add(["ArrowLeft"], "Previous photo", () => viewer.step(-1), "viewer");
shortcuts.add(["ArrowRight"], "Next photo", () => viewer.step(1), "viewer");
shortcuts.add(["Home"], "First photo", () => viewer.go(0), "viewer");
shortcuts.add(["End"], "Last photo", () => viewer.go(view.order.length - 1), "viewer");
shortcuts.add(["Escape"], "Close", () => false, "viewer");
