// Small pictures: read from elements of the page when they are needed, or from files beside it.

const thumbnails = {
  kind: report.thumbnails.kind,
  chunk: report.thumbnails.chunk,
  elements: document.getElementsByClassName("thumbnails"), // grows while the page is read
  chunks: new Map(),
  waiting: new Map(), // images that wait for their part of the page, with their row
  missing: {},
  complete: false,
  paused: false,

  /** Why a photo has no picture; empty if it has one. */
  reasonOf(row) {
    return errorOf(row) || this.missing[row] || "";
  },

  /** The address of a picture; undefined while it is not read, null for none. */
  urlOf(row) {
    if (this.kind === "none" || this.reasonOf(row)) return null;
    if (this.kind === "files") return `${report.thumbnails.folder}${Math.floor(row / report.thumbnails.group)}/${row}.webp`;
    const pictures = this.pictures(Math.floor(row / this.chunk));
    if (!pictures) return this.complete ? null : undefined;
    const text = pictures[row % this.chunk];
    return text ? "data:image/webp;base64," + text : null;
  },

  /** The pictures of a chunk, if the page has been read as far. */
  pictures(at) {
    const known = this.chunks.get(at);
    if (known) return known;
    if (at >= this.elements.length || (at === this.elements.length - 1 && !this.complete)) return null;
    const pictures = JSON.parse(this.elements[at].textContent);
    this.chunks.set(at, pictures);
    if (this.chunks.size > 40) this.chunks.delete(this.chunks.keys().next().value);
    return pictures;
  },

  /** Show a picture; `done(reason)` is called with the reason if there is none. */
  show(image, row, done) {
    this.waiting.delete(image);
    const url = this.paused && !this.reasonOf(row) ? undefined : this.urlOf(row);
    if (url === undefined) this.waiting.set(image, { row, done });
    if (url) {
      image.onerror = () => done("The thumbnail cannot be read");
      image.src = url;
      done("");
    } else {
      image.removeAttribute("src");
      done(url === null ? this.reasonOf(row) || "No thumbnail" : "");
    }
  },

  retry() {
    for (const [image, { row, done }] of [...this.waiting]) this.show(image, row, done);
  },

  /** The page is read to its end: also the reasons are known. */
  finish() {
    if (this.complete) return;
    this.complete = true;
    const element = document.getElementById("missing");
    if (element) this.missing = JSON.parse(element.textContent);
    this.retry();
    if (Object.keys(this.missing).length) grid.redraw();
  },

  start() {
    if (document.readyState !== "loading") return this.finish();
    const timer = setInterval(() => this.retry(), 60);
    document.addEventListener("DOMContentLoaded", () => {
      clearInterval(timer);
      this.finish();
    });
  },
};
