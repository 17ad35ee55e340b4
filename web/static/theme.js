// Runs before the first paint, so that the chosen theme does not flash.
"use strict";
try {
  const theme = localStorage.getItem("sluice-theme");
  if (theme === "dark" || theme === "light") {
    document.documentElement.dataset.theme = theme;
  }
} catch {
  // Storage is denied: the system's theme it is.
}
