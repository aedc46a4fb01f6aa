// Names on an axis that touch each other cannot be read: every second stays, or every third.

const AIR = 3; // pixels between two names

function touch(one, other, turned) {
  if (turned) { // parallel lines: what counts is how far apart they run
    const apart = Math.abs(other.right - one.right) * Math.abs(Math.sin(turned));
    return apart < one.line;
  }
  return one.left < other.right + AIR && other.left < one.right + AIR
    && one.top < other.bottom && other.top < one.bottom;
}

function placesOf(texts) {
  const turn = texts[0]?.getAttribute("transform")?.match(/rotate\(([-.\d]+)/);
  const turned = turn ? (Number(turn[1]) * Math.PI) / 180 : 0;
  const places = texts.map((text) => {
    const { left, right, top, bottom } = text.getBoundingClientRect();
    const line = 0.95 * parseFloat(getComputedStyle(text).fontSize);
    return { text, left, right, top, bottom, line };
  });
  places.sort((one, other) => one.left - other.left || other.top - one.top);
  return [places, turned];
}

function thinNames(axis) {
  const texts = [...axis.querySelectorAll(".tick text")].filter((text) => text.textContent);
  const [places, turned] = placesOf(texts);
  let every = 1;
  const shown = (i) => i % every === 0;
  const crowded = () => {
    const left = places.filter((_, i) => shown(i));
    return left.some((place, i) => i > 0 && touch(left[i - 1], place, turned));
  };
  while (every < places.length && crowded()) every += 1;
  places.forEach(({ text }, i) => { text.style.visibility = shown(i) ? "" : "hidden"; });
}

// Thinned when the picture changes its size and when an axis has new names; false while the
// picture has no axes yet.
function watchNames(picture) {
  if (picture.dataset.names) return true;
  if (!picture.querySelector("g.axis .tick text")) return false;
  picture.dataset.names = "watched";
  let asked = false;
  const thin = () => {
    asked = false;
    for (const axis of picture.querySelectorAll("g.axis")) thinNames(axis);
  };
  const ask = () => {
    if (!asked) requestAnimationFrame(thin);
    asked = true;
  };
  const observer = new MutationObserver(ask);
  const watch = { subtree: true, childList: true, characterData: true, attributes: true,
    attributeFilter: ["transform"] };
  for (const axis of picture.querySelectorAll("g.axis")) observer.observe(axis, watch);
  ask();
  return true;
}
