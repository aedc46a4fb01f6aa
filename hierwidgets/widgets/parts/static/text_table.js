// The numbers behind a picture as a table that opens and closes with the browser's own means.

function cell(tag, text, scope) {
  const node = Object.assign(document.createElement(tag), { textContent: text });
  if (scope) node.scope = scope;
  return node;
}

function render({ model, el }) {
  const details = document.createElement("details");
  const summary = cell("summary", model.get("title"));
  const scroller = document.createElement("div");
  scroller.className = "hw-table";
  scroller.tabIndex = 0; // the keyboard can scroll it
  scroller.setAttribute("role", "region");
  scroller.setAttribute("aria-label", model.get("title"));
  details.append(summary, scroller);
  el.append(details);

  let stale = true; // a closed table is not seen: it is made when it opens
  const show = () => {
    stale = !details.open;
    if (stale) return;
    const table = document.createElement("table");
    const head = table.createTHead().insertRow();
    for (const name of model.get("columns")) head.append(cell("th", name, "col"));
    const body = table.createTBody();
    for (const [level, ...values] of model.get("rows")) {
      const row = body.insertRow();
      row.append(cell("th", level, "row"), ...values.map((value) => cell("td", value)));
    }
    scroller.replaceChildren(table);
  };
  const showOpen = () => { details.open = model.get("is_open"); };

  details.addEventListener("toggle", () => {
    if (stale) show();
    if (details.open === model.get("is_open")) return;
    model.set("is_open", details.open);
    model.save_changes();
  });
  model.on("change:rows change:columns", show);
  model.on("change:is_open", showOpen);
  showOpen();
  show();
  return () => {
    model.off("change:rows change:columns", show);
    model.off("change:is_open", showOpen);
  };
}

export default { render };
