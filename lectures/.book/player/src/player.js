// Finds the recorded instruments of a page, and loads each with its front ends when it comes near.
// Until then, and where scripts do not run, the page shows the still.

const here = new URL(".", document.currentScript.src);

function start(figure) {
  if (figure.dataset.recorded) return;
  figure.dataset.recorded = "loads";
  const { page, index, live } = figure.dataset;
  import(new URL("mount.js", here).href)
    .then(({ mount }) => mount(figure, new URL(`${page}-${index}.bin`, here).href, live))
    .catch((error) => {
      figure.dataset.recorded = "fails"; // the still stays
      console.error(error);
    });
}

async function begin() {
  const answer = await fetch(new URL("index.json", here));
  const known = new Set(answer.ok ? Object.keys(await answer.json()) : []);
  const figures = [...document.querySelectorAll("figure.recorded-instrument")].filter(
    ({ dataset }) => known.has(`${dataset.page}-${dataset.index}`),
  );
  const near = new IntersectionObserver((seen) => {
    for (const { isIntersecting, target } of seen) {
      if (!isIntersecting) continue;
      near.unobserve(target);
      start(target);
    }
  }, { rootMargin: "600px 0px" });
  for (const figure of figures) {
    near.observe(figure);
    for (const event of ["pointerenter", "focusin", "touchstart"]) {
      figure.addEventListener(event, () => start(figure), { once: true, passive: true });
    }
  }
}

if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", begin);
else begin();
