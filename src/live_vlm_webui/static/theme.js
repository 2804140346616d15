// Applies the chosen theme before the first paint: a classic script, because modules run later and the page would flash.

(() => {
  try {
    const chosen = localStorage.getItem("theme");
    if (chosen === "light" || chosen === "dark") document.documentElement.dataset.theme = chosen;
  } catch {
    // Storage is disabled in this browser: use the system's theme.
  }
})();
