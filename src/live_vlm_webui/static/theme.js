// The chosen theme, before anything is painted: a classic script, since modules run later and the page would flash.

(() => {
  try {
    const chosen = localStorage.getItem("theme");
    if (chosen === "light" || chosen === "dark") document.documentElement.dataset.theme = chosen;
  } catch {
    // Storage is switched off in this browser: the system's theme it is.
  }
})();
