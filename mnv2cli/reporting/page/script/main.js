// Start the page.

document.getElementById("app").textContent = shown(report.title);
