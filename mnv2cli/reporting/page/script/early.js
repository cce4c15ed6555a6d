// What runs before the page is read: its first photos are shown before the large script runs.

"use strict";

// A bookmarked view begins with other photos than the first ones.
if (location.hash.length > 1) document.documentElement.classList.add("is-restoring");

/** Call a function once the preview is painted; in a window that is not painted, soon. */
function whenPreviewed(callback) {
  let called = false;
  const call = () => {
    if (!called) callback();
    called = true;
  };
  requestAnimationFrame(() => setTimeout(call));
  setTimeout(call, 200);
}
