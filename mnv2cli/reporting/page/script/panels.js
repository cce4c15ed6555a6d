// Tabs with figures that came with the page.

document.querySelectorAll("template.panel").forEach((template, at) => {
  const render = (element) => {
    if (element.firstChild) return;
    const panel = el("div", { class: "panel" });
    panel.append(template.content.cloneNode(true));
    // The policy blocks `style` attributes: a share from 0 to 1 comes as data.
    for (const each of panel.querySelectorAll("[data-share]")) each.style.setProperty("--share", Number(each.dataset.share) || 0);
    element.append(panel);
  };
  tabs.add({ id: `panel-${at + 1}`, title: template.dataset.title, render });
});
