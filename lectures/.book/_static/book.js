// Fold and unfold, and keep by keyboard what the mouse can scroll. The pages are readable without it.
(() => {
  const openTo = () => {
    const target = location.hash && document.getElementById(decodeURIComponent(location.hash.slice(1)));
    for (let one = target; one; one = one.parentElement) {
      if (one.tagName === "DETAILS") one.open = true;
    }
    if (target) target.scrollIntoView();
  };
  const reachable = () => {
    for (const one of document.querySelectorAll(".bd-article pre, .bd-article .katex-display")) {
      if (one.scrollWidth > one.clientWidth) one.tabIndex = 0;
      else one.removeAttribute("tabindex");
    }
  };
  const unfold = () => document.querySelectorAll(".bd-article details").forEach((one) => (one.open = true));
  // The visible words of the theme's search button are its name, for those who speak to it.
  for (const one of document.querySelectorAll("button.search-button-field")) one.removeAttribute("aria-label");
  // What opens a part of the contents is called by that part.
  for (const one of document.querySelectorAll(".bd-sidebar-primary details > summary")) {
    const part = one.closest("li")?.querySelector("a")?.textContent.trim();
    if (part) one.setAttribute("aria-label", `Pages of ${part}`);
  }
  addEventListener("hashchange", openTo);
  addEventListener("beforeprint", unfold);
  addEventListener("resize", reachable);
  document.addEventListener("toggle", reachable, true);
  openTo();
  reachable();
})();
